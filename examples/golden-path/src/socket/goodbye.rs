//! Why we close a socket.
//!
//! Owns the codes and their words. Must never say anything of what a client sent.

use super::close;

/// Why we close a socket. Without a reason of ours it is the client who left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goodbye {
    /// The token has ended.
    Expired,
    /// The session was revoked.
    Revoked,
    /// Too many frames that can't be read.
    Mistakes,
    /// A frame that is too long, or no UTF-8, or breaks the framing.
    Unreadable,
    /// A binary frame.
    Binary,
    /// A write took too long.
    Slow,
    /// Nothing came for two and a half heartbeats.
    Silent,
    /// The user has too many sockets.
    TooMany,
    /// The instance leaves.
    Restart,
}

impl Goodbye {
    /// The code of the Close frame.
    pub(super) const fn code(self) -> u16 {
        match self {
            Self::Expired | Self::Revoked => close::TOKEN,
            Self::Mistakes | Self::Unreadable => close::POLICY,
            Self::Binary => close::NOT_TEXT,
            Self::Slow | Self::Silent => close::SLOW,
            Self::TooMany => close::TOO_MANY,
            Self::Restart => close::RESTART,
        }
    }

    /// The reason of the Close frame: at most 123 bytes (RFC 6455 section 5.5).
    pub(super) const fn reason(self) -> &'static str {
        match self {
            Self::Expired => "the token has ended: get another and come again",
            Self::Revoked => "the session has ended: log in again",
            Self::Mistakes => "too many frames that can't be read",
            Self::Unreadable => "a frame is UTF-8 text of at most 64 KiB",
            Self::Binary => "frames are text",
            Self::Slow => "reading too slowly: come again with last_event_id",
            Self::Silent => "nothing was heard: come again with last_event_id",
            Self::TooMany => "too many sockets of this user: close one first",
            Self::Restart => "this instance leaves: come again with last_event_id",
        }
    }
}
