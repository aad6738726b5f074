//! What a handshake asks for.
//!
//! Owns the reading of its head: one token, a place, a correlation. Must never log a token, and must never take one
//! from an address.

use axum::http::{HeaderMap, HeaderValue, header};
use uuid::Uuid;

use super::SUBPROTOCOL;
use crate::api::credentials::{bearer, fit, pairs};
use crate::api::refusal::Refusal;

/// The longest `X-Request-Id` that is taken over.
const REQUEST_ID_MAX: usize = 64;
/// What a subprotocol that is a token begins with.
const BEARER: &str = "bearer.";

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

#[cfg(test)]
mod tests;
