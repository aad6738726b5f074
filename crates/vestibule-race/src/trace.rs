//! What passed over one client's connection, byte for byte.
//!
//! Owns the recording. Must never change, delay or reorder a byte.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};

use crate::clock::Clock;

/// Bytes kept of one connection; a recording stops there.
const RECORDED_BYTES_MAX: usize = 64 * 1024;

/// Everything recorded of one client's connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// In order of time.
    pub passages: Vec<Passage>,
}

/// Bytes that passed in one read or write; an empty read is the end of the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    /// Counted from the start of the race.
    pub at: Duration,
    /// Which way.
    pub direction: Direction,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// Which way bytes went, seen from the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the client.
    Sent,
    /// To the client.
    Received,
}

/// Where a connection's bytes are noted; clones write to the same trace.
#[derive(Clone, Debug)]
pub(crate) struct Recorder {
    clock: Clock,
    trace: Arc<Mutex<Trace>>,
}

impl Recorder {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, trace: Arc::default() }
    }

    /// What was recorded so far.
    pub(crate) fn trace(&self) -> Trace {
        self.trace.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, direction: Direction, bytes: &[u8]) {
        let mut trace = self.trace.lock().unwrap_or_else(PoisonError::into_inner);
        let held: usize = trace.passages.iter().map(|p| p.bytes.len()).sum();
        let room = RECORDED_BYTES_MAX.saturating_sub(held);
        if room == 0 {
            return;
        }
        trace.passages.push(Passage {
            at: self.clock.since_start(Instant::now()),
            direction,
            bytes: bytes[..bytes.len().min(room)].to_vec(),
        });
    }
}

/// A stream whose bytes are recorded when a recorder is there.
#[derive(Debug)]
pub(crate) struct Tap<S> {
    stream: S,
    recorder: Option<Recorder>,
}

impl<S> Tap<S> {
    pub(crate) fn new(stream: S, recorder: Option<Recorder>) -> Self {
        Self { stream, recorder }
    }

    fn note(&self, direction: Direction, bytes: &[u8]) {
        if let Some(recorder) = &self.recorder {
            recorder.note(direction, bytes);
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Tap<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(cx, buf))?;
        this.note(Direction::Received, &buf.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tap<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = ready!(Pin::new(&mut this.stream).poll_write(cx, buf))?;
        this.note(Direction::Sent, &buf[..written]);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    // Breaks the tap with a short write, two reads and the end.
    #[tokio::test(start_paused = true)]
    async fn every_byte_is_recorded_with_its_time() {
        let clock = Clock::start();
        let recorder = Recorder::new(clock);
        let (near, mut far) = duplex(64);
        let mut tap = Tap::new(near, Some(recorder.clone()));
        tap.write_all(b"GET").await.unwrap();
        tokio::time::advance(Duration::from_millis(7)).await;
        far.write_all(b"HTTP").await.unwrap();
        drop(far);
        let mut all = Vec::new();
        tap.read_to_end(&mut all).await.unwrap();
        let seen: Vec<_> = recorder
            .trace()
            .passages
            .into_iter()
            .map(|p| (p.at.as_millis(), p.direction, p.bytes))
            .collect();
        assert_eq!(
            seen,
            [
                (0, Direction::Sent, b"GET".to_vec()),
                (7, Direction::Received, b"HTTP".to_vec()),
                (7, Direction::Received, Vec::new()),
            ]
        );
    }
}
