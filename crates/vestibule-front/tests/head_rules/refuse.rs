//! Breaks refusals: nothing of a request may come back in one, and each must be readable by its client.

use std::time::Duration;

use proptest::prelude::*;
use vestibule_front::{
    head::HeadError,
    refuse::{head_refusal, http_refusal, http2_refusal, websocket_refusal, without_body},
};

use crate::kit::{ACCEPT, handshake, judge_bytes, plain_head, reader};

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("refusals are text")
}

#[test]
fn a_refusal_is_a_problem_document_that_closes() {
    let refusal = text(http_refusal(
        503,
        "queue_full",
        "Too many \"clients\" wait.",
        Some(Duration::from_millis(1200)),
        &[("X-Id", "7")],
    ));
    let body = r#"{"type":"about:blank","title":"Service Unavailable","status":503,"code":"queue_full","detail":"Too many \"clients\" wait."}"#;
    let expected = format!(
        "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nCache-Control: no-store\r\n\
         Content-Type: application/problem+json\r\nContent-Length: {}\r\nRetry-After: 2\r\nX-Id: 7\r\n\r\n{body}",
        body.len()
    );
    assert_eq!(refusal, expected);
    let head = text(without_body(refusal.clone().into_bytes()));
    assert_eq!(format!("{head}{body}"), refusal, "HEAD keeps every field");
}

#[test]
fn a16_fields_that_could_split_an_answer_are_left_out() {
    for (name, value) in
        [("X", "a\r\nSet-Cookie: b"), ("X\r\nY", "a"), ("X", ""), ("", "a"), ("X", "a\0")]
    {
        let refusal = text(http_refusal(400, "x", "", None, &[(name, value)]));
        assert_eq!(refusal, text(http_refusal(400, "x", "", None, &[])), "{name:?} {value:?}");
    }
    let escaped = text(http_refusal(400, "x", "a\r\n\u{1b}\u{85}\\b", None, &[]));
    assert!(escaped.ends_with(r#""detail":"a\u000d\u000a\u001b\u0085\\b"}"#));
}

#[test]
fn refusals_name_what_is_allowed_instead() {
    let version = text(head_refusal(HeadError::WebSocketVersion));
    assert!(version.starts_with("HTTP/1.1 426 Upgrade Required\r\nConnection: close, Upgrade\r\n"));
    assert!(version.contains("\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"));
    let method = text(head_refusal(HeadError::Method));
    assert!(method.starts_with("HTTP/1.1 405 ") && method.contains("\r\nAllow: GET, HEAD, "));
    for (error, status) in [
        (HeadError::TooLarge, 431),
        (HeadError::TargetTooLong, 414),
        (HeadError::Expectation, 417),
        (HeadError::HttpVersion, 505),
        (HeadError::BareLf, 400),
    ] {
        assert!(text(head_refusal(error)).starts_with(&format!("HTTP/1.1 {status} ")), "{error}");
    }
}

#[test]
fn http2_clients_get_frames_they_can_read() {
    let frames = http2_refusal();
    assert_eq!(head_refusal(HeadError::Http2), frames);
    assert_eq!(frames[..9], [0, 0, 0, 4, 0, 0, 0, 0, 0], "an empty SETTINGS");
    let goaway = &frames[9..];
    assert_eq!(goaway[..3], [0, 0, u8::try_from(goaway.len() - 9).unwrap()]);
    assert_eq!(goaway[3..9], [7, 0, 0, 0, 0, 0]);
    assert_eq!(goaway[9..17], [0, 0, 0, 0, 0, 0, 0, 0xd]);
    assert!(goaway[17..].is_ascii());
}

#[test]
fn a_websocket_refusal_accepts_and_says_when_to_come_back() {
    let offer = handshake(&[
        "Sec-WebSocket-Protocol: v2, chat",
        "Sec-WebSocket-Extensions: permessage-deflate",
    ]);
    let (head, close) = websocket_refusal(&offer, 1500);
    let expected = format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: {ACCEPT}\r\nSec-WebSocket-Protocol: v2\r\n\r\n"
    );
    assert_eq!(text(head), expected);
    assert_eq!(&close[..], [&[0x88, 12, 0x03, 0xf5][..], b"retry=1500"].concat());
    assert!(!text(websocket_refusal(&handshake(&[]), 1).0).contains("Protocol:"));
    assert_eq!(websocket_refusal(&offer, u64::MAX).1.len(), 2 + 2 + 6 + 20);
}

/// The reason for which this head is refused, if it is.
fn reason(head: &[u8]) -> Option<HeadError> {
    match reader(head).take_head() {
        Ok(None) => None,
        Ok(Some(_)) => judge_bytes(head).err(),
        Err(error) => Some(error),
    }
}

proptest! {
    #[test]
    fn a16_a_refusal_depends_on_its_reason_alone(line in "[ -~]{0,12}", value in "[ -~\r\n]{0,16}") {
        let heads = [
            plain_head(&[&format!("GET /{line}#CANARY{value} HTTP/1.1"), "Host: a"]),
            plain_head(&["GET / HTTP/1.1", &format!("Host: CANARY/{value}")]),
            plain_head(&["POST / HTTP/1.1", "Host: a", &format!("Content-Length: CANARY{value}")]),
            plain_head(&["GET / HTTP/1.1", "Host: a", &format!("CANARY {line}: {value}")]),
        ];
        for head in heads {
            let error = reason(&head);
            prop_assert!(error.is_some(), "each of these heads is wrong");
            let refusal = text(head_refusal(error.unwrap_or(HeadError::Malformed)));
            prop_assert!(!refusal.contains("CANARY"));
            let lines = refusal.split("\r\n\r\n").count();
            prop_assert_eq!(lines, 2, "one head, one body");
        }
    }
}
