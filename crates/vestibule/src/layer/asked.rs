//! What a request asks for, and how long its client waits.
//!
//! Owns the look at a request's head. Must never keep or show any of it.

use std::time::Duration;

use http::header::{CONTENT_TYPE, UPGRADE, USER_AGENT};
use http::{HeaderMap, Method, Request, Version};
use tokio::time::Instant;

use crate::timeouts::{self, handshake_clock};

/// A gRPC client's own deadline is cut by a tenth of it, at most this much: it runs from the client's call,
/// and our answer has to travel.
const GRPC_MARGIN_MAX: Duration = Duration::from_secs(1);

/// What decides whether, how long, and with which last word a request is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// A WebSocket (RFC 6455, section 4.1; over HTTP/2 RFC 8441).
    Handshake,
    /// A gRPC call.
    Grpc,
    /// Anything else.
    Plain,
}

impl Asked {
    pub(super) fn of<B>(request: &Request<B>) -> Self {
        let fields = request.headers();
        match request.version() {
            // An extended CONNECT; a server that did not offer it refuses it before us.
            Version::HTTP_2 if request.method() == Method::CONNECT => Self::Handshake,
            Version::HTTP_2 if is_grpc(fields) => Self::Grpc,
            Version::HTTP_10 | Version::HTTP_11 if offers_websocket(fields) => Self::Handshake,
            _ => Self::Plain,
        }
    }
}

/// When this request must have its answer.
pub(super) fn deadline<B>(
    request: &Request<B>,
    asked: Asked,
    now: Instant,
    hold: Duration,
    request_timeout: Option<Duration>,
) -> Instant {
    let fields = request.headers();
    let agent = fields.get(USER_AGENT).map(http::HeaderValue::as_bytes);
    let clock = match asked {
        Asked::Handshake => handshake_clock(request.uri().path(), agent),
        Asked::Grpc | Asked::Plain => None,
    };
    let grpc = (asked == Asked::Grpc).then(|| grpc_timeout(fields)).flatten();
    let patience = grpc.map(|timeout| timeout - (timeout / 10).min(GRPC_MARGIN_MAX));
    let left = [request_timeout, patience].into_iter().flatten().min();
    timeouts::hold_deadline(now, hold, left, clock)
}

fn offers_websocket(fields: &HeaderMap) -> bool {
    let offers = fields.get_all(UPGRADE).iter().filter_map(|offer| offer.to_str().ok());
    offers.flat_map(|list| list.split(',')).any(|one| one.trim().eq_ignore_ascii_case("websocket"))
}

/// `application/grpc`, alone or with a format or parameters; grpc-web is a plain request, and its clients
/// understand a 503 as unavailable.
fn is_grpc(fields: &HeaderMap) -> bool {
    let kind = fields.get(CONTENT_TYPE).map(http::HeaderValue::as_bytes);
    let rest = kind.and_then(|kind| kind.strip_prefix(b"application/grpc"));
    rest.is_some_and(|rest| matches!(rest, [] | [b'+' | b';', ..]))
}

/// `grpc-timeout`: at most eight digits and a unit (gRPC over HTTP/2, "Requests").
fn grpc_timeout(fields: &HeaderMap) -> Option<Duration> {
    let text = fields.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(count * 3_600)),
        "M" => Some(Duration::from_secs(count * 60)),
        "S" => Some(Duration::from_secs(count)),
        "m" => Some(Duration::from_millis(count)),
        "u" => Some(Duration::from_micros(count)),
        "n" => Some(Duration::from_nanos(count)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    //! Breaks the look with spellings, lists, other tokens, and timeouts that are none.

    use super::*;

    fn request(version: Version, fields: &[(&str, &str)]) -> Request<()> {
        let mut request = Request::builder().version(version).uri("/ws");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap()
    }

    #[test]
    fn handshakes_and_calls_are_known_and_nothing_else_is() {
        let asked = |version, fields: &[_]| Asked::of(&request(version, fields));
        let (one, two) = (Version::HTTP_11, Version::HTTP_2);
        assert_eq!(asked(one, &[("upgrade", "WebSocket")]), Asked::Handshake);
        assert_eq!(asked(one, &[("upgrade", "h2c, websocket")]), Asked::Handshake);
        assert_eq!(asked(one, &[("upgrade", "websockets")]), Asked::Plain);
        assert_eq!(asked(one, &[("content-type", "application/grpc")]), Asked::Plain);
        assert_eq!(asked(two, &[("content-type", "application/grpc+proto")]), Asked::Grpc);
        assert_eq!(asked(two, &[("content-type", "application/grpc;v=1")]), Asked::Grpc);
        assert_eq!(asked(two, &[("content-type", "application/grpc-web")]), Asked::Plain);
        assert_eq!(asked(two, &[]), Asked::Plain);
        let connect = Request::connect("a:1").version(two).body(()).unwrap();
        assert_eq!(Asked::of(&connect), Asked::Handshake);
    }

    #[test]
    fn the_clients_clock_ends_a_hold_before_it_rings() {
        let now = Instant::now();
        let wait = |version, fields: &[_], request_timeout| {
            let request = request(version, fields);
            let hold = Duration::from_secs(60);
            deadline(&request, Asked::of(&request), now, hold, request_timeout) - now
        };
        let seconds = Duration::from_secs;
        let python = [("upgrade", "websocket"), ("user-agent", "Python/3.13 websockets/15.0")];
        assert_eq!(wait(Version::HTTP_11, &python, None), seconds(9));
        assert_eq!(wait(Version::HTTP_11, &python, Some(seconds(4))), seconds(4));
        assert_eq!(wait(Version::HTTP_11, &[], None), seconds(60));
        let call = |timeout| {
            wait(
                Version::HTTP_2,
                &[("content-type", "application/grpc"), ("grpc-timeout", timeout)],
                None,
            )
        };
        assert_eq!(call("500m"), Duration::from_millis(450));
        assert_eq!(call("20S"), seconds(19));
        assert_eq!(call("99999999H"), seconds(60));
        for none in ["", "S", "1", "-1S", "123456789S", "1s", "1é"] {
            assert_eq!(call(none), seconds(60), "{none}");
        }
    }
}
