//! One direction of a tunnel: from the socket it reads (its source) to the socket it writes (its
//! sink).
//!
//! Owns what was read and not yet written, how both ends stand, and the frame position of what the
//! sink has taken. Must never read on while a write is unfinished, nor decide why or when a tunnel
//! ends.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::frames::Follower;
use super::spill::Spill;

/// Reads one direction may do in one poll, so that a busy tunnel never starves the others on its
/// thread.
const READS_A_POLL: usize = 16;

/// One direction. All plain data; the sockets are lent for each call.
#[derive(Debug)]
pub(super) struct Half {
    spill: Spill,
    /// Bytes of the spill, from its front, that are no frames: the head of the 101.
    unframed: usize,
    frames: Follower,
    written: u64,
    /// Since when the spill has not moved.
    stalled: Option<Instant>,
    unflushed: bool,
    source: Source,
    sink: Sink,
}

/// How the socket stands that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// May bring more.
    Open,
    /// Ended properly.
    Finished,
    /// Ended by an error: its socket is good for nothing any more.
    Failed,
}

/// How the socket stands that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sink {
    /// Takes bytes.
    Open,
    /// To be shut down once the spill is written.
    Ending,
    /// Shut down: its peer has been told that nothing follows.
    Shut,
    /// Refused a write: what was meant for it is dropped.
    Failed,
}

/// What becomes of the bytes that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Intake {
    /// All are written to the sink.
    Relay,
    /// They are written up to the end of the frame in progress; what follows it is dropped.
    ToBoundary,
    /// They are dropped, so that their sender never blocks.
    Discard,
}

/// What stopped a direction in this poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pumped {
    /// A socket; it will wake the task, or has ended.
    Waits,
    /// Its share of reads was used up: it must be polled again.
    Hungry,
}

impl Half {
    /// A direction whose sink must first get `preload`, of which the first `unframed` bytes are no
    /// frames.
    pub(super) fn new(preload: Vec<u8>, unframed: usize) -> Self {
        Self {
            unframed: unframed.min(preload.len()),
            spill: Spill::new(preload),
            frames: Follower::new(),
            written: 0,
            stalled: None,
            unflushed: false,
            source: Source::Open,
            sink: Sink::Open,
        }
    }

    /// Moves what can be moved without waiting, in at most [`READS_A_POLL`] reads.
    ///
    /// Reads until the source has no more, since only a read that waits asks to be woken. After a
    /// short read that costs no system call: tokio has cleared the socket's readiness by then.
    pub(super) fn pump<S, D>(
        &mut self,
        cx: &mut Context<'_>,
        source: &mut S,
        sink: &mut D,
        intake: Intake,
        scratch: &mut [u8],
        now: Instant,
    ) -> Pumped
    where
        S: AsyncRead + Unpin,
        D: AsyncWrite + Unpin,
    {
        for _ in 0..READS_A_POLL {
            let blocked = self.poll_settle(cx, sink, now).is_pending();
            let intake = if self.sink == Sink::Open { intake } else { Intake::Discard };
            let enough = intake == Intake::ToBoundary && self.stands_at_boundary();
            if self.source != Source::Open || enough || (blocked && intake != Intake::Discard) {
                return Pumped::Waits;
            }
            let Poll::Ready(chunk) = self.poll_fill(cx, source, scratch) else {
                return Pumped::Waits;
            };
            match intake {
                Intake::Relay => self.offer(cx, sink, chunk, now),
                Intake::ToBoundary => {
                    let within = self.frames.bytes_to_boundary(chunk);
                    self.offer(cx, sink, &chunk[..within], now);
                }
                Intake::Discard => {}
            }
        }
        Pumped::Hungry
    }

    /// Puts a frame of ours behind what is left to write.
    pub(super) fn append(&mut self, frame: &[u8], now: Instant) {
        self.spill.append(frame);
        self.stalled.get_or_insert(now);
    }

    /// Drops what is left to write beyond the end of the frame in progress.
    pub(super) fn cut_to_boundary(&mut self) {
        let framed = &self.spill.rest()[self.unframed..];
        let keep = self.unframed + self.frames.bytes_to_boundary(framed);
        self.spill.truncate(keep);
    }

    /// Whether the sink's stream will stand between frames once all that is left has been written.
    pub(super) fn stands_at_boundary(&self) -> bool {
        let mut ahead = self.frames.clone();
        ahead.follow(&self.spill.rest()[self.unframed..]);
        ahead.at_boundary()
    }

    /// Lets the sink be shut down after what is left. Returns whether that is news.
    pub(super) fn end_sink(&mut self) -> bool {
        let news = self.sink == Sink::Open;
        if news {
            self.sink = Sink::Ending;
        }
        news
    }

    /// Takes the sink for lost, with what was meant for it.
    pub(super) fn fail_sink(&mut self) {
        if self.sink != Sink::Shut {
            self.sink = Sink::Failed;
        }
        self.spill = Spill::default();
        self.unframed = 0;
        self.unflushed = false;
        self.stalled = None;
    }

    /// Takes the source for lost.
    pub(super) fn fail_source(&mut self) {
        if self.source == Source::Open {
            self.source = Source::Failed;
        }
    }

    /// How the socket stands that is read.
    pub(super) fn source(&self) -> Source {
        self.source
    }

    /// How the socket stands that is written.
    pub(super) fn sink(&self) -> Sink {
        self.sink
    }

    /// Whether the sink will take nothing more, told or lost.
    pub(super) fn sink_is_done(&self) -> bool {
        matches!(self.sink, Sink::Shut | Sink::Failed)
    }

    /// Whether nothing more can pass: the source has ended and the sink is done.
    pub(super) fn is_over(&self) -> bool {
        self.source != Source::Open && self.sink_is_done()
    }

    /// Whether everything read has been written.
    pub(super) fn is_clear(&self) -> bool {
        self.spill.is_empty() && !self.unflushed
    }

    /// The frame position of what the sink has taken.
    pub(super) fn frames(&self) -> &Follower {
        &self.frames
    }

    /// Bytes the sink has taken.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// Since when what is left to write has not moved; `None` while nothing is left.
    pub(super) fn stalled_since(&self) -> Option<Instant> {
        self.stalled
    }

    /// Bytes read and not yet written.
    pub(super) fn spilled(&self) -> usize {
        self.spill.rest().len()
    }

    /// Writes what is left, flushes, and shuts the sink down if that is due.
    fn poll_settle<D>(&mut self, cx: &mut Context<'_>, sink: &mut D, now: Instant) -> Poll<()>
    where
        D: AsyncWrite + Unpin,
    {
        while !self.spill.is_empty() {
            match Pin::new(&mut *sink).poll_write(cx, self.spill.rest()) {
                Poll::Ready(Ok(count @ 1..)) => {
                    self.frames.follow(framed(&mut self.unframed, &self.spill.rest()[..count]));
                    self.spill.advance(count);
                    self.written += count as u64;
                    self.unflushed = true;
                    self.stalled = Some(now);
                }
                Poll::Ready(Ok(0) | Err(_)) => self.fail_sink(),
                Poll::Pending => {
                    self.stalled.get_or_insert(now);
                    return Poll::Pending;
                }
            }
        }
        self.stalled = None;
        if self.unflushed {
            match Pin::new(&mut *sink).poll_flush(cx) {
                Poll::Ready(Ok(())) => self.unflushed = false,
                Poll::Ready(Err(_)) => self.fail_sink(),
                Poll::Pending => return Poll::Pending,
            }
        }
        if self.sink == Sink::Ending {
            // A peer that is gone already needs no telling, so an error counts as told.
            let Poll::Ready(_) = Pin::new(sink).poll_shutdown(cx) else {
                return Poll::Pending;
            };
            self.sink = Sink::Shut;
        }
        Poll::Ready(())
    }

    /// Reads once; at the source's end the chunk is empty.
    fn poll_fill<'b, S>(
        &mut self,
        cx: &mut Context<'_>,
        source: &mut S,
        scratch: &'b mut [u8],
    ) -> Poll<&'b [u8]>
    where
        S: AsyncRead + Unpin,
    {
        let mut buffer = ReadBuf::new(scratch);
        match Pin::new(source).poll_read(cx, &mut buffer) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Err(_)) => self.source = Source::Failed,
            Poll::Ready(Ok(())) if buffer.filled().is_empty() => self.source = Source::Finished,
            Poll::Ready(Ok(())) => {}
        }
        let count = buffer.filled().len();
        Poll::Ready(&scratch[..count])
    }

    /// Writes `chunk` straight to the sink, and keeps what it does not take.
    fn offer<D>(&mut self, cx: &mut Context<'_>, sink: &mut D, chunk: &[u8], now: Instant)
    where
        D: AsyncWrite + Unpin,
    {
        let mut rest = chunk;
        while !rest.is_empty() {
            match Pin::new(&mut *sink).poll_write(cx, rest) {
                Poll::Ready(Ok(count @ 1..)) => {
                    self.frames.follow(&rest[..count]);
                    self.written += count as u64;
                    self.unflushed = true;
                    rest = &rest[count..];
                }
                Poll::Ready(Ok(0) | Err(_)) => return self.fail_sink(),
                Poll::Pending => {
                    self.spill = Spill::new(rest.to_vec());
                    self.stalled = Some(now);
                    return;
                }
            }
        }
    }
}

/// The part of `bytes` that belongs to frames; counts off what does not.
fn framed<'b>(unframed: &mut usize, bytes: &'b [u8]) -> &'b [u8] {
    let skipped = bytes.len().min(*unframed);
    *unframed -= skipped;
    &bytes[skipped..]
}
