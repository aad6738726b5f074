//! One strict reading of a head, for handshakes and plain requests alike.
//!
//! Owns the order of the rules: method, Host and target, Connection, framing, expectation, upgrade.
//! Must never normalise: a head that two servers could read in two ways is refused, since the
//! service behind might be the other one (RFC 9112 §11.2).

use std::net::IpAddr;

use http::uri::PathAndQuery;

use super::{
    Handshake, Head, HeadError, Plain, Version,
    forwarded::{Forwarding, Trust},
    hop::{ConnectionOptions, has_one_spelling, is_hop_by_hop},
    list, target,
};
use crate::body::RequestFraming;

/// Fields of which one reader takes the first and another the last, and that say who the client is
/// or what the body is. Host, Content-Length, Expect and the handshake's own have reasons of their own.
const SINGLETONS: [&str; 3] = ["authorization", "content-type", "origin"];

/// What is known of a request beside its head.
#[derive(Clone, Copy, Debug)]
pub struct PolicyContext<'a> {
    /// The address on the other end of the socket; `None` for a unix socket.
    pub peer: Option<IpAddr>,
    /// Whose forwarded fields are believed.
    pub trust: &'a Trust,
}

/// A request that may go on.
#[derive(Debug)]
pub enum Request {
    /// A WebSocket handshake (RFC 6455 §4.2.1).
    Handshake(Handshake),
    /// Anything else.
    Plain(Plain),
}

/// Judges a head: either it has exactly one meaning, or it is refused.
pub fn judge(head: &Head, context: &PolicyContext<'_>) -> Result<Request, HeadError> {
    let reading = Reading::of(head, context)?;
    if reading.wants_websocket()? {
        Handshake::from_reading(&reading).map(Request::Handshake)
    } else {
        Plain::from_reading(&reading).map(Request::Plain)
    }
}

/// The parts of a head that both kinds of request share, all checked.
pub(super) struct Reading<'h> {
    pub(super) head: &'h Head,
    pub(super) host: Option<&'h str>,
    pub(super) target: PathAndQuery,
    pub(super) connection: ConnectionOptions<'h>,
    pub(super) framing: RequestFraming,
    /// An expectation was made, and it is 100-continue.
    pub(super) expects_continue: bool,
    pub(super) forwarding: Forwarding,
}

impl<'h> Reading<'h> {
    fn of(head: &'h Head, context: &PolicyContext<'_>) -> Result<Self, HeadError> {
        // Compared in any case: a service that upper-cases methods must not see one either.
        if ["CONNECT", "TRACE"].iter().any(|refused| head.method().eq_ignore_ascii_case(refused)) {
            return Err(HeadError::Method);
        }
        if SINGLETONS.iter().any(|name| head.values(name).nth(1).is_some()) {
            return Err(HeadError::FieldRepeated);
        }
        let host = target::host(head)?;
        Ok(Self {
            head,
            host,
            target: target::origin_form(head, host)?,
            connection: ConnectionOptions::read(head.values("connection"))?,
            framing: framing(head)?,
            expects_continue: expects_continue(head)?,
            forwarding: Forwarding::decide(head, host, context.peer, context.trust),
        })
    }

    /// Whether the head asks for a WebSocket and for nothing else. Without the option in Connection, Upgrade
    /// means nothing (RFC 9110 §7.8); other protocols are not offered on, so their tokens are ignored.
    fn wants_websocket(&self) -> Result<bool, HeadError> {
        if !self.connection.lists("upgrade") {
            return Ok(false);
        }
        let is_websocket = |token: &[u8]| token.eq_ignore_ascii_case(b"websocket");
        let offered = || {
            self.head
                .values("upgrade")
                .flat_map(|value| value.split(|&byte| byte == b','))
                .map(list::trim)
        };
        if !offered().any(is_websocket) {
            return Ok(false);
        }
        if list::only(offered()).is_none() { Err(HeadError::UpgradeList) } else { Ok(true) }
    }

    /// The fields that go on, in order, then ours; Host, framing and the connection's own fields are
    /// written by whoever serialises.
    pub(super) fn end_to_end(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.head.fields().filter(|(name, _)| self.keeps(name)).chain(self.forwarding.set())
    }

    fn keeps(&self, name: &str) -> bool {
        let written_elsewhere =
            ["host", "content-length", "transfer-encoding", "expect", "sec-websocket-accept"];
        has_one_spelling(name)
            && !is_hop_by_hop(name)
            && !written_elsewhere.iter().any(|other| name.eq_ignore_ascii_case(other))
            && !self.connection.lists(name)
            && self.forwarding.keeps(name)
    }
}

/// How the body is delimited (RFC 9112 §6); everything doubtful is refused.
fn framing(head: &Head) -> Result<RequestFraming, HeadError> {
    let (mut lengths, mut codings) =
        (head.values("content-length"), head.values("transfer-encoding"));
    match (lengths.next(), codings.next()) {
        (None, None) => Ok(RequestFraming::None),
        (Some(_), Some(_)) => Err(HeadError::FramingConflict),
        (Some(value), None) if lengths.next().is_none() => crate::body::parse_length(value)
            .map(RequestFraming::Length)
            .ok_or(HeadError::ContentLength),
        (Some(_), None) => Err(HeadError::ContentLength),
        (None, Some(value)) => {
            let single = codings.next().is_none() && head.version() == Version::Http11;
            if single && value.eq_ignore_ascii_case(b"chunked") {
                Ok(RequestFraming::Chunked)
            } else {
                Err(HeadError::TransferEncoding)
            }
        }
    }
}

fn expects_continue(head: &Head) -> Result<bool, HeadError> {
    let mut values = head.values("expect");
    match values.next() {
        None => Ok(false),
        Some(value) if value.eq_ignore_ascii_case(b"100-continue") && values.next().is_none() => {
            Ok(true)
        }
        Some(_) => Err(HeadError::Expectation),
    }
}
