//! A WebSocket handshake that has passed the policy, as small as a held client should be.
//!
//! Owns the head that goes upstream, already serialised, and the few values the door needs meanwhile.
//! Must never keep the client's own head, nor print a field.

use std::{
    fmt,
    hash::{DefaultHasher, Hasher},
    net::IpAddr,
    num::NonZeroU8,
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use sha1::{Digest, Sha1};

use super::{HeadError, TraceContext, Version, clock, list, policy::Reading};
use crate::body::RequestFraming;

/// RFC 6455 §1.3: what both sides add to the key.
const ACCEPT_GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

const METHOD: &[u8] = b"GET ";

/// A valid handshake. It owns one allocation: the head as it goes upstream.
pub struct Handshake {
    outbound: Box<[u8]>,
    route: u64,
    accept: [u8; 28],
    client: Option<IpAddr>,
    clock_seconds: Option<NonZeroU8>,
}

impl Handshake {
    pub(super) fn from_reading(reading: &Reading<'_>) -> Result<Self, HeadError> {
        let head = reading.head;
        if head.method() != "GET" {
            return Err(HeadError::HandshakeMethod);
        }
        if head.version() != Version::Http11 {
            return Err(HeadError::HandshakeHttpVersion);
        }
        if reading.framing != RequestFraming::None {
            return Err(HeadError::HandshakeBody);
        }
        if reading.expects_continue {
            return Err(HeadError::HandshakeExpectation);
        }
        if list::only(head.values("sec-websocket-version")) != Some(b"13") {
            return Err(HeadError::WebSocketVersion);
        }
        let key = list::only(head.values("sec-websocket-key")).filter(|key| is_key(key));
        let accept = accept_value(key.ok_or(HeadError::WebSocketKey)?);
        check_offers(reading)?;
        let path = reading.target.path();
        let clock = clock::handshake_clock(path, list::only(head.values("user-agent")));
        Ok(Self {
            outbound: serialise(reading),
            route: route_of(path),
            accept,
            client: reading.forwarding.client(),
            clock_seconds: clock,
        })
    }

    /// The request head to send upstream.
    pub fn outbound(&self) -> &[u8] {
        &self.outbound
    }

    /// The only Sec-WebSocket-Accept that proves the upstream has read this handshake (RFC 6455 §4.2.2).
    pub fn expected_accept(&self) -> &[u8; 28] {
        &self.accept
    }

    /// A number for the path, equal for equal paths within one process; never shown.
    pub fn route(&self) -> u64 {
        self.route
    }

    /// The path, without the query.
    pub fn path(&self) -> &str {
        let target = self.outbound.get(METHOD.len()..).unwrap_or_default();
        let end = target.iter().position(|byte| matches!(byte, b' ' | b'?')).unwrap_or(0);
        std::str::from_utf8(&target[..end]).unwrap_or_default()
    }

    /// The first subprotocol offered, which a server may select without knowing what it means.
    pub fn first_subprotocol(&self) -> Option<&str> {
        self.subprotocols().next()
    }

    /// Whether the client offered this subprotocol; names are compared exactly (RFC 6455 §4.1).
    pub fn offers_subprotocol(&self, name: &str) -> bool {
        self.subprotocols().any(|offered| offered == name)
    }

    /// Whether the client offered an extension of this name.
    pub fn offers_extension(&self, name: &str) -> bool {
        self.values("sec-websocket-extensions")
            .flat_map(list::extension_names)
            .any(|offered| offered.is_ok_and(|offered| offered == name))
    }

    /// How long this client is known to wait for its answer; `None` when it did not say who it is.
    pub fn client_clock(&self) -> Option<Duration> {
        self.clock_seconds.map(|seconds| Duration::from_secs(seconds.get().into()))
    }

    /// The client's address as far as it can be believed: the peer, or what a trusted peer vouches for.
    pub fn client(&self) -> Option<IpAddr> {
        self.client
    }

    /// The trace this handshake belongs to, for log lines.
    pub fn trace(&self) -> Option<TraceContext> {
        TraceContext::read(|name| list::only(self.values(name)))
    }

    fn subprotocols(&self) -> impl Iterator<Item = &str> {
        self.values("sec-websocket-protocol").flat_map(list::tokens).filter_map(Result::ok)
    }

    /// Reads a field back out of the serialised head, which we wrote: one line each, `name: value`.
    fn values<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s [u8]> {
        self.outbound.split(|&byte| byte == b'\n').skip(1).filter_map(move |line| {
            let (field, value) = line.split_at_checked(name.len())?;
            let value = value.strip_prefix(b": ")?;
            field
                .eq_ignore_ascii_case(name.as_bytes())
                .then(|| value.strip_suffix(b"\r").unwrap_or(value))
        })
    }
}

impl fmt::Debug for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handshake")
            .field("outbound_bytes", &self.outbound.len())
            .finish_non_exhaustive()
    }
}

/// Lists that the 101 will be held against must be readable.
fn check_offers(reading: &Reading<'_>) -> Result<(), HeadError> {
    let head = reading.head;
    let mut subprotocols = head.values("sec-websocket-protocol").flat_map(list::tokens);
    if subprotocols.any(|name| name.is_err()) {
        return Err(HeadError::Subprotocol);
    }
    let mut extensions = head.values("sec-websocket-extensions").flat_map(list::extension_names);
    if extensions.any(|name| name.is_err()) {
        return Err(HeadError::Extensions);
    }
    Ok(())
}

/// RFC 6455 §4.1: sixteen bytes in base64, canonical padding.
fn is_key(value: &[u8]) -> bool {
    // The decoder asks for room for 18 bytes before it knows that the value is padded.
    let mut decoded = [0; 18];
    STANDARD.decode_slice(value, &mut decoded) == Ok(16)
}

fn accept_value(key: &[u8]) -> [u8; 28] {
    let digest = Sha1::new().chain_update(key).chain_update(ACCEPT_GUID).finalize();
    let mut accept = [0; 28];
    // Twenty bytes are always twenty-eight characters; were they not, no answer would match.
    let _ = STANDARD.encode_slice(digest, &mut accept);
    accept
}

fn route_of(path: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(path.as_bytes());
    hasher.finish()
}

/// Writes the head anew: origin-form, Host first, one Connection and one Upgrade of ours, then the rest as it came.
fn serialise(reading: &Reading<'_>) -> Box<[u8]> {
    let fixed =
        b"GET  HTTP/1.1\r\nHost: \r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n".len();
    let target = reading.target.as_str().as_bytes();
    let host = reading.host.unwrap_or_default().as_bytes();
    let rest: usize = reading.end_to_end().map(|(name, value)| name.len() + value.len() + 4).sum();
    let mut out = Vec::with_capacity(fixed + target.len() + host.len() + rest);
    for part in [METHOD, target, b" HTTP/1.1\r\nHost: ", host] {
        out.extend_from_slice(part);
    }
    out.extend_from_slice(b"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n");
    for (name, value) in reading.end_to_end() {
        for part in [name.as_bytes(), b": ", value, b"\r\n"] {
            out.extend_from_slice(part);
        }
    }
    out.extend_from_slice(b"\r\n");
    out.into_boxed_slice()
}
