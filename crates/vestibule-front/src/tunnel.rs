//! The tunnel: bytes between a client and its upstream, unchanged, until one of them ends it or we
//! do.
//!
//! Owns the state of one handed-over WebSocket as plain data: what is not yet written, frame
//! positions, counters. Must never hold a socket, a timer or a task, read a clock, or change a
//! byte; the only frame it originates is a Close, and only where the client's stream stands between
//! frames.

pub mod close;
mod drive;
mod ended;
pub mod frames;
mod half;
mod spill;
mod turn;

use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

pub use self::close::CloseCode;
pub use self::drive::drive;
pub use self::ended::{Counters, Detail, Ended};

use self::ended::Cause;
use self::half::{Half, Intake, Pumped};
use self::turn::Turn;
use crate::ending::{Party, Phase};
use crate::stream::scratch::lend;

/// How long one direction may flow on after the other has ended. Without it a peer that never ends
/// its own stream leaves sockets in CLOSE_WAIT for ever.
pub const LINGER: Duration = Duration::from_secs(30);

/// From the wish to close to the end: the rest of the frame in progress, our Close, the client's
/// answer.
pub const CLOSE_WAIT: Duration = Duration::from_secs(2);

/// How long a side may take not one byte while some are waiting for it: a stopped process, a reader
/// that never reads.
pub const WRITE_PROGRESS: Duration = Duration::from_secs(300);

/// One tunnel. Whoever owns the two sockets lends them to [`Tunnel::poll`].
#[derive(Debug)]
pub struct Tunnel {
    to_client: Half,
    to_upstream: Half,
    stage: Stage,
    first: Option<Cause>,
    phase: Phase,
    linger_secs: u32,
    write_progress_secs: u32,
}

/// How far towards its end a tunnel is. It only moves downwards.
#[derive(Debug)]
enum Stage {
    /// Both directions flow; after the end of one, the other until the given time.
    Relay { linger: Option<Instant> },
    /// To be closed by us as soon as the client's stream stands between frames.
    Finishing { deadline: Instant, code: CloseCode, frame: Box<[u8]> },
    /// Nothing of the upstream's is relayed any more. What the client still sends goes up to the
    /// end of its Close.
    Parting { deadline: Instant, close: Option<CloseCode> },
}

impl Tunnel {
    /// A tunnel at its hand-over.
    ///
    /// `preload_to_client` must reach the client first: the 101's head as relayed (`head_len`
    /// bytes, no frames), then what the upstream has already sent behind it. `preload_to_upstream`
    /// must reach the upstream first.
    pub fn new(preload_to_client: Vec<u8>, head_len: usize, preload_to_upstream: Vec<u8>) -> Self {
        Self {
            to_client: Half::new(preload_to_client, head_len),
            to_upstream: Half::new(preload_to_upstream, 0),
            stage: Stage::Relay { linger: None },
            first: None,
            phase: Phase::Tunnel,
            linger_secs: whole_seconds(LINGER),
            write_progress_secs: whole_seconds(WRITE_PROGRESS),
        }
    }

    /// With another linger than [`LINGER`], in whole seconds.
    #[must_use]
    pub fn with_linger(mut self, linger: Duration) -> Self {
        self.linger_secs = whole_seconds(linger);
        self
    }

    /// With another limit than [`WRITE_PROGRESS`], in whole seconds.
    #[must_use]
    pub fn with_write_progress(mut self, limit: Duration) -> Self {
        self.write_progress_secs = whole_seconds(limit);
        self
    }

    /// Moves what can be moved without waiting.
    ///
    /// Must be called again when a socket wakes the task, after [`Tunnel::close`], and at
    /// [`Tunnel::deadline`]; not after it was ready.
    pub fn poll<C, U>(
        &mut self,
        cx: &mut Context<'_>,
        client: &mut C,
        upstream: &mut U,
        now: Instant,
    ) -> Poll<Ended>
    where
        C: AsyncRead + AsyncWrite + Unpin,
        U: AsyncRead + AsyncWrite + Unpin,
    {
        lend(|scratch| {
            let expired = self.expire(now);
            loop {
                let up = self.intake_up();
                let up = self.to_upstream.pump(cx, client, upstream, up, scratch, now);
                let down = self.intake_down();
                let down = self.to_client.pump(cx, upstream, client, down, scratch, now);
                if let Some(detail) = expired {
                    return Poll::Ready(self.ended(detail));
                }
                match self.turn(now) {
                    Turn::Over => return Poll::Ready(self.ended(self.detail())),
                    // Each move is a step towards the end, never taken back, so they are few.
                    Turn::Moved => {}
                    Turn::Rest => {
                        if up == Pumped::Hungry || down == Pumped::Hungry {
                            cx.waker().wake_by_ref();
                        }
                        return Poll::Pending;
                    }
                }
            }
        })
    }

    /// When [`Tunnel::poll`] must be called though no socket has moved; `None` while the tunnel is
    /// open and nothing waits to be written, so that an idle tunnel costs no timer.
    pub fn deadline(&self) -> Option<Instant> {
        match self.stage {
            Stage::Finishing { deadline, .. } | Stage::Parting { deadline, .. } => Some(deadline),
            Stage::Relay { linger } => {
                [linger, self.stalled_until(&self.to_client), self.stalled_until(&self.to_upstream)]
                    .into_iter()
                    .flatten()
                    .min()
            }
        }
    }

    /// Closes from our side: at the next frame boundary of the client's stream a Close with `code`
    /// and `reason` takes the place of what the upstream goes on to send. The client's answer is
    /// passed up; [`CLOSE_WAIT`] bounds it all.
    ///
    /// If the upstream has sent its own Close, that one stands. On a tunnel that is being closed it
    /// does nothing.
    pub fn close(&mut self, code: CloseCode, reason: &str, now: Instant) {
        if let Stage::Relay { .. } = self.stage {
            let frame = close::close_frame(code, reason);
            self.stage = Stage::Finishing { deadline: now + CLOSE_WAIT, code, frame };
            self.phase = Phase::Drain;
            self.to_client.cut_to_boundary();
            self.turn_finishing(now);
        }
    }

    /// Bytes that have passed so far.
    pub fn counters(&self) -> Counters {
        Counters { to_client: self.to_client.written(), to_upstream: self.to_upstream.written() }
    }

    /// Bytes held in memory for both directions: read, and not yet written.
    pub fn spilled(&self) -> usize {
        self.to_client.spilled() + self.to_upstream.spilled()
    }

    fn intake_down(&self) -> Intake {
        match self.stage {
            Stage::Relay { .. } => Intake::Relay,
            Stage::Finishing { .. } => Intake::ToBoundary,
            Stage::Parting { .. } => Intake::Discard,
        }
    }

    fn intake_up(&self) -> Intake {
        match self.stage {
            // A client says nothing after its Close (RFC 6455 section 5.5.1).
            Stage::Parting { .. } if self.to_upstream.frames().close_passed() => Intake::Discard,
            _ => Intake::Relay,
        }
    }

    fn stalled_until(&self, half: &Half) -> Option<Instant> {
        half.stalled_since().map(|since| since + seconds(self.write_progress_secs))
    }

    /// Applies the deadlines. What it returns ends the tunnel, after a last look at both
    /// directions.
    fn expire(&mut self, now: Instant) -> Option<Detail> {
        let passed = |deadline: Option<Instant>| deadline.is_some_and(|at| at <= now);
        let Stage::Relay { linger } = self.stage else {
            if !passed(self.deadline()) {
                return None;
            }
            // The upstream had its time. What the client still sends is now read and dropped, even
            // if it had to wait.
            self.to_upstream.fail_sink();
            let expired = matches!(self.first, None | Some(Cause::Drain));
            return Some(if expired { Detail::DrainExpired } else { self.detail() });
        };
        if passed(self.stalled_until(&self.to_upstream)) {
            self.first.get_or_insert(Cause::Stalled(Party::Upstream));
            self.to_upstream.fail_sink();
            self.to_client.fail_source();
        }
        if passed(self.stalled_until(&self.to_client)) {
            self.first.get_or_insert(Cause::Stalled(Party::Client));
            return Some(Detail::Stalled);
        }
        passed(linger).then_some(Detail::Linger)
    }
}

const fn seconds(count: u32) -> Duration {
    Duration::from_secs(count as u64)
}

/// Half the room of a `Duration`: there are as many of these as there are tunnels.
fn whole_seconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}
