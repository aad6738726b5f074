//! Breaks the framing of requests: every head that two servers could cut in two places must be refused,
//! with and without an upgrade.

use vestibule_front::{body::RequestFraming, head::Version};

use crate::kit::{plain, plain_head, upgrade_head, verdict};

/// Refused for the same reason whether the request is plain or a handshake.
const DOUBTFUL: &[(&str, &[&str], &str)] = &[
    ("CL.TE", &["Content-Length: 6", "Transfer-Encoding: chunked"], "framing_conflict"),
    ("TE.CL", &["Transfer-Encoding: chunked", "Content-Length: 6"], "framing_conflict"),
    ("CL.0 beside TE", &["Content-Length: 0", "Transfer-Encoding: chunked"], "framing_conflict"),
    (
        "CL beside identity",
        &["Content-Length: 6", "Transfer-Encoding: identity"],
        "framing_conflict",
    ),
    ("CL.CL, different", &["Content-Length: 6", "Content-Length: 7"], "content_length_invalid"),
    ("CL.CL, equal", &["Content-Length: 6", "Content-Length: 6"], "content_length_invalid"),
    ("CL.CL in two cases", &["Content-Length: 6", "content-length: 6"], "content_length_invalid"),
    ("CL as a list", &["Content-Length: 6, 6"], "content_length_invalid"),
    ("CL with a plus", &["Content-Length: +6"], "content_length_invalid"),
    ("CL with a minus", &["Content-Length: -6"], "content_length_invalid"),
    ("CL in hexadecimal", &["Content-Length: 0x6"], "content_length_invalid"),
    ("CL with a point", &["Content-Length: 6.0"], "content_length_invalid"),
    ("CL with a space", &["Content-Length: 1 6"], "content_length_invalid"),
    ("CL with an underscore", &["Content-Length: 1_6"], "content_length_invalid"),
    ("CL empty", &["Content-Length:"], "content_length_invalid"),
    ("CL of 65 bits", &["Content-Length: 18446744073709551616"], "content_length_invalid"),
    ("CL quoted", &["Content-Length: \"6\""], "content_length_invalid"),
    (
        "TE.TE",
        &["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
        "transfer_encoding_invalid",
    ),
    (
        "TE.TE, second unknown",
        &["Transfer-Encoding: chunked", "Transfer-Encoding: x"],
        "transfer_encoding_invalid",
    ),
    ("TE chunked twice", &["Transfer-Encoding: chunked, chunked"], "transfer_encoding_invalid"),
    ("TE gzip, chunked", &["Transfer-Encoding: gzip, chunked"], "transfer_encoding_invalid"),
    (
        "TE chunked, identity",
        &["Transfer-Encoding: chunked, identity"],
        "transfer_encoding_invalid",
    ),
    ("TE identity", &["Transfer-Encoding: identity"], "transfer_encoding_invalid"),
    ("TE xchunked", &["Transfer-Encoding: xchunked"], "transfer_encoding_invalid"),
    ("TE quoted", &["Transfer-Encoding: \"chunked\""], "transfer_encoding_invalid"),
    ("TE with a parameter", &["Transfer-Encoding: chunked;q=1"], "transfer_encoding_invalid"),
    ("TE with a comma", &["Transfer-Encoding: chunked,"], "transfer_encoding_invalid"),
    ("TE empty", &["Transfer-Encoding:"], "transfer_encoding_invalid"),
    ("TE beyond ASCII", &["Transfer-Encoding: chun\u{212a}ed"], "transfer_encoding_invalid"),
];

#[test]
fn a09_doubtful_framing_is_refused_with_and_without_an_upgrade() {
    for (why, lines, code) in DOUBTFUL {
        let post = [&["POST / HTTP/1.1", "Host: a"][..], lines].concat();
        let get = [&["GET / HTTP/1.1", "Host: a"][..], lines].concat();
        assert_eq!(verdict(&plain_head(&post)), *code, "{why}, plain");
        assert_eq!(verdict(&upgrade_head(&get)), *code, "{why}, upgrade");
    }
}

#[test]
fn a09_transfer_encoding_in_http_1_0_is_refused() {
    let lines = ["POST / HTTP/1.0", "Host: a", "Transfer-Encoding: chunked"];
    assert_eq!(verdict(&plain_head(&lines)), "transfer_encoding_invalid");
}

#[test]
fn a09_framing_twins_with_underscores_frame_nothing() {
    let twin =
        plain(&["POST / HTTP/1.1", "Host: a", "Content_Length: 5", "Transfer_Encoding: chunked"]);
    assert_eq!(twin.framing, RequestFraming::None);
    assert!(twin.fields.keys().all(|name| !name.as_str().contains('_')));
}

#[test]
fn a03_a_handshake_with_any_body_framing_is_refused() {
    for framing in ["Content-Length: 0", "Content-Length: 5", "Transfer-Encoding: chunked"] {
        let get = ["GET / HTTP/1.1", "Host: a", framing];
        assert_eq!(verdict(&upgrade_head(&get)), "handshake_body", "{framing}");
    }
    let expect = ["GET / HTTP/1.1", "Host: a", "Expect: 100-continue"];
    assert_eq!(verdict(&upgrade_head(&expect)), "handshake_expectation");
}

#[test]
fn sound_framing_is_read_and_taken_out_of_the_fields() {
    let rows = [
        ("", RequestFraming::None),
        ("Content-Length: 0", RequestFraming::Length(0)),
        ("Content-Length: 42", RequestFraming::Length(42)),
        ("CONTENT-LENGTH: 18446744073709551615", RequestFraming::Length(u64::MAX)),
        ("Transfer-Encoding: chunked", RequestFraming::Chunked),
        ("transfer-encoding: Chunked", RequestFraming::Chunked),
    ];
    for (line, framing) in rows {
        let lines: Vec<&str> = ["POST / HTTP/1.1", "Host: a", line]
            .into_iter()
            .filter(|line| !line.is_empty())
            .collect();
        let request = plain(&lines);
        assert_eq!(request.framing, framing, "{line}");
        assert!(
            !request.fields.contains_key("content-length")
                && !request.fields.contains_key("transfer-encoding")
        );
    }
}

#[test]
fn a14_only_one_expectation_is_known_and_it_is_never_sent_on() {
    let rows = [
        (&["Expect: 100-continue", "Content-Length: 5"][..], Some(true)),
        (&["expect: 100-Continue", "Transfer-Encoding: chunked"], Some(true)),
        (&["Expect: 100-continue", "Content-Length: 0"], Some(false)),
        (&["Expect: 100-continue"], Some(false)),
        (&["Content-Length: 5"], Some(false)),
        (&["Expect: 200-ok", "Content-Length: 5"], None),
        (&["Expect: 100-continue, x", "Content-Length: 5"], None),
        (&["Expect: 100-continue", "Expect: 100-continue", "Content-Length: 5"], None),
        (&["Expect:", "Content-Length: 5"], None),
    ];
    for (extra, expected) in rows {
        let lines = [&["POST / HTTP/1.1", "Host: a"][..], extra].concat();
        match expected {
            None => assert_eq!(verdict(&plain_head(&lines)), "expectation_failed", "{extra:?}"),
            Some(waits) => {
                let request = plain(&lines);
                assert_eq!(request.expects_continue, waits, "{extra:?}");
                assert!(!request.fields.contains_key("expect"));
            }
        }
    }
    let old = plain(&["POST / HTTP/1.0", "Host: a", "Expect: 100-continue", "Content-Length: 5"]);
    assert!(!old.expects_continue, "an expectation of HTTP/1.0 is ignored");
}

#[test]
fn a_connection_is_kept_as_the_version_and_the_client_say() {
    let rows = [
        (&["GET / HTTP/1.1", "Host: a"][..], true),
        (&["GET / HTTP/1.1", "Host: a", "Connection: close"], false),
        (&["GET / HTTP/1.1", "Host: a", "Connection: keep-alive, Close"], false),
        (&["GET / HTTP/1.0"], false),
        (&["GET / HTTP/1.0", "Connection: Keep-Alive"], true),
        (&["GET / HTTP/1.0", "Connection: keep-alive", "Connection: close"], false),
    ];
    for (lines, kept) in rows {
        assert_eq!(plain(lines).keep_alive, kept, "{lines:?}");
    }
    assert_eq!(plain(&["GET / HTTP/1.0"]).version, Version::Http10);
}
