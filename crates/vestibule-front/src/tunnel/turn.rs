//! Decides how a tunnel goes on after its directions have moved.
//!
//! Owns every step from open to over, and when a Close of ours may be sent. Must never touch a
//! socket.

use tokio::time::Instant;

use super::close::{CloseCode, close_frame};
use super::ended::Cause;
use super::half::{Sink, Source};
use super::{CLOSE_WAIT, Stage, Tunnel, seconds};

/// Reason of the Close that is sent in the place of an upstream that died.
const UPSTREAM_DIED: &str = "the service restarted";

/// What a look at both directions led to.
pub(super) enum Turn {
    /// Nothing: the sockets must move first.
    Rest,
    /// The stage or a sink has changed, so that there may be something to write.
    Moved,
    /// Nothing can pass any more.
    Over,
}

impl Tunnel {
    /// Takes one step towards the end, if what has passed calls for one.
    pub(super) fn turn(&mut self, now: Instant) -> Turn {
        // A socket that failed to be read will not be written either, and must not be waited for.
        if self.to_upstream.source() == Source::Failed {
            self.to_client.fail_sink();
        }
        if self.to_client.source() == Source::Failed {
            self.to_upstream.fail_sink();
        }
        match self.stage {
            Stage::Relay { .. } => {
                self.note_first();
                self.turn_relaying(now)
            }
            Stage::Finishing { .. } => {
                self.note_first();
                self.turn_finishing(now)
            }
            Stage::Parting { .. } => self.turn_parting(),
        }
    }

    fn turn_relaying(&mut self, now: Instant) -> Turn {
        let (up, down) = (&mut self.to_upstream, &mut self.to_client);
        if down.sink() == Sink::Failed {
            return self.part(None, now);
        }
        if down.source() != Source::Open && down.is_clear() {
            let asked = up.frames().close_seen().is_some() || up.source() != Source::Open;
            let whole = down.stands_at_boundary();
            if whole && !asked && down.frames().close_seen().is_none() {
                let frame = close_frame(CloseCode::RESTARTING, UPSTREAM_DIED);
                return self.part(Some((CloseCode::RESTARTING, frame)), now);
            }
            if !whole || up.sink() == Sink::Failed {
                return self.part(None, now);
            }
        }
        let up_ends = up.source() == Source::Finished && up.end_sink();
        let down_ends = down.source() == Source::Finished && down.is_clear() && down.end_sink();
        let over = up.is_over() && down.is_over();
        if up.sink() != Sink::Open || down.sink() != Sink::Open {
            self.arm_linger(now);
        }
        match (up_ends || down_ends, over) {
            (true, _) => Turn::Moved,
            (false, true) => Turn::Over,
            (false, false) => Turn::Rest,
        }
    }

    pub(super) fn turn_finishing(&mut self, now: Instant) -> Turn {
        let down = &self.to_client;
        let whole = down.stands_at_boundary();
        let writable = down.sink() == Sink::Open;
        if !whole && writable && down.source() == Source::Open {
            return Turn::Rest;
        }
        let theirs = down.frames().close_seen().is_some();
        self.first.get_or_insert(Cause::Drain);
        let Stage::Finishing { code, frame, .. } = &mut self.stage else {
            return Turn::Rest;
        };
        let ours = (*code, std::mem::take(frame));
        self.part((whole && writable && !theirs).then_some(ours), now)
    }

    fn turn_parting(&mut self) -> Turn {
        let (up, down) = (&mut self.to_upstream, &mut self.to_client);
        let silent = up.source() != Source::Open || up.frames().close_passed();
        if silent && up.end_sink() {
            return Turn::Moved;
        }
        let client_done = up.source() != Source::Open && down.sink_is_done();
        // For a client that is gone the upstream has nothing to say that we would have to wait for.
        let unheard = down.source() != Source::Open || down.sink() == Sink::Failed;
        if client_done && unheard && up.sink_is_done() { Turn::Over } else { Turn::Rest }
    }

    /// Stops relaying to the client: a Close of ours, if one may stand here, and the end of the
    /// stream.
    ///
    /// Both sockets are then read to their ends, since closing one with unread input resets it, and
    /// a reset can destroy what its peer has not read yet.
    fn part(&mut self, close: Option<(CloseCode, Box<[u8]>)>, now: Instant) -> Turn {
        let deadline = match self.stage {
            Stage::Finishing { deadline, .. } | Stage::Parting { deadline, .. } => deadline,
            Stage::Relay { .. } => now + CLOSE_WAIT,
        };
        if let Some((_, frame)) = &close {
            self.to_client.append(frame, now);
        }
        self.to_client.end_sink();
        self.stage = Stage::Parting { deadline, close: close.map(|(code, _)| code) };
        Turn::Moved
    }

    fn arm_linger(&mut self, now: Instant) {
        let end = now + seconds(self.linger_secs);
        if let Stage::Relay { linger } = &mut self.stage {
            linger.get_or_insert(end);
        }
    }
}
