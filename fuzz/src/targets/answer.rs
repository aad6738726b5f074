//! The reader of an upstream's answer, and the check of a 101.
//!
//! Input: a handshake and the answer to it; without a handshake the answer is to a usual one.
//! `{accept}` stands for the value that proves that the answer is meant. Holds: any cut gives the
//! same answer; nothing is a verified 101 unless a naive reading of both sides says so; what is
//! relayed is one head that two readers read alike, and verified or relayed again it is the same.

use base64::{Engine, engine::general_purpose::STANDARD};
use sha1::{Digest, Sha1};
use vestibule_front::body::Framing;
use vestibule_front::head::forwarded::Trust;
use vestibule_front::head::policy::{PolicyContext, Request, judge};
use vestibule_front::head::upgrade::{Answer, AnswerError, AnswerReader, Verdict, verify};
use vestibule_front::head::{Handshake, HeadLimits, HeadReader};

use crate::cuts;
use crate::field_lines::{self, Fields, elements, values};

/// The one behind answers that come without; the key is the example of RFC 6455 section 1.3.
const USUAL: &[u8] = b"GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: chat, superchat\r\n\
    Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n";
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// See the module's lines.
pub fn answer(input: &[u8]) {
    let asked: &[u8] = if input.starts_with(b"GET ") { b"" } else { USUAL };
    let Some((asked, answered)) = handshake(&[asked, input].concat()) else { return };
    let answered = with_accept(&answered, asked.expected_accept());
    let (whole, behind) = read(&[&answered]);
    for pieces in cuts::of(&answered) {
        let (other, other_behind) = read(&pieces);
        assert_eq!(shown(&other), shown(&whole));
        assert_eq!(other_behind, behind);
    }
    let Ok(Some(answer)) = whole else { return };
    assert!(answered.ends_with(&behind), "what follows the answer is kept");
    let raw = final_head(&answered[..answered.len() - behind.len()]);
    match verify(&asked, answer) {
        Ok(verified) => assert_verified(&asked, &raw, verified.relayed_head()),
        Err(Verdict::NotSwitching(answer)) => {
            assert!(answer.status() >= 200, "{}", answer.status());
            assert_relayed(&answer);
        }
        Err(Verdict::Defect(_)) => assert!(raw.0.contains(" 101"), "{}", raw.0),
    }
}

type Reading = Result<Option<Answer>, AnswerError>;

fn handshake(input: &[u8]) -> Option<(Handshake, Vec<u8>)> {
    let mut reader = HeadReader::new(HeadLimits::default());
    reader.feed(input);
    let head = reader.take_head().ok().flatten()?;
    let context = PolicyContext { peer: None, trust: &Trust::Nobody };
    match judge(&head, &context) {
        Ok(Request::Handshake(handshake)) => Some((handshake, reader.take_pending())),
        _ => None,
    }
}

fn with_accept(answer: &[u8], accept: &[u8]) -> Vec<u8> {
    const MARK: &[u8] = b"{accept}";
    let mark = answer.windows(MARK.len()).position(|window| window == MARK);
    match mark {
        Some(at) => [&answer[..at], accept, &answer[at + MARK.len()..]].concat(),
        None => answer.to_vec(),
    }
}

fn read(pieces: &[&[u8]]) -> (Reading, Vec<u8>) {
    let mut reader = AnswerReader::new();
    for (at, piece) in pieces.iter().enumerate() {
        reader.feed(piece);
        match reader.take_answer() {
            Ok(None) => {}
            Ok(Some(answer)) => {
                let unread = pieces[at + 1..].concat();
                return (Ok(Some(answer)), [reader.take_pending(), unread].concat());
            }
            Err(error) => {
                assert_eq!(reader.take_answer().err(), Some(error), "an error is for ever");
                return (Err(error), Vec::new());
            }
        }
    }
    (Ok(None), Vec::new())
}

fn shown(reading: &Reading) -> Result<Option<(u16, Fields)>, AnswerError> {
    let fields = |answer: &Answer| {
        answer.fields().map(|(name, value)| (name.to_owned(), value.to_vec())).collect()
    };
    reading
        .as_ref()
        .map(|answer| answer.as_ref().map(|answer| (answer.status(), fields(answer))))
        .map_err(|error| *error)
}

/// The last of some heads: interim answers come before it.
fn final_head(heads: &[u8]) -> (String, Fields) {
    let mut rest = heads;
    while let Some(end) = rest.windows(4).position(|window| window == b"\r\n\r\n") {
        if end + 4 == rest.len() {
            break;
        }
        rest = &rest[end + 4..];
    }
    field_lines::read(rest)
}

/// RFC 6455 section 4.1, the client's rules for an answer, with both heads at hand.
fn assert_verified(asked: &Handshake, (first, fields): &(String, Fields), relayed: Vec<u8>) {
    assert!(first.starts_with("HTTP/1.1 101"), "{first}");
    let (_, offer) = field_lines::read(asked.outbound());
    let key = values(&offer, "sec-websocket-key").concat();
    let digest = Sha1::digest([&key, GUID.as_bytes()].concat());
    assert_eq!(values(fields, "sec-websocket-accept"), [STANDARD.encode(digest).as_bytes()]);
    let upgrade = values(fields, "upgrade");
    assert!(upgrade.len() == 1 && upgrade[0].eq_ignore_ascii_case(b"websocket"));
    let options = elements(fields, "connection");
    assert!(options.iter().any(|option| option.eq_ignore_ascii_case("upgrade")), "{options:?}");
    for name in ["content-length", "transfer-encoding"] {
        assert!(values(fields, name).is_empty(), "a 101 has no body");
    }
    let selected = values(fields, "sec-websocket-protocol");
    assert!(selected.len() <= 1);
    for name in selected {
        let offered = elements(&offer, "sec-websocket-protocol");
        assert!(offered.iter().any(|offered| offered.as_bytes() == name), "not offered: {name:?}");
    }
    let offered = extensions(&offer);
    for name in extensions(fields) {
        assert!(offered.contains(&name), "not offered: {name}");
    }

    let (_, sent) = field_lines::read(&relayed);
    field_lines::assert_end_to_end(&sent, &[b"Upgrade"], &[b"websocket"]);
    for name in ["sec-websocket-accept", "sec-websocket-protocol", "sec-websocket-extensions"] {
        assert_eq!(values(&sent, name), values(fields, name), "the client sees the same {name}");
    }
    let (again, _) = read(&[&relayed]);
    let again = again.ok().flatten().and_then(|answer| verify(asked, answer).ok());
    assert_eq!(again.map(|again| again.relayed_head()), Some(relayed));
}

/// Names only; a quoted comma makes more elements, none of which is a name that was offered.
fn extensions(fields: &Fields) -> Vec<String> {
    let elements = elements(fields, "sec-websocket-extensions");
    let name = |element: String| element.split(';').next().map(|name| name.trim().to_owned());
    elements.into_iter().filter_map(name).filter(|name| !name.is_empty()).collect()
}

/// An answer that is no 101, as the client gets it.
fn assert_relayed(answer: &Answer) {
    for close in [false, true] {
        let Ok((head, framing)) = answer.relayed_head(close) else { continue };
        let (_, fields) = field_lines::read(&head);
        let lengths = values(&fields, "content-length");
        let codings = values(&fields, "transfer-encoding");
        match framing {
            Framing::Length(length) => {
                assert_eq!(lengths, [length.to_string().as_bytes()]);
                assert!(codings.is_empty());
            }
            Framing::Chunked => {
                assert!(lengths.is_empty());
                assert_eq!(codings, [b"chunked"]);
            }
            Framing::None | Framing::UntilEof => assert!(lengths.is_empty() && codings.is_empty()),
        }
        let options = elements(&fields, "connection");
        let closes = options.iter().any(|option| option == "close");
        assert_eq!(closes, close || framing == Framing::UntilEof, "{options:?}");
        // Ours may be one field too many for our own reader; a client has bounds of its own.
        if fields.len() > HeadLimits::default().fields_max {
            continue;
        }
        let (again, _) = read(&[&head]);
        let again = again.ok().flatten().and_then(|again| again.relayed_head(close).ok());
        assert_eq!(again, Some((head, framing)), "relayed again it is the same");
    }
}
