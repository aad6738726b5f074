//! Breaks handshakes, one rule at a time, and looks at every byte that would go upstream.

use proptest::prelude::*;
use vestibule_front::head::policy::Request;

use crate::kit::{
    ACCEPT, KEY, handshake, handshake_for, judge_bytes, outbound_fields, plain, plain_head,
    upgrade_head, values, verdict,
};

/// A whole handshake from its four own fields; an empty one is left out.
fn with_fields(line: &str, fields: [&str; 4]) -> &'static str {
    let fields = fields.into_iter().filter(|field| !field.is_empty());
    let lines: Vec<&str> = [line, "Host: a"].into_iter().chain(fields).collect();
    verdict(&plain_head(&lines))
}

const GET: &str = "GET /chat HTTP/1.1";
const UPGRADE: &str = "Upgrade: websocket";
const CONNECTION: &str = "Connection: Upgrade";
const VERSION: &str = "Sec-WebSocket-Version: 13";
const SAMPLE_KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";

/// A handshake in its request line and its four own fields, and the verdict.
const PARTS: &[(&str, &str, [&str; 4], &str)] = &[
    ("the sample of the RFC", GET, [UPGRADE, CONNECTION, VERSION, SAMPLE_KEY], "handshake"),
    (
        "any case",
        GET,
        ["upgrade: WebSocket", "CONNECTION: keep-alive, UPGRADE", VERSION, SAMPLE_KEY],
        "handshake",
    ),
    ("POST", "POST /chat HTTP/1.1", [UPGRADE, CONNECTION, VERSION, SAMPLE_KEY], "handshake_method"),
    ("get", "get /chat HTTP/1.1", [UPGRADE, CONNECTION, VERSION, SAMPLE_KEY], "handshake_method"),
    (
        "HTTP/1.0",
        "GET /chat HTTP/1.0",
        [UPGRADE, CONNECTION, VERSION, SAMPLE_KEY],
        "handshake_http_version",
    ),
    (
        "version 8",
        GET,
        [UPGRADE, CONNECTION, "Sec-WebSocket-Version: 8", SAMPLE_KEY],
        "websocket_version",
    ),
    (
        "version list",
        GET,
        [UPGRADE, CONNECTION, "Sec-WebSocket-Version: 13, 8", SAMPLE_KEY],
        "websocket_version",
    ),
    (
        "version 013",
        GET,
        [UPGRADE, CONNECTION, "Sec-WebSocket-Version: 013", SAMPLE_KEY],
        "websocket_version",
    ),
    ("no version", GET, [UPGRADE, CONNECTION, "", SAMPLE_KEY], "websocket_version"),
    ("no key", GET, [UPGRADE, CONNECTION, VERSION, ""], "websocket_key"),
    ("empty key", GET, [UPGRADE, CONNECTION, VERSION, "Sec-WebSocket-Key:"], "websocket_key"),
    (
        "short key",
        GET,
        [UPGRADE, CONNECTION, VERSION, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j"],
        "websocket_key",
    ),
    (
        "long key",
        GET,
        [UPGRADE, CONNECTION, VERSION, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZTEyMw=="],
        "websocket_key",
    ),
    (
        "17 bytes",
        GET,
        [UPGRADE, CONNECTION, VERSION, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZTE="],
        "websocket_key",
    ),
    (
        "18 bytes",
        GET,
        [UPGRADE, CONNECTION, VERSION, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZTEy"],
        "websocket_key",
    ),
    (
        "no padding",
        GET,
        [UPGRADE, CONNECTION, VERSION, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ"],
        "websocket_key",
    ),
    (
        "stray bits",
        GET,
        [UPGRADE, CONNECTION, VERSION, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR=="],
        "websocket_key",
    ),
    (
        "not base64",
        GET,
        [UPGRADE, CONNECTION, VERSION, "Sec-WebSocket-Key: !GhlIHNhbXBsZSBub25jZQ=="],
        "websocket_key",
    ),
    (
        "url-safe",
        GET,
        [UPGRADE, CONNECTION, VERSION, "Sec-WebSocket-Key: -_hlIHNhbXBsZSBub25jZQ=="],
        "websocket_key",
    ),
];

#[test]
fn a06_a_handshake_is_valid_in_every_part_or_refused() {
    for (why, line, fields, expected) in PARTS {
        assert_eq!(with_fields(line, *fields), *expected, "{why}");
    }
    let twice = |field: &str| verdict(&upgrade_head(&[GET, "Host: a", field]));
    assert_eq!(twice(SAMPLE_KEY), "websocket_key");
    assert_eq!(twice(VERSION), "websocket_version");
}

#[test]
fn a05_only_the_single_token_websocket_is_an_upgrade() {
    let rows = [
        (UPGRADE, CONNECTION, "handshake"),
        ("Upgrade: websocket, h2c", CONNECTION, "upgrade_list"),
        ("Upgrade: h2c, websocket", CONNECTION, "upgrade_list"),
        ("Upgrade: websocket,", CONNECTION, "upgrade_list"),
        ("Upgrade: websocket, websocket", CONNECTION, "upgrade_list"),
        ("Upgrade: websocket\r\nUpgrade: websocket", CONNECTION, "upgrade_list"),
        ("Upgrade: websocket\r\nUpgrade: h2c", CONNECTION, "upgrade_list"),
        ("Upgrade: h2c", CONNECTION, "plain"),
        (
            "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__",
            "Connection: Upgrade, HTTP2-Settings",
            "plain",
        ),
        ("Upgrade: TLS/1.0", CONNECTION, "plain"),
        ("Upgrade: websocket2", CONNECTION, "plain"),
        ("Upgrade: websocket/13", CONNECTION, "plain"),
        ("Upgrade:", CONNECTION, "plain"),
        ("", CONNECTION, "plain"),
        (UPGRADE, "Connection: keep-alive", "plain"),
        (UPGRADE, "Connection: upgraded", "plain"),
        (UPGRADE, "", "plain"),
    ];
    for (upgrade, connection, expected) in rows {
        assert_eq!(
            with_fields(GET, [upgrade, connection, VERSION, SAMPLE_KEY]),
            expected,
            "{upgrade} / {connection}"
        );
    }
}

#[test]
fn a05_tokens_that_are_no_upgrade_are_stripped() {
    let lines = [
        "GET / HTTP/1.1",
        "Host: a",
        "Connection: Upgrade, HTTP2-Settings",
        "Upgrade: h2c",
        "HTTP2-Settings: AAMA",
    ];
    let stripped = plain(&lines);
    for name in ["upgrade", "connection", "http2-settings"] {
        assert!(!stripped.fields.contains_key(name), "{name}");
    }
}

#[test]
fn lists_that_the_101_is_held_against_must_be_readable() {
    let rows = [
        ("Sec-WebSocket-Protocol: chat, v2.chat", "handshake"),
        ("Sec-WebSocket-Protocol: base64.binary.k8s.io", "handshake"),
        ("Sec-WebSocket-Protocol: a b", "subprotocol_invalid"),
        ("Sec-WebSocket-Protocol: chat, \"x\"", "subprotocol_invalid"),
        ("Sec-WebSocket-Protocol: chat;v=1", "subprotocol_invalid"),
        ("Sec-WebSocket-Protocol: \u{e4}", "subprotocol_invalid"),
        ("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits", "handshake"),
        ("Sec-WebSocket-Extensions: a; b=\"c\" ; d , e;f = 1", "handshake"),
        ("Sec-WebSocket-Extensions: a b", "extensions_invalid"),
        ("Sec-WebSocket-Extensions: a; ", "extensions_invalid"),
        ("Sec-WebSocket-Extensions: a; b=", "extensions_invalid"),
        ("Sec-WebSocket-Extensions: a; b=\"c", "extensions_invalid"),
        ("Sec-WebSocket-Extensions: a; b=\"c, d\"", "extensions_invalid"),
        ("Sec-WebSocket-Extensions: =a", "extensions_invalid"),
    ];
    for (field, expected) in rows {
        assert_eq!(verdict(&upgrade_head(&[GET, "Host: a", field])), expected, "{field}");
    }
}

#[test]
fn what_the_client_offered_is_found_again() {
    let offer = handshake(&[
        "sec-websocket-protocol: graphql-ws",
        "Sec-WebSocket-Protocol: v1 ,chat",
        "Sec-WebSocket-Extensions: permessage-deflate; x=y, other",
    ]);
    assert_eq!(offer.first_subprotocol(), Some("graphql-ws"));
    assert!(["graphql-ws", "v1", "chat"].iter().all(|name| offer.offers_subprotocol(name)));
    assert!(["Chat", "v", "", "graphql-ws, v1"].iter().all(|name| !offer.offers_subprotocol(name)));
    assert!(offer.offers_extension("permessage-deflate") && offer.offers_extension("other"));
    assert!(["x", "y", "", "permessage"].iter().all(|name| !offer.offers_extension(name)));
    let none = handshake(&[]);
    assert_eq!(
        (none.first_subprotocol(), none.offers_extension("permessage-deflate")),
        (None, false)
    );
}

#[test]
fn the_outbound_head_is_ours_where_it_matters_and_the_clients_elsewhere() {
    let sent = handshake_for(
        "http://a.test/chat?t=1",
        &[
            "X-First: 1",
            "Keep-Alive: timeout=5",
            "TE: trailers",
            "Proxy-Authorization: Basic eA==",
            "Proxy-Connection: keep-alive",
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
            "cOOkie: a=b",
            "Trailer: X-Sum",
            "Under_Score: x",
        ],
    );
    let expected = format!(
        "GET /chat?t=1 HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-First: 1\r\n\
         cOOkie: a=b\r\nTrailer: X-Sum\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\
         X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: a.test\r\n\r\n"
    );
    assert_eq!(String::from_utf8_lossy(sent.outbound()), expected);
    assert_eq!(&sent.expected_accept()[..], ACCEPT.as_bytes());
}

const HOP_BY_HOP: [&str; 7] = [
    "keep-alive",
    "te",
    "proxy-connection",
    "proxy-authorization",
    "http2-settings",
    "transfer-encoding",
    "expect",
];

proptest! {
    #[test]
    fn an_accepted_handshake_parses_identically_and_has_no_hop_by_hop_field(
        fields in proptest::collection::vec(("[A-Za-z0-9!#$%&'*+.^_`|~-]{1,12}", "[ -~\t\u{e4}]{0,24}"), 0..8),
        hop in proptest::sample::select(&HOP_BY_HOP[..5]),
    ) {
        let lines: Vec<String> = fields.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        let hop_line = format!("{}: x", hop.to_uppercase());
        let mut all = vec![GET, "Host: a", &hop_line];
        all.extend(lines.iter().map(String::as_str));
        let Ok(Request::Handshake(accepted)) = judge_bytes(&upgrade_head(&all)) else { return Ok(()) };
        let sent = outbound_fields(accepted.outbound());
        prop_assert!(sent.iter().all(|(name, _)| !HOP_BY_HOP.contains(&name.as_str()) && !name.contains('_')));
        prop_assert_eq!(values(&sent, "connection"), ["Upgrade"]);
        prop_assert_eq!(values(&sent, "upgrade"), ["websocket"]);
        prop_assert_eq!(values(&sent, "host"), ["a"]);
        let again = judge_bytes(accepted.outbound()).map_err(|error| TestCaseError::fail(error.code()))?;
        let Request::Handshake(again) = again else { return Err(TestCaseError::fail("read as plain")) };
        prop_assert_eq!(again.outbound(), accepted.outbound(), "a second door reads the same");
    }
}
