//! Holds an upstream's answer against the handshake it answers (RFC 6455 §4.1, client's duties).
//!
//! Owns [`Verified`], which nothing else can make: only a 101 that was asked for, and proves that it was
//! meant for this very handshake, may become a tunnel.
//! Must never believe a status alone: a stranger's 101 relayed by a confused service is an attack.

use std::fmt;

use thiserror::Error;

mod answer;

pub use answer::{Answer, AnswerError, AnswerReader};

use super::{Handshake, Version, hop::ConnectionOptions, list};

/// Extensions of one 101. Each is looked for in the whole handshake, and one is in use at all.
const EXTENSIONS_MAX: usize = 8;

/// A 101 that has passed every rule. There is no other way to this type than [`verify`].
pub struct Verified {
    relayed: Vec<u8>,
}

/// Why an answer is not a verified 101.
#[derive(Debug)]
pub enum Verdict {
    /// An ordinary final answer, to be relayed with its body.
    NotSwitching(Answer),
    /// A 101 that lies, or was not meant for this handshake: 502, and the connection is closed.
    Defect(UpstreamDefect),
}

/// What is wrong with an upstream's answer. None of these is worth a retry on its own.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UpstreamDefect {
    /// A 101 in HTTP/1.0, which has none.
    #[error("the upstream switched protocols in HTTP/1.0")]
    Version,
    /// Upgrade is not exactly one `websocket`.
    #[error("the upstream's Upgrade field is not exactly `websocket`")]
    Upgrade,
    /// Connection does not list `upgrade`, or is malformed.
    #[error("the upstream's Connection field does not list `upgrade`")]
    Connection,
    /// Sec-WebSocket-Accept is missing, repeated, or belongs to another key.
    #[error("the upstream's Sec-WebSocket-Accept does not answer this handshake")]
    WrongAccept,
    /// More than one subprotocol, or no token.
    #[error("the upstream selected no single valid subprotocol")]
    SubprotocolInvalid,
    /// A subprotocol that the client did not offer.
    #[error("the upstream selected a subprotocol that was not offered")]
    SubprotocolNotOffered,
    /// Sec-WebSocket-Extensions cannot be read.
    #[error("the upstream's Sec-WebSocket-Extensions is malformed")]
    ExtensionsInvalid,
    /// An extension that the client did not offer.
    #[error("the upstream selected an extension that was not offered")]
    ExtensionNotOffered,
    /// Content-Length or Transfer-Encoding in a 101 (RFC 9110 §8.6, RFC 9112 §6.1).
    #[error("the upstream's 101 announces a body")]
    BodyAnnounced,
    /// An answer whose length can be read in two ways, or not at all.
    #[error("the upstream's answer is framed ambiguously")]
    Framing,
}

impl UpstreamDefect {
    /// The word for it in logs and metrics.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Version => "answer_version",
            Self::Upgrade => "answer_upgrade",
            Self::Connection => "answer_connection",
            Self::WrongAccept => "answer_wrong_accept",
            Self::SubprotocolInvalid => "answer_subprotocol_invalid",
            Self::SubprotocolNotOffered => "answer_subprotocol_not_offered",
            Self::ExtensionsInvalid => "answer_extensions_invalid",
            Self::ExtensionNotOffered => "answer_extension_not_offered",
            Self::BodyAnnounced => "answer_body_announced",
            Self::Framing => "answer_framing",
        }
    }
}

/// Verifies the answer to a handshake. An answer other than 101 is handed back untouched.
pub fn verify(handshake: &Handshake, answer: Answer) -> Result<Verified, Verdict> {
    if answer.status() != 101 {
        return Err(Verdict::NotSwitching(answer));
    }
    match defect(handshake, &answer) {
        Some(defect) => Err(Verdict::Defect(defect)),
        None => Ok(Verified { relayed: relayed_101(&answer) }),
    }
}

impl Verified {
    /// The 101 as the client gets it: hop-by-hop fields removed, Connection and Upgrade set by us.
    pub fn relayed_head(self) -> Vec<u8> {
        self.relayed
    }
}

impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified").field("bytes", &self.relayed.len()).finish()
    }
}

/// The first rule that a 101 breaks.
fn defect(handshake: &Handshake, answer: &Answer) -> Option<UpstreamDefect> {
    if answer.version() != Version::Http11 {
        return Some(UpstreamDefect::Version);
    }
    let upgrade = list::only(answer.values("upgrade"));
    if !upgrade.is_some_and(|token| token.eq_ignore_ascii_case(b"websocket")) {
        return Some(UpstreamDefect::Upgrade);
    }
    let options = ConnectionOptions::read(answer.values("connection"));
    if !options.is_ok_and(|options| options.lists("upgrade")) {
        return Some(UpstreamDefect::Connection);
    }
    if list::only(answer.values("sec-websocket-accept")) != Some(handshake.expected_accept()) {
        return Some(UpstreamDefect::WrongAccept);
    }
    if answer.values("content-length").chain(answer.values("transfer-encoding")).next().is_some() {
        return Some(UpstreamDefect::BodyAnnounced);
    }
    subprotocol_defect(handshake, answer).or_else(|| extension_defect(handshake, answer))
}

fn subprotocol_defect(handshake: &Handshake, answer: &Answer) -> Option<UpstreamDefect> {
    let mut selected = answer.values("sec-websocket-protocol");
    let value = selected.next()?;
    if selected.next().is_some() || !list::is_token(value) {
        return Some(UpstreamDefect::SubprotocolInvalid);
    }
    let offered = std::str::from_utf8(value).is_ok_and(|name| handshake.offers_subprotocol(name));
    (!offered).then_some(UpstreamDefect::SubprotocolNotOffered)
}

fn extension_defect(handshake: &Handshake, answer: &Answer) -> Option<UpstreamDefect> {
    let selected = answer.values("sec-websocket-extensions").flat_map(list::extension_names);
    selected.enumerate().find_map(|(index, name)| match name {
        Err(list::NotAToken) => Some(UpstreamDefect::ExtensionsInvalid),
        Ok(_) if index == EXTENSIONS_MAX => Some(UpstreamDefect::ExtensionsInvalid),
        Ok(name) if !handshake.offers_extension(name) => Some(UpstreamDefect::ExtensionNotOffered),
        Ok(_) => None,
    })
}

fn relayed_101(answer: &Answer) -> Vec<u8> {
    let mut out =
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            .to_vec();
    answer.write_end_to_end(&mut out);
    out.extend_from_slice(b"\r\n");
    out
}
