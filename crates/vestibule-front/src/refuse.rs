//! What a refused client gets, in HTTP, in HTTP/2 and in WebSocket.
//!
//! Owns the bytes of every refusal. They are made from our own constants.
//! Must never echo anything of the request: not its path, not a field, not a length.

use std::{fmt::Write as _, time::Duration};

use http::StatusCode;

use crate::head::HeadError;

mod http2;
mod websocket;

pub use http2::http2_refusal;
pub use websocket::websocket_refusal;

/// A whole answer that refuses: problem document (RFC 9457), never cached, connection closed.
///
/// `extra` are fields of ours; one that could not stand on its own line is left out. `retry_after` is
/// written in whole seconds, rounded up, at least 1 (RFC 9110 §10.2.3).
pub fn http_refusal(
    status: u16,
    code: &'static str,
    detail: &str,
    retry_after: Option<Duration>,
    extra: &[(&str, &str)],
) -> Vec<u8> {
    let title = StatusCode::from_u16(status)
        .ok()
        .and_then(|status| status.canonical_reason())
        .unwrap_or("Refused");
    let body = format!(
        r#"{{"type":"about:blank","title":"{}","status":{status},"code":"{}","detail":"{}"}}"#,
        Escaped(title),
        Escaped(code),
        Escaped(detail),
    );
    let mut head = format!(
        "HTTP/1.1 {status} {title}\r\nConnection: {}\r\nCache-Control: no-store\r\n\
         Content-Type: application/problem+json\r\nContent-Length: {}\r\n",
        connection_options(extra),
        body.len(),
    );
    if let Some(wait) = retry_after {
        let _ = write!(head, "Retry-After: {}\r\n", whole_seconds(wait));
    }
    for (name, value) in
        extra.iter().filter(|(name, value)| is_one_line(name) && is_one_line(value))
    {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    head.push_str("\r\n");
    head.push_str(&body);
    head.into_bytes()
}

/// The same refusal for a HEAD request: all fields, no body (RFC 9110 §9.3.2).
pub fn without_body(mut refusal: Vec<u8>) -> Vec<u8> {
    if let Some(end) = refusal.windows(4).position(|window| window == b"\r\n\r\n") {
        refusal.truncate(end + 4);
    }
    refusal
}

/// The refusal of a head that the door could not accept.
pub fn head_refusal(error: HeadError) -> Vec<u8> {
    if error == HeadError::Http2 {
        return http2_refusal();
    }
    http_refusal(error.status(), error.code(), &error.to_string(), None, error.answer_fields())
}

/// RFC 9110 §7.8: who sends Upgrade lists it in Connection.
fn connection_options(extra: &[(&str, &str)]) -> &'static str {
    let upgrade = extra.iter().any(|(name, _)| name.eq_ignore_ascii_case("upgrade"));
    if upgrade { "close, Upgrade" } else { "close" }
}

fn whole_seconds(wait: Duration) -> u64 {
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
}

fn is_one_line(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
}

/// Text inside a JSON string (RFC 8259 §7).
struct Escaped<'a>(&'a str);

impl std::fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for character in self.0.chars() {
            match character {
                '"' | '\\' => write!(f, "\\{character}")?,
                control if control.is_control() => write!(f, "\\u{:04x}", u32::from(control))?,
                plain => f.write_char(plain)?,
            }
        }
        Ok(())
    }
}
