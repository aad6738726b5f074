//! Breaks the reader of heads: with every cut of the input, with bytes of no protocol, with heads that do not end.

use proptest::prelude::*;
use vestibule_front::head::{HeadError, HeadLimits, HeadReader, Version};

use crate::kit::{plain_head, read, reader, verdict};

const HEAD: &[u8] =
    b"GET /chat?room=1 HTTP/1.1\r\nHost: a.test\r\nX-Empty:\r\nCookie:  a=b \r\n\r\n";

#[test]
fn a_head_keeps_its_exact_bytes_and_gives_its_parts() {
    let head = read(HEAD).unwrap();
    assert_eq!(head.as_bytes(), HEAD);
    assert_eq!(
        (head.method(), head.target(), head.version()),
        ("GET", "/chat?room=1", Version::Http11)
    );
    let fields: Vec<_> = head.fields().collect();
    assert_eq!(fields, [("Host", &b"a.test"[..]), ("X-Empty", b""), ("Cookie", b"a=b")]);
    assert_eq!(head.values("COOKIE").collect::<Vec<_>>(), [b"a=b"]);
}

#[test]
fn a18_byte_by_byte_reads_the_same_and_looks_at_each_byte_once() {
    let mut bytewise = HeadReader::new(HeadLimits::default());
    for (at, byte) in HEAD.iter().enumerate() {
        assert!(bytewise.take_head().unwrap().is_none(), "whole before byte {at}");
        bytewise.feed(&[*byte]);
    }
    assert_eq!(bytewise.take_head().unwrap().unwrap().as_bytes(), HEAD);
    assert_eq!(bytewise.scanned(), HEAD.len() as u64);
    assert!(bytewise.is_empty());
}

#[test]
fn what_follows_a_head_stays_until_it_is_taken() {
    let mut pipelined = reader(&[HEAD, HEAD, b"rest"].concat());
    assert!(pipelined.take_head().unwrap().is_some());
    assert!(pipelined.pending().starts_with(HEAD));
    assert!(pipelined.take_head().unwrap().is_some());
    assert_eq!(pipelined.pending(), b"rest");
    assert!(!pipelined.is_empty());
    assert_eq!(pipelined.take_pending(), b"rest");
    assert!(pipelined.is_empty());
    pipelined.feed(HEAD);
    assert!(
        pipelined.take_head().unwrap().is_some(),
        "the reader goes on after its bytes were taken"
    );
    assert_eq!(pipelined.scanned(), 3 * HEAD.len() as u64, "bytes of a body are never scanned");
}

#[test]
fn one_empty_line_before_a_request_line_is_skipped_and_two_are_refused() {
    let mut once = reader(b"\r\n");
    assert!(once.take_head().unwrap().is_none());
    assert!(once.is_empty(), "the empty line some clients send behind a body is nothing");
    once.feed(HEAD);
    assert_eq!(once.take_head().unwrap().unwrap().as_bytes(), HEAD);
    let mut pipelined = reader(&[b"\r\n", HEAD, b"\r\n", HEAD].concat());
    for _ in 0..2 {
        assert_eq!(pipelined.take_head().unwrap().unwrap().as_bytes(), HEAD);
    }
    assert_eq!(
        reader(b"\r\n\r\nGET / HTTP/1.1\r\n").take_head().unwrap_err(),
        HeadError::Malformed
    );
}

#[test]
fn a10_line_and_name_tricks_are_refused() {
    let rows: &[(&str, &[u8], &str)] = &[
        ("bare LF everywhere", b"GET / HTTP/1.1\nHost: a\n\n", "bare_lf"),
        ("bare LF in one field", b"GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", "bare_lf"),
        ("bare LF as the empty line", b"GET / HTTP/1.1\r\nHost: a\r\n\n", "bare_lf"),
        ("LF before anything", b"\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "bare_lf"),
        ("bare CR in a value", b"GET / HTTP/1.1\r\nHost: a\rX: y\r\n\r\n", "bare_cr"),
        ("two CR", b"GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", "bare_cr"),
        ("folded value", b"GET / HTTP/1.1\r\nHost: a\r\n X: y\r\n\r\n", "folded_line"),
        ("folded with a tab", b"GET / HTTP/1.1\r\nHost: a\r\n\tX: y\r\n\r\n", "folded_line"),
        ("folded first field", b"GET / HTTP/1.1\r\n Host: a\r\n\r\n", "folded_line"),
        ("space before the method", b" GET / HTTP/1.1\r\nHost: a\r\n\r\n", "malformed_head"),
        ("space before the colon", b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", "malformed_head"),
        ("tab before the colon", b"GET / HTTP/1.1\r\nHost\t: a\r\n\r\n", "malformed_head"),
        ("space in a name", b"GET / HTTP/1.1\r\nHost: a\r\nX Y: z\r\n\r\n", "malformed_head"),
        ("empty name", b"GET / HTTP/1.1\r\nHost: a\r\n: z\r\n\r\n", "malformed_head"),
        ("no colon", b"GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n", "malformed_head"),
        (
            "name beyond ASCII",
            b"GET / HTTP/1.1\r\nHost: a\r\nX\xc3\xa4: z\r\n\r\n",
            "malformed_head",
        ),
        ("parenthesis in a name", b"GET / HTTP/1.1\r\nHost: a\r\nX(): z\r\n\r\n", "malformed_head"),
        ("NUL in a value", b"GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n", "control_byte"),
        ("NUL in a name", b"GET / HTTP/1.1\r\nHo\0st: a\r\n\r\n", "control_byte"),
        ("ESC in a value", b"GET / HTTP/1.1\r\nHost: a\r\nX: \x1b[31m\r\n\r\n", "control_byte"),
        ("DEL in a value", b"GET / HTTP/1.1\r\nHost: a\r\nX: \x7f\r\n\r\n", "control_byte"),
        (
            "vertical tab before a value",
            b"GET / HTTP/1.1\r\nTransfer-Encoding:\x0bchunked\r\n\r\n",
            "control_byte",
        ),
        ("two spaces before the version", b"GET /  HTTP/1.1\r\nHost: a\r\n\r\n", "http_version"),
        ("two spaces before the target", b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "malformed_head"),
        ("tab in the request line", b"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", "malformed_head"),
        ("space behind the version", b"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", "malformed_head"),
        ("no version", b"GET /\r\nHost: a\r\n\r\n", "malformed_head"),
        ("version 1.2", b"GET / HTTP/1.2\r\nHost: a\r\n\r\n", "http_version"),
        ("version 2.0", b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", "http_version"),
        ("version in lower case", b"GET / http/1.1\r\nHost: a\r\n\r\n", "http_version"),
        ("another protocol", b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "malformed_head"),
        ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "tls_on_plain_port"),
        ("HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "http2_not_served"),
    ];
    for (why, bytes, code) in rows {
        assert_eq!(verdict(bytes), *code, "{why}");
    }
}

#[test]
fn control_bytes_are_refused_without_waiting_for_the_end() {
    for (bytes, error) in [
        (&b"\x16"[..], HeadError::Tls),
        (b"GET / HTTP/1.1\n", HeadError::BareLf),
        (b"GET /\0", HeadError::ControlByte),
    ] {
        let mut early = reader(bytes);
        assert_eq!(early.take_head().unwrap_err(), error);
        early.feed(b"\r\n\r\n");
        assert_eq!(early.take_head().unwrap_err(), error, "an error stays");
    }
    let mut malformed = reader(b"GET / HTTP/1.1\r\nX\r\n\r\n");
    assert_eq!(malformed.take_head().unwrap_err(), HeadError::Malformed);
    malformed.feed(HEAD);
    assert_eq!(
        malformed.take_head().unwrap_err(),
        HeadError::Malformed,
        "no head is read behind a malformed one"
    );
}

#[test]
fn a10_nothing_but_a_line_feed_may_follow_a_carriage_return() {
    for byte in (0..=u8::MAX).filter(|&byte| byte != b'\n') {
        assert_eq!(
            reader(&[b'G', b'\r', byte]).take_head().unwrap_err(),
            HeadError::BareCr,
            "{byte:#x}"
        );
    }
}

#[test]
fn a18_limits_hold_to_the_byte() {
    let limits = HeadLimits { bytes_max: 64, fields_max: 2, target_max: 10 };
    let judge = |bytes: &[u8]| {
        let mut reader = HeadReader::new(limits);
        reader.feed(bytes);
        reader.take_head().map(|head| head.map(|head| head.as_bytes().len()))
    };
    let exact = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "a".repeat(41));
    assert_eq!(exact.len(), 64);
    assert_eq!(judge(exact.as_bytes()), Ok(Some(64)));
    let beyond = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "a".repeat(42));
    assert_eq!(judge(beyond.as_bytes()), Err(HeadError::TooLarge));
    assert_eq!(judge(&beyond.as_bytes()[..64]), Err(HeadError::TooLarge), "before the end arrives");
    assert_eq!(judge(&beyond.as_bytes()[..63]), Ok(None));
    assert_eq!(judge(b"GET / HTTP/1.1\r\nA: 1\r\nB: 2\r\n\r\n"), Ok(Some(30)));
    assert_eq!(judge(b"GET / HTTP/1.1\r\nA: 1\r\nB: 2\r\nC: 3\r\n"), Err(HeadError::TooManyFields));
    assert_eq!(judge(b"GET /234567890 HTTP/1.1\r\n\r\n"), Ok(Some(27)));
    assert_eq!(judge(b"GET /2345678901 HTTP/1.1\r\n\r\n"), Err(HeadError::TargetTooLong));
    assert_eq!(judge(&[b'A'; 64]), Err(HeadError::TargetTooLong), "a request line without end");
    assert_eq!(judge(b"\r\n"), Ok(None));
    assert_eq!(
        judge(format!("\r\n{exact}").as_bytes()),
        Ok(Some(64)),
        "a skipped line is not counted"
    );
}

#[test]
fn the_default_limits_are_the_documented_ones() {
    let many = |count: usize| {
        let mut lines = vec!["GET / HTTP/1.1", "Host: a"];
        lines.resize(count + 1, "X: y");
        verdict(&plain_head(&lines))
    };
    assert_eq!((many(100), many(101)), ("plain", "too_many_fields"));
    let target = |length: usize| {
        verdict(&plain_head(&[&format!("GET /{} HTTP/1.1", "a".repeat(length - 1)), "Host: a"]))
    };
    assert_eq!((target(8192), target(8193)), ("plain", "target_too_long"));
    let big = format!("X: {}", "a".repeat(32 * 1024));
    assert_eq!(verdict(&plain_head(&["GET / HTTP/1.1", "Host: a", &big])), "head_too_large");
}

/// Bytes that look like heads often enough to reach every branch.
fn head_like() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"GET / HTTP/1.1\r\n".to_vec()),
        Just(b"Host: a\r\n".to_vec()),
        Just(b"Connection: Upgrade\r\nUpgrade: websocket\r\n".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"Content-Length: 3\r\n".to_vec()),
        Just(b"Sec-WebSocket-Extensions: a; b=\"c\"\r\n".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..12),
        "[ -~]{0,20}(\r\n)?".prop_map(String::into_bytes),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// Everything a reader says about these pieces: each head's bytes, then an error or what is left.
fn outcome(pieces: &[&[u8]]) -> (Vec<Vec<u8>>, Result<Vec<u8>, HeadError>) {
    let mut reader = HeadReader::new(HeadLimits::default());
    let mut heads = Vec::new();
    for piece in pieces {
        reader.feed(piece);
        loop {
            match reader.take_head() {
                Ok(Some(head)) => heads.push(head.as_bytes().to_vec()),
                Ok(None) => break,
                Err(error) => return (heads, Err(error)),
            }
        }
    }
    (heads, Ok(reader.take_pending()))
}

proptest! {
    #[test]
    fn any_cut_of_the_input_gives_the_same_heads(bytes in head_like(), cut in any::<prop::sample::Index>(), size in 1usize..9) {
        let whole = outcome(&[&bytes]);
        let (left, right) = bytes.split_at(cut.index(bytes.len() + 1));
        prop_assert_eq!(&whole, &outcome(&[left, right]));
        prop_assert_eq!(&whole, &outcome(&bytes.chunks(size).collect::<Vec<_>>()));
    }

    #[test]
    fn no_bytes_make_the_door_panic(bytes in head_like(), noise in proptest::collection::vec(any::<u8>(), 0..200)) {
        for input in [&bytes, &noise] {
            if let Ok(Some(_)) = reader(input).take_head() {
                verdict(input);
            }
        }
    }
}
