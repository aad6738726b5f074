//! How a request shows who sends it.
//!
//! Owns the reading of one token. Must never log one, and must never take one from an address.

use axum::http::{HeaderMap, header};
use url::form_urlencoded;

use super::App;
use super::refusal::Refusal;
use crate::auth::Claims;

/// The longest token that is looked at: ours have about 400 characters.
pub(crate) const TOKEN_MAX: usize = 4096;
/// Names under which people put tokens into addresses (RFC 6750 section 2.3 has the first).
const TOKEN_NAMES: [&str; 8] =
    ["access_token", "access", "token", "bearer", "jwt", "auth", "authorization", "api_key"];

/// Who sends a request, by its `Authorization: Bearer`.
pub(crate) async fn claims(
    app: &App,
    headers: &HeaderMap,
    query: Option<&str>,
) -> Result<Claims, Refusal> {
    pairs(query)?;
    Ok(app.auth.verify(bearer(headers)?).await?)
}

/// The token of `Authorization: Bearer` (RFC 6750 section 2.1).
pub(crate) fn bearer(headers: &HeaderMap) -> Result<&str, Refusal> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().ok_or(Refusal::NoToken)?;
    if values.next().is_some() {
        return Err(Refusal::ManyTokens);
    }
    let (scheme, token) =
        value.to_str().ok().and_then(|value| value.split_once(' ')).ok_or(Refusal::BadToken)?;
    if scheme.eq_ignore_ascii_case("bearer") { fit(token.trim()) } else { Err(Refusal::BadToken) }
}

/// The pairs of a query, if no token is among them, whatever its name.
pub(crate) fn pairs(query: Option<&str>) -> Result<Vec<(String, String)>, Refusal> {
    let pairs: Vec<(String, String)> =
        form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect();
    let is_secret = |(name, value): &(String, String)| {
        let name = name.to_ascii_lowercase();
        TOKEN_NAMES.contains(&name.as_str()) || is_jwt(&name) || is_jwt(value)
    };
    if pairs.iter().any(is_secret) { Err(Refusal::TokenInQuery) } else { Ok(pairs) }
}

/// A token68 (RFC 9110 section 11.2) of a length that we look at.
pub(crate) fn fit(token: &str) -> Result<&str, Refusal> {
    let is_token68 = |b: u8| {
        b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
    };
    let is_fit = (1..=TOKEN_MAX).contains(&token.len()) && token.bytes().all(is_token68);
    if is_fit { Ok(token) } else { Err(Refusal::BadToken) }
}

/// Whether a text looks like a JWT: its head is base64url of `{"`, in either case.
fn is_jwt(text: &str) -> bool {
    text.get(..3).is_some_and(|head| head.eq_ignore_ascii_case("eyj"))
        && text.bytes().filter(|b| *b == b'.').count() >= 2
}
