//! Shared by the tables: heads from rows, and verdicts as words.

use std::net::IpAddr;

use vestibule_front::head::{
    Handshake, Head, HeadError, HeadLimits, HeadReader, Plain,
    forwarded::Trust,
    policy::{PolicyContext, Request, judge},
};

/// The example key of RFC 6455 §1.3 and its answer.
pub(crate) const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
pub(crate) const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

pub(crate) const PEER: &str = "203.0.113.9";

pub(crate) fn peer() -> Option<IpAddr> {
    PEER.parse().ok()
}

/// A reader with the default limits that has been fed.
pub(crate) fn reader(bytes: &[u8]) -> HeadReader {
    let mut reader = HeadReader::new(HeadLimits::default());
    reader.feed(bytes);
    reader
}

/// The one whole head in these bytes.
pub(crate) fn read(bytes: &[u8]) -> Result<Head, HeadError> {
    Ok(reader(bytes).take_head()?.expect("the row holds a whole head"))
}

pub(crate) fn judge_as(
    bytes: &[u8],
    peer: Option<IpAddr>,
    trust: &Trust,
) -> Result<Request, HeadError> {
    judge(&read(bytes)?, &PolicyContext { peer, trust })
}

pub(crate) fn judge_bytes(bytes: &[u8]) -> Result<Request, HeadError> {
    judge_as(bytes, peer(), &Trust::Nobody)
}

/// `plain`, `handshake`, or the code of the refusal.
pub(crate) fn verdict(bytes: &[u8]) -> &'static str {
    match judge_bytes(bytes) {
        Ok(Request::Plain(_)) => "plain",
        Ok(Request::Handshake(_)) => "handshake",
        Err(error) => error.code(),
    }
}

/// A plain request: a request line and field lines, each ended with CRLF.
pub(crate) fn plain_head(lines: &[&str]) -> Vec<u8> {
    format!("{}\r\n\r\n", lines.join("\r\n")).into_bytes()
}

/// The fields of a valid handshake, for rows that add to them.
pub(crate) fn upgrade_lines() -> [String; 4] {
    [
        "Upgrade: websocket".into(),
        "Connection: Upgrade".into(),
        "Sec-WebSocket-Version: 13".into(),
        format!("Sec-WebSocket-Key: {KEY}"),
    ]
}

/// The same lines with the fields of a valid handshake behind them.
pub(crate) fn upgrade_head(lines: &[&str]) -> Vec<u8> {
    let upgrade = upgrade_lines();
    let all: Vec<&str> = lines.iter().copied().chain(upgrade.iter().map(String::as_str)).collect();
    plain_head(&all)
}

/// A valid handshake for `/chat` with these fields added.
pub(crate) fn handshake(extra: &[&str]) -> Handshake {
    handshake_for("/chat", extra)
}

pub(crate) fn handshake_for(target: &str, extra: &[&str]) -> Handshake {
    let line = format!("GET {target} HTTP/1.1");
    let lines: Vec<&str> = [line.as_str(), "Host: a.test"].iter().chain(extra).copied().collect();
    match judge_bytes(&upgrade_head(&lines)) {
        Ok(Request::Handshake(handshake)) => handshake,
        other => panic!("not a handshake: {other:?}"),
    }
}

pub(crate) fn plain(lines: &[&str]) -> Plain {
    match judge_bytes(&plain_head(lines)) {
        Ok(Request::Plain(plain)) => plain,
        other => panic!("not a plain request: {other:?}"),
    }
}

/// The fields of a serialised head as httparse reads them, names in lower case.
pub(crate) fn outbound_fields(outbound: &[u8]) -> Vec<(String, String)> {
    let mut slots = [httparse::EMPTY_HEADER; 128];
    let mut request = httparse::Request::new(&mut slots);
    let end = request.parse(outbound).expect("our own head parses");
    assert_eq!(end, httparse::Status::Complete(outbound.len()), "nothing behind the head");
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    request
        .headers
        .iter()
        .map(|field| (field.name.to_ascii_lowercase(), text(field.value)))
        .collect()
}

/// All values of one field of a list of fields.
pub(crate) fn values<'f>(fields: &'f [(String, String)], name: &str) -> Vec<&'f str> {
    fields.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str()).collect()
}
