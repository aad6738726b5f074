//! What a handshake asks for.
//!
//! Owns the reading of its head: one token, a place, a correlation. Must never log a token, and must never take one
//! from an address.

use axum::http::{HeaderMap, HeaderValue, header};
use url::form_urlencoded;
use uuid::Uuid;

use super::SUBPROTOCOL;
use super::refusal::Refusal;

/// The longest token that is looked at: ours have about 400 characters.
const TOKEN_MAX: usize = 4096;
/// The longest `X-Request-Id` that is taken over.
const REQUEST_ID_MAX: usize = 64;
/// What a subprotocol that is a token begins with.
const BEARER: &str = "bearer.";
/// Names under which people put tokens into addresses (RFC 6750 section 2.3 has the first).
const TOKEN_NAMES: [&str; 8] =
    ["access_token", "access", "token", "bearer", "jwt", "auth", "authorization", "api_key"];

/// What a handshake asks for. Without `Debug`: it has a secret in it.
pub(super) struct Asked {
    /// Its token.
    pub(super) token: String,
    /// Behind which event it wants to begin; none is "from now on".
    pub(super) after: Option<i64>,
}

/// Reads a handshake.
pub(super) fn read(headers: &HeaderMap, query: Option<&str>) -> Result<Asked, Refusal> {
    let after = place(query)?;
    let offers = offers(headers)?;
    let mut tokens = offers.iter().filter_map(|offer| offer.strip_prefix(BEARER));
    let token = match (bearer(headers), tokens.next(), tokens.next()) {
        (token, None, _) => token?,
        (Err(Refusal::NoToken), Some(token), None) => fit(token)?,
        (_, Some(_), _) => return Err(Refusal::ManyTokens),
    };
    if !offers.is_empty() && !offers.contains(&SUBPROTOCOL) {
        return Err(Refusal::Subprotocol);
    }
    Ok(Asked { token: token.into(), after })
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

/// By what a connection is known in the log: the trace that it belongs to, or its own number, or one of ours.
pub(super) fn correlation(headers: &HeaderMap) -> String {
    let only = |name| {
        let mut values = headers.get_all(name).iter();
        values.next().filter(|_| values.next().is_none()).and_then(|value| value.to_str().ok())
    };
    only("traceparent")
        .and_then(trace_id)
        .or_else(|| only("x-request-id").filter(|id| is_request_id(id)))
        .map_or_else(|| Uuid::now_v7().to_string(), str::to_owned)
}

/// The trace of a `traceparent` (W3C Trace Context, section 3.2). Of versions to come it has the parts that we know.
fn trace_id(value: &str) -> Option<&str> {
    let hex = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    let mut parts = value.split('-');
    let (version, trace, parent, flags) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_known = version != "00" || parts.next().is_none();
    let is_whole = hex(version, 2) && hex(trace, 32) && hex(parent, 16) && hex(flags, 2);
    let is_some = |id: &str| id.bytes().any(|b| b != b'0');
    let is_valid = is_known && version != "ff" && is_whole && is_some(trace) && is_some(parent);
    is_valid.then_some(trace)
}

fn is_request_id(id: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    (1..=REQUEST_ID_MAX).contains(&id.len()) && id.bytes().all(is_plain)
}

fn place(query: Option<&str>) -> Result<Option<i64>, Refusal> {
    let mut after = None;
    for (name, value) in pairs(query)? {
        if name != "last_event_id" {
            continue;
        }
        let is_plain = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
        let number = value.parse().ok().filter(|_| is_plain && after.is_none());
        after = Some(number.ok_or(Refusal::Place)?);
    }
    Ok(after)
}

/// The subprotocols that are offered, over all fields.
fn offers(headers: &HeaderMap) -> Result<Vec<&str>, Refusal> {
    let mut offers = Vec::new();
    for value in headers.get_all(header::SEC_WEBSOCKET_PROTOCOL) {
        let value = HeaderValue::to_str(value).map_err(|_| Refusal::Subprotocol)?;
        offers.extend(value.split(',').map(str::trim).filter(|offer| !offer.is_empty()));
    }
    Ok(offers)
}

/// A token68 (RFC 9110 section 11.2) of a length that we look at.
fn fit(token: &str) -> Result<&str, Refusal> {
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

#[cfg(test)]
mod tests;
