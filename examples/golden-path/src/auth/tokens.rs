//! Access tokens: what they say, and whether one is good.
//!
//! Owns their form (RFC 7519, RFC 9068). Must never take the word of a token for how it is to be verified.

use std::time::Duration;

use jsonwebtoken::{Algorithm, Header, Validation, decode, decode_header, encode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::AuthSettings;
use super::keys::Key;
use crate::event::{SessionId, UserId};

/// How far the clocks of two instances may be apart, in seconds. Both sides are ours and keep time; whoever copies this
/// for tokens of others should allow a minute.
const LEEWAY: u64 = 5;
/// What kind of token it is (RFC 9068 section 2.1): an ID token with the same issuer is none.
const TYPE: &str = "at+jwt";

/// What a token says (RFC 7519 section 4.1).
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Said {
    iss: String,
    aud: String,
    pub(super) sub: UserId,
    pub(super) sid: SessionId,
    jti: Uuid,
    iat: i64,
    nbf: i64,
    /// Seconds since 1970.
    pub(super) exp: i64,
}

/// A token for this session, and when it ends, in milliseconds since 1970.
pub(super) fn sign(
    key: &Key,
    settings: &AuthSettings,
    user: UserId,
    session: SessionId,
    now_ms: i64,
) -> Option<(String, i64)> {
    let now = now_ms / 1000;
    let seconds = |time: Duration| i64::try_from(time.as_secs().max(1)).unwrap_or(i64::MAX / 8);
    let said = Said {
        iss: settings.issuer.clone(),
        aud: settings.audience.clone(),
        sub: user,
        sid: session,
        jti: Uuid::new_v4(),
        iat: now,
        nbf: now,
        exp: now + seconds(settings.access_for),
    };
    let mut header = Header::new(Algorithm::EdDSA);
    header.typ = Some(TYPE.into());
    header.kid = Some(key.kid.clone());
    Some((encode(&header, &said, &key.signs).ok()?, said.exp * 1000))
}

/// Which key a token says has signed it, if it is of our form.
pub(super) fn kid(token: &str) -> Option<String> {
    let header = decode_header(token).ok()?;
    // What `crit` names must be understood or the token refused (RFC 7515 section 4.1.11): we know none of it.
    let is_ours = header.alg == Algorithm::EdDSA
        && header.typ.as_deref() == Some(TYPE)
        && header.crit.is_none();
    header.kid.filter(|_| is_ours)
}

/// What a token says, if this key has signed it for us and its time is now.
pub(super) fn verify(token: &str, key: &Key, settings: &AuthSettings) -> Option<Said> {
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.leeway = LEEWAY;
    validation.validate_nbf = true;
    validation.set_audience(&[&settings.audience]);
    validation.set_issuer(&[&settings.issuer]);
    validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
    decode::<Said>(token, &key.verifies, &validation).ok().map(|data| data.claims)
}
