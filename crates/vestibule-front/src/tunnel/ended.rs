//! What is known of a tunnel at its end.
//!
//! Owns the names of what ended it. Must never decide how a tunnel goes on.

use super::close::CloseCode;
use super::half::{Half, Sink, Source};
use super::{Stage, Tunnel};
use crate::ending::{Ending, Party};

/// A tunnel's end: who, how, and how much had passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The side that ended it, and whether we were draining by then.
    pub ending: Ending,
    /// Bytes the client's socket took, the head of the 101 and a Close of ours included.
    pub to_client: u64,
    /// Bytes the upstream's socket took.
    pub to_upstream: u64,
    /// The code of our own Close, if the client's socket took it.
    pub close_sent: Option<u16>,
    /// What ended it.
    pub detail: Detail,
}

/// Bytes that have passed so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Bytes the client's socket took, the head of the 101 and a Close of ours included.
    pub to_client: u64,
    /// Bytes the upstream's socket took.
    pub to_upstream: u64,
}

/// What ended a tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Detail {
    /// The client ended its stream without a Close.
    ClientLeft,
    /// The client's socket failed.
    ClientReset,
    /// The upstream ended its stream without a Close.
    UpstreamEof,
    /// The upstream's socket failed.
    UpstreamReset,
    /// One side sent a Close, with this code if it carried one; the ending says which side was
    /// first.
    CloseForwarded(Option<u16>),
    /// One side ended its stream, and the other did not follow within the linger.
    Linger,
    /// One side took no byte for too long while some were waiting for it.
    Stalled,
    /// We closed it, and both sides ended their streams in time.
    Drained,
    /// We closed it, and the time for that ran out: inside a frame, or before the client answered.
    DrainExpired,
}

impl Detail {
    /// The word used in logs, metrics and tests.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientLeft => "client_left",
            Self::ClientReset => "client_reset",
            Self::UpstreamEof => "upstream_eof",
            Self::UpstreamReset => "upstream_reset",
            Self::CloseForwarded(_) => "close_forwarded",
            Self::Linger => "linger",
            Self::Stalled => "stalled",
            Self::Drained => "drained",
            Self::DrainExpired => "drain_expired",
        }
    }
}

/// What was seen first of all that can end a tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// This side's Close has begun to pass.
    Closed(Party),
    /// This side's stream has ended.
    Finished(Party),
    /// This side's socket has failed.
    Failed(Party),
    /// This side took nothing for too long.
    Stalled(Party),
    /// We were asked to close.
    Drain,
}

impl Cause {
    /// The side whose act it was.
    pub(super) const fn party(self) -> Party {
        match self {
            Self::Closed(by) | Self::Finished(by) | Self::Failed(by) | Self::Stalled(by) => by,
            Self::Drain => Party::Door,
        }
    }
}

impl Tunnel {
    /// Remembers what was seen first of all that can end a tunnel. A Close says more than the end
    /// of its stream.
    pub(super) fn note_first(&mut self) {
        let (up, down) = (&self.to_upstream, &self.to_client);
        let seen = [
            (down.frames().close_seen().is_some(), Cause::Closed(Party::Upstream)),
            (up.frames().close_seen().is_some(), Cause::Closed(Party::Client)),
            (
                down.source() == Source::Failed || up.sink() == Sink::Failed,
                Cause::Failed(Party::Upstream),
            ),
            (
                up.source() == Source::Failed || down.sink() == Sink::Failed,
                Cause::Failed(Party::Client),
            ),
            (down.source() == Source::Finished, Cause::Finished(Party::Upstream)),
            (up.source() == Source::Finished, Cause::Finished(Party::Client)),
        ];
        let cause = seen.into_iter().find_map(|(seen, cause)| seen.then_some(cause));
        self.first = self.first.or(cause);
    }

    pub(super) fn detail(&self) -> Detail {
        let code = |half: &Half| half.frames().close_seen().and_then(|close| close.code);
        match self.first {
            Some(Cause::Closed(Party::Client)) => Detail::CloseForwarded(code(&self.to_upstream)),
            Some(Cause::Closed(_)) => Detail::CloseForwarded(code(&self.to_client)),
            Some(Cause::Finished(Party::Client)) => Detail::ClientLeft,
            Some(Cause::Finished(_)) => Detail::UpstreamEof,
            Some(Cause::Failed(Party::Client)) => Detail::ClientReset,
            Some(Cause::Failed(_)) => Detail::UpstreamReset,
            Some(Cause::Stalled(_)) => Detail::Stalled,
            Some(Cause::Drain) | None => Detail::Drained,
        }
    }

    pub(super) fn ended(&self, detail: Detail) -> Ended {
        let taken = self.to_client.is_clear() && self.to_client.sink() != Sink::Failed;
        let close_sent = match self.stage {
            Stage::Parting { close, .. } if taken => close.map(CloseCode::get),
            _ => None,
        };
        let by = self.first.map_or(Party::Door, Cause::party);
        let Counters { to_client, to_upstream } = self.counters();
        Ended { ending: Ending::new(by, self.phase), to_client, to_upstream, close_sent, detail }
    }
}
