//! The reader of request heads, and the policy.
//!
//! Input: what a client sends, head behind head. Holds: any cut gives the same heads and the same
//! error, each byte looked at once; a head is read alike by httparse and naively, without bare
//! line ends or NUL; so is what the policy lets pass, written anew, and it has no hop-by-hop
//! field and no name with a second spelling; its framing is what the client's lines say; and
//! judged again it is the same.

use std::net::{IpAddr, Ipv4Addr};

use vestibule_front::body::RequestFraming;
use vestibule_front::head::forwarded::Trust;
use vestibule_front::head::policy::{PolicyContext, Request, judge};
use vestibule_front::head::{Handshake, Head, HeadError, HeadLimits, HeadReader, Plain, Version};

use crate::cuts;
use crate::field_lines::{self, Fields, elements, values};

/// What we add to a head must not make it too large to be read again.
const AGAIN: HeadLimits = HeadLimits { bytes_max: 1 << 20, fields_max: 200, target_max: 1 << 20 };
const PEER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

/// See the module's lines.
pub fn head(input: &[u8]) {
    let (heads, end) = read(&[input]);
    for pieces in cuts::of(input) {
        let (other, other_end) = read(&pieces);
        assert_eq!(other_end, end);
        assert!(other.iter().map(Head::as_bytes).eq(heads.iter().map(Head::as_bytes)));
    }
    for head in &heads {
        assert_head(head);
    }
}

/// How the reading of an input ended: an error, or bytes of a next head; and how many bytes were
/// looked at.
type End = (Result<Vec<u8>, HeadError>, u64);

fn read(pieces: &[&[u8]]) -> (Vec<Head>, End) {
    let mut reader = HeadReader::new(HeadLimits::default());
    let mut heads = Vec::new();
    for piece in pieces {
        reader.feed(piece);
        loop {
            match reader.take_head() {
                Ok(Some(head)) => heads.push(head),
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(reader.take_head().err(), Some(error), "an error is for ever");
                    return (heads, (Err(error), reader.scanned()));
                }
            }
        }
    }
    let fed: usize = pieces.iter().map(|piece| piece.len()).sum();
    assert_eq!(reader.scanned(), fed as u64, "each byte is looked at once");
    let scanned = reader.scanned();
    (heads, (Ok(reader.take_pending()), scanned))
}

fn assert_head(head: &Head) {
    field_lines::read(head.as_bytes());
    let raw = raw_fields(head.as_bytes());
    for (peer, trust) in
        [(Some(PEER), Trust::Nobody), (None, Trust::Nobody), (Some(PEER), Trust::Platform)]
    {
        let context = PolicyContext { peer, trust: &trust };
        match judge(head, &context) {
            Ok(Request::Handshake(handshake)) => assert_handshake(&handshake, head, &raw, &context),
            Ok(Request::Plain(plain)) => assert_plain(&plain, head, &raw, &context),
            Err(error) => {
                assert!((400..=505).contains(&error.status()) && !error.code().is_empty());
            }
        }
    }
}

fn assert_handshake(handshake: &Handshake, head: &Head, raw: &Fields, context: &PolicyContext<'_>) {
    let outbound = handshake.outbound();
    let (first, fields) = field_lines::read(outbound);
    let target = first.strip_prefix("GET ").and_then(|rest| rest.strip_suffix(" HTTP/1.1"));
    let target = target.unwrap_or_default();
    assert_target(target, head);
    assert_eq!(target.split('?').next(), Some(handshake.path()), "{first}");
    field_lines::assert_end_to_end(&fields, &[b"Upgrade"], &[b"websocket"]);
    assert_fields(&fields, raw, context);
    assert_eq!(values(&fields, "host").len(), 1);
    for name in ["content-length", "transfer-encoding"] {
        assert!(values(raw, name).is_empty(), "a handshake with {name} is refused");
    }
    let Some(Request::Handshake(again)) = judge_again(outbound, context) else {
        unreachable!("judged again it is no handshake: {}", outbound.escape_ascii());
    };
    if matches!(context.trust, Trust::Nobody) {
        assert_eq!(
            again.outbound().escape_ascii().to_string(),
            outbound.escape_ascii().to_string()
        );
    }
    assert_eq!(again.expected_accept(), handshake.expected_accept());
    assert_eq!(again.route(), handshake.route());
    assert_eq!(again.client_clock(), handshake.client_clock());
    assert_eq!(again.first_subprotocol(), handshake.first_subprotocol());
    assert_eq!(again.trace(), handshake.trace());
}

fn assert_plain(plain: &Plain, head: &Head, raw: &Fields, context: &PolicyContext<'_>) {
    assert_target(plain.target.as_str(), head);
    let written = write(plain);
    let (_, fields) = field_lines::read(&written);
    field_lines::assert_end_to_end(&fields, &[], &[]);
    assert_fields(&fields, raw, context);
    let (lengths, codings) = (values(raw, "content-length"), values(raw, "transfer-encoding"));
    let expected = match (lengths[..].first(), codings[..].first()) {
        (None, None) => Some(RequestFraming::None),
        (Some(digits), None) => {
            String::from_utf8_lossy(digits).parse().ok().map(RequestFraming::Length)
        }
        (None, Some(_)) => Some(RequestFraming::Chunked),
        (Some(_), Some(_)) => None,
    };
    assert_eq!(Some(plain.framing), expected);
    assert!(lengths.len() + codings.len() <= 1, "one framing or none");
    let Some(Request::Plain(again)) = judge_again(&written, context) else {
        unreachable!("judged again it is no plain request: {}", written.escape_ascii());
    };
    assert_eq!((&again.method, &again.target), (&plain.method, &plain.target));
    assert_eq!((again.framing, again.version), (plain.framing, plain.version));
    if matches!(context.trust, Trust::Nobody) {
        assert_eq!(again.fields, plain.fields);
        assert_eq!(again.client, context.peer);
    }
}

/// A target goes on as it came, but for scheme and authority; what servers cut off or read as its
/// end must not be in it.
fn assert_target(target: &str, head: &Head) {
    let came = head.target();
    let same = came == target || !came.starts_with('/');
    assert!(same && came.ends_with(target.trim_start_matches('/')) || target == "*", "{came:?}");
    let plain = target.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
    let form = target.starts_with('/') || target == "*";
    assert!(plain && form, "{}", target.escape_debug());
}

/// What any request that goes on must not say.
fn assert_fields(fields: &Fields, raw: &Fields, context: &PolicyContext<'_>) {
    for (name, _) in fields {
        let one = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        assert!(one, "a CGI-like service would take {name} for another");
    }
    assert!(values(fields, "expect").is_empty());
    for listed in elements(raw, "connection").iter().filter(|listed| !listed.is_empty()) {
        let ours = listed.eq_ignore_ascii_case("upgrade");
        assert!(ours || values(fields, listed).is_empty(), "{listed} was listed and goes on");
    }
    if let (Some(peer), Trust::Nobody) = (context.peer, context.trust) {
        let peer = peer.to_string();
        assert_eq!(values(fields, "x-forwarded-for"), [peer.as_bytes()]);
        assert_eq!(values(fields, "x-forwarded-proto"), [b"http"]);
        assert!(values(fields, "forwarded").is_empty() && values(fields, "x-real-ip").is_empty());
    }
}

fn judge_again(bytes: &[u8], context: &PolicyContext<'_>) -> Option<Request> {
    let mut reader = HeadReader::new(AGAIN);
    reader.feed(bytes);
    let head = reader.take_head().ok().flatten()?;
    assert!(reader.is_empty(), "bytes behind the head: {}", bytes.escape_ascii());
    judge(&head, context).ok()
}

/// A plain request in the plainest form.
fn write(plain: &Plain) -> Vec<u8> {
    let version = if plain.version == Version::Http11 { "1.1" } else { "1.0" };
    let mut out = format!("{} {} HTTP/{version}\r\n", plain.method, plain.target).into_bytes();
    for (name, value) in &plain.fields {
        assert!(!["content-length", "transfer-encoding"].contains(&name.as_str()));
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            out.extend_from_slice(part);
        }
    }
    let framing = match plain.framing {
        RequestFraming::None => String::new(),
        RequestFraming::Length(length) => format!("Content-Length: {length}\r\n"),
        RequestFraming::Chunked => "Transfer-Encoding: chunked\r\n".to_owned(),
    };
    out.extend_from_slice(framing.as_bytes());
    out.extend_from_slice(b"\r\n");
    out
}

/// The client's own lines, read as carelessly as a server might.
fn raw_fields(head: &[u8]) -> Fields {
    let lines = head.split(|&byte| byte == b'\n').skip(1);
    let field = |line: &[u8]| {
        let colon = line.iter().position(|&byte| byte == b':')?;
        let name = String::from_utf8_lossy(&line[..colon]).trim().to_owned();
        Some((name, line[colon + 1..].trim_ascii().to_vec()))
    };
    lines.filter_map(field).collect()
}
