//! One row of the table, and the notation that it is written in.
//!
//! `|` is CRLF; `{70*ab}` is seventy times `ab`; `{WS}` is the four fields of a handshake; everything else stands for
//! itself, control bytes as in Rust.

/// The example key of RFC 6455 section 1.3.
const WS: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// What the client must see of one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sees {
    /// One refusal by the front with this code, and then the end. Nothing went up.
    Refused(&'static str),
    /// The same, for a defect in the body: a head went up, and never a whole request.
    RefusedInBody(&'static str),
    /// So many answers of the service.
    Served(usize),
    /// So many answers of the service, then a refusal with this code and the end.
    ServedThenRefused(usize, &'static str),
    /// A verified 101.
    Tunnel,
}

/// A case of the catalogue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    start: &'static str,
    says: &'static str,
    sees: Sees,
    upgraded: Option<Sees>,
    /// In lower case: what the service must have seen.
    pub(crate) seen: &'static [&'static str],
    /// In lower case: what it must never have seen.
    pub(crate) never: &'static [&'static str],
    /// The peer is a proxy that was named as trusted.
    pub(crate) by_proxy: bool,
}

/// A row as it is sent: plain, or with the fields of a handshake.
#[derive(Clone, Debug)]
pub(crate) struct Turn {
    pub(crate) row: Row,
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) sees: Sees,
}

/// A row that says everything itself.
pub(crate) const fn raw(name: &'static str, says: &'static str) -> Row {
    let sees = Sees::Served(1);
    let (seen, never) = (&[], &[]);
    Row { name, start: "", says, sees, upgraded: None, seen, never, by_proxy: false }
}

/// `GET /r` and a Host, then the fields and what follows.
pub(crate) const fn get(name: &'static str, says: &'static str) -> Row {
    Row { start: "GET /r HTTP/1.1|Host: a.test|", upgraded: Some(Sees::Tunnel), ..raw(name, says) }
}

/// The same with POST, which no handshake may have.
pub(crate) const fn post(name: &'static str, says: &'static str) -> Row {
    let upgraded = Some(Sees::Refused("handshake_method"));
    Row { start: "POST /r HTTP/1.1|Host: a.test|", upgraded, ..raw(name, says) }
}

/// A POST with a chunked body, from its first size on.
pub(crate) const fn chunks(name: &'static str, says: &'static str) -> Row {
    let start = "POST /r HTTP/1.1|Host: a.test|Transfer-Encoding: chunked||";
    Row { start, ..post(name, says) }
}

/// A handshake: the fields behind its Host, all of them given, and what follows. Sent once.
pub(crate) const fn ask(name: &'static str, says: &'static str) -> Row {
    Row { upgraded: None, ..get(name, says) }
}

impl Row {
    /// Refused alike with and without the fields of a handshake.
    pub(crate) const fn refused(self, code: &'static str) -> Self {
        Self { sees: Sees::Refused(code), upgraded: Some(Sees::Refused(code)), ..self }
    }

    /// Refused, and sent once: it holds the fields of a handshake already, or could not hold them.
    pub(crate) const fn refused_once(self, code: &'static str) -> Self {
        Self { sees: Sees::Refused(code), upgraded: None, ..self }
    }

    pub(crate) const fn refused_in_body(self, code: &'static str) -> Self {
        Self { sees: Sees::RefusedInBody(code), ..self }
    }

    pub(crate) const fn served(self, answers: usize) -> Self {
        Self { sees: Sees::Served(answers), ..self }
    }

    pub(crate) const fn then_refused(self, code: &'static str) -> Self {
        Self { sees: Sees::ServedThenRefused(1, code), ..self }
    }

    pub(crate) const fn tunnels(self) -> Self {
        Self { sees: Sees::Tunnel, ..self }
    }

    /// What the same row comes to with the fields of a handshake.
    pub(crate) const fn upgraded(self, sees: Sees) -> Self {
        Self { upgraded: Some(sees), ..self }
    }

    pub(crate) const fn seen(self, seen: &'static [&'static str]) -> Self {
        Self { seen, ..self }
    }

    pub(crate) const fn never(self, never: &'static [&'static str]) -> Self {
        Self { never, ..self }
    }

    pub(crate) const fn by_proxy(self) -> Self {
        Self { by_proxy: true, ..self }
    }

    /// The one or two ways in which this row is sent.
    pub(crate) fn turns(self) -> Vec<Turn> {
        let text = [self.start, self.says].concat();
        let plain =
            Turn { row: self, name: self.name.to_owned(), bytes: spelled(&text), sees: self.sees };
        let upgraded = self.upgraded.map(|sees| Turn {
            row: self,
            name: format!("{} with Upgrade", self.name),
            bytes: spelled(&with_handshake(&text)),
            sees,
        });
        std::iter::once(plain).chain(upgraded).collect()
    }
}

impl Sees {
    /// How many requests go up, whole or broken off in their body.
    pub(crate) fn requests(self) -> u64 {
        match self {
            Self::Refused(_) => 0,
            Self::RefusedInBody(_) | Self::Tunnel => 1,
            Self::Served(answers) | Self::ServedThenRefused(answers, _) => answers as u64,
        }
    }

    /// How many answers of the service the client gets.
    pub(crate) fn answers(self) -> usize {
        match self {
            Self::Refused(_) | Self::RefusedInBody(_) => 0,
            Self::Tunnel => 1,
            Self::Served(answers) | Self::ServedThenRefused(answers, _) => answers,
        }
    }

    /// The code of the front's refusal, if there is one.
    pub(crate) fn refusal(self) -> Option<&'static str> {
        match self {
            Self::Refused(code) | Self::RefusedInBody(code) | Self::ServedThenRefused(_, code) => {
                Some(code)
            }
            Self::Served(_) | Self::Tunnel => None,
        }
    }
}

/// Puts the fields of a handshake behind the first line.
fn with_handshake(text: &str) -> String {
    let version =
        ["HTTP/1.1|", "HTTP/1.0|"].iter().filter_map(|v| Some(text.find(v)? + v.len())).min();
    let at = version.or_else(|| Some(text.find('|')? + 1)).unwrap_or(text.len());
    let (line, rest) = text.split_at(at);
    [line, "{WS}", rest].concat()
}

pub(crate) fn spelled(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['|', '{']) {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        if rest[at..].starts_with('|') {
            bytes.extend_from_slice(b"\r\n");
            rest = &rest[at + 1..];
        } else {
            let end = at + rest[at..].find('}').unwrap();
            let piece = match rest[at + 1..end].split_once('*') {
                Some((count, piece)) => piece.replace('|', "\r\n").repeat(count.parse().unwrap()),
                None => WS.to_owned(),
            };
            bytes.extend_from_slice(piece.as_bytes());
            rest = &rest[end + 1..];
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

#[test]
fn the_notation_says_what_it_means() {
    let turns = raw("x", "GET / HTTP/1.1|A: {3*b}|{2*C: d|}|\0").refused("y").turns();
    assert_eq!(turns[0].bytes, b"GET / HTTP/1.1\r\nA: bbb\r\nC: d\r\nC: d\r\n\r\n\0");
    let upgraded = String::from_utf8(turns[1].bytes.clone()).unwrap();
    assert!(
        upgraded.starts_with("GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n")
    );
    assert!(upgraded.ends_with("\r\nA: bbb\r\nC: d\r\nC: d\r\n\r\n\0"));
}
