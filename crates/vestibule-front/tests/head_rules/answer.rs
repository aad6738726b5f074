//! Breaks the check of the 101: answers with one defect each, strangers' 101s, floods of interim answers.

use proptest::prelude::*;
use vestibule_front::head::{
    Handshake,
    upgrade::{Answer, AnswerError, AnswerReader, Verdict, verify},
};

use crate::kit::{ACCEPT, handshake};

const VALID: [&str; 4] = [
    "HTTP/1.1 101 Switching Protocols",
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
];

pub(crate) fn read(bytes: &[u8]) -> Result<Option<Answer>, AnswerError> {
    let mut reader = AnswerReader::new();
    reader.feed(bytes);
    reader.take_answer()
}

fn offer() -> Handshake {
    handshake(&[
        "Sec-WebSocket-Protocol: chat, v2",
        "Sec-WebSocket-Extensions: permessage-deflate; x",
    ])
}

fn bytes_of(lines: &[&str]) -> Vec<u8> {
    format!("{}\r\n\r\n", lines.join("\r\n")).into_bytes()
}

/// `verified`, `answer` for an ordinary one, or the code of the defect.
fn verdict(lines: &[&str]) -> &'static str {
    match read(&bytes_of(lines)) {
        Ok(Some(answer)) => match verify(&offer(), answer) {
            Ok(_) => "verified",
            Err(Verdict::NotSwitching(_)) => "answer",
            Err(Verdict::Defect(defect)) => defect.code(),
        },
        Ok(None) => "incomplete",
        Err(error) => error.code(),
    }
}

/// The valid answer with one of its four lines replaced, or left out when the row is empty.
fn replaced(at: usize, line: &str) -> &'static str {
    let mut lines = VALID.to_vec();
    lines[at] = line;
    lines.retain(|line| !line.is_empty());
    verdict(&lines)
}

#[test]
fn a02_a_101_with_any_single_defect_is_refused() {
    assert_eq!(verdict(&VALID), "verified");
    let rows = [
        (0, "HTTP/1.0 101 Switching Protocols", "answer_version"),
        (0, "HTTP/1.1 200 OK", "answer"),
        (0, "HTTP/1.1 204 No Content", "answer"),
        (0, "HTTP/1.1 426 Upgrade Required", "answer"),
        (0, "HTTP/1.1 100 Continue", "incomplete"),
        (0, "HTTP/1.1 102 Processing", "incomplete"),
        (0, "HTTP/1.1 099 Odd", "answer_malformed"),
        (0, "HTTP/1.1 1010 Odd", "answer_malformed"),
        (0, "HTTP/2.0 101 Switching Protocols", "answer_malformed"),
        (1, "", "answer_upgrade"),
        (1, "Upgrade: h2c", "answer_upgrade"),
        (1, "Upgrade:", "answer_upgrade"),
        (1, "Upgrade: websocket, h2c", "answer_upgrade"),
        (1, "Upgrade: websocket/13", "answer_upgrade"),
        (1, "Upgrade: websocket\r\nUpgrade: websocket", "answer_upgrade"),
        (2, "", "answer_connection"),
        (2, "Connection: keep-alive", "answer_connection"),
        (2, "Connection: upgraded", "answer_connection"),
        (2, "Connection: Upgrade;", "answer_connection"),
        (2, "Connection: Upgrade, Sec-WebSocket-Accept", "answer_connection"),
        (3, "", "answer_wrong_accept"),
        (3, "Sec-WebSocket-Accept:", "answer_wrong_accept"),
        (3, "Sec-WebSocket-Accept: S3PPLMBITXAQ9KYGZZHZRBK+XOO=", "answer_wrong_accept"),
        (3, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo", "answer_wrong_accept"),
        (3, "Sec-WebSocket-Accept: dGhlIHNhbXBsZSBub25jZQ==", "answer_wrong_accept"),
        (3, "Sec-WebSocket-Accept: Kfh9QIsMVZcl6xEPYxPHzW8SZ8w=", "answer_wrong_accept"),
        (3, "Sec-WebSocket_Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "answer_wrong_accept"),
    ];
    for (at, line, expected) in rows {
        assert_eq!(replaced(at, line), expected, "{line:?} for line {at}");
    }
}

#[test]
fn a02_a_101_with_anything_unasked_is_refused() {
    let many = format!("Sec-WebSocket-Extensions: {}", ["permessage-deflate"; 9].join(", "));
    let rows = [
        ("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "answer_wrong_accept"),
        ("Content-Length: 0", "answer_body_announced"),
        ("Transfer-Encoding: chunked", "answer_body_announced"),
        ("Sec-WebSocket-Protocol: chat", "verified"),
        ("Sec-WebSocket-Protocol: v2", "verified"),
        ("Sec-WebSocket-Protocol: Chat", "answer_subprotocol_not_offered"),
        ("Sec-WebSocket-Protocol: other", "answer_subprotocol_not_offered"),
        ("Sec-WebSocket-Protocol:", "answer_subprotocol_invalid"),
        ("Sec-WebSocket-Protocol: chat, v2", "answer_subprotocol_invalid"),
        (
            "Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: chat",
            "answer_subprotocol_invalid",
        ),
        ("Sec-WebSocket-Extensions: permessage-deflate", "verified"),
        ("Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=10", "verified"),
        ("Sec-WebSocket-Extensions: x-webkit-deflate-frame", "answer_extension_not_offered"),
        ("Sec-WebSocket-Extensions: permessage-deflate, other", "answer_extension_not_offered"),
        (&many, "answer_extensions_invalid"),
        ("Sec-WebSocket-Extensions: permessage-deflate;;", "answer_extensions_invalid"),
        ("X-Other: fine", "verified"),
    ];
    for (line, expected) in rows {
        assert_eq!(verdict(&[&VALID[..], &[line]].concat()), expected, "{line:?}");
    }
}

#[test]
fn a10_answers_are_read_as_strictly_as_requests() {
    let rows: [&[u8]; 8] = [
        b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        b"HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX : a\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n",
        b"\r\nHTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 2x0 OK\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
    ];
    for bytes in rows {
        assert!(
            matches!(read(bytes), Err(AnswerError::Malformed(_))),
            "{}",
            String::from_utf8_lossy(bytes)
        );
    }
}

#[test]
fn a07_interim_answers_are_skipped_within_a_bound() {
    let interim = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n".as_slice();
    let answer = |count: usize| read(&[interim.repeat(count), bytes_of(&VALID)].concat());
    assert_eq!(answer(10).unwrap().unwrap().status(), 101);
    assert_eq!(answer(11).unwrap_err(), AnswerError::TooManyInterim);
    let heavy = format!("HTTP/1.1 103 Early Hints\r\nLink: {}\r\n\r\n", "a".repeat(10_000));
    assert_eq!(
        read(heavy.repeat(4).as_bytes()).unwrap_err(),
        AnswerError::TooLarge,
        "the heads count together"
    );
    let endless = format!("HTTP/1.1 200 OK\r\nX: {}", "a".repeat(32 * 1024));
    assert_eq!(read(endless.as_bytes()).unwrap_err(), AnswerError::TooLarge);
}

#[test]
fn the_relayed_101_is_ours_where_it_matters() {
    let lines =
        ["Date: now", "Keep-Alive: timeout=5", "X-Hop: 1", "Connection: x-hop", "Set-Cookie: a=b"];
    let answer = read(&bytes_of(&[&VALID[..], &lines].concat())).unwrap().unwrap();
    let relayed = verify(&offer(), answer).unwrap().relayed_head();
    let expected = format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: {ACCEPT}\r\nDate: now\r\nSet-Cookie: a=b\r\n\r\n"
    );
    assert_eq!(String::from_utf8(relayed).unwrap(), expected);
}

proptest! {
    #[test]
    fn a07_every_cut_of_an_answer_keeps_the_bytes_behind_it(
        frames in proptest::collection::vec(any::<u8>(), 0..40),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let head = [b"HTTP/1.1 100 Continue\r\n\r\n".to_vec(), bytes_of(&VALID)].concat();
        let bytes = [head.clone(), frames.clone()].concat();
        let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        ends.push(bytes.len());
        ends.sort_unstable();
        let (mut reader, mut start, mut answer) = (AnswerReader::new(), 0, None);
        for end in ends {
            reader.feed(&bytes[start..end]);
            start = end;
            if answer.is_none() {
                answer = reader.take_answer().expect("a valid answer");
                prop_assert_eq!(answer.is_some(), end >= head.len(), "neither early nor late");
            }
        }
        prop_assert!(verify(&offer(), answer.expect("whole by now")).is_ok());
        prop_assert_eq!(reader.take_pending(), frames);
    }

    #[test]
    fn no_bytes_make_the_answer_reader_panic(bytes in "(HTTP/1\\.1 [0-9]{3} [ -~]{0,4}\r\n)?([A-Za-z]{0,4}: ?[ -~]{0,6}(\r\n|\n)){0,4}(\r\n)?") {
        if let Ok(Some(answer)) = read(bytes.as_bytes()) {
            let _ = answer.relayed_head(true);
            let _ = verify(&offer(), answer);
        }
    }
}
