//! Writing to somebody who may have stopped reading.
//!
//! Owns the bound on a write that makes no progress. Must never bound the whole of it: a slow reader
//! gets all the time that it needs, as long as it reads. Must never bound how long there is nothing to write.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// Others wait as long for a reader (nginx: `send_timeout`, 60 s).
const PROGRESS_MAX: Duration = Duration::from_secs(60);

/// A connection, or a writer alone, that gives up on a peer which takes nothing: its write then ends with
/// [`io::ErrorKind::TimedOut`].
#[derive(Debug)]
pub(crate) struct Steady<S> {
    stream: S,
    progress_max: Duration,
    given_up: Option<Pin<Box<Sleep>>>,
}

impl<S> Steady<S> {
    /// For a client of the service's: a minute without progress is the most.
    pub(crate) const fn new(stream: S) -> Self {
        Self::within(stream, PROGRESS_MAX)
    }

    /// With another bound.
    pub(crate) const fn within(stream: S, progress_max: Duration) -> Self {
        Self { stream, progress_max, given_up: None }
    }

    fn progress(
        &mut self,
        cx: &mut Context<'_>,
        wrote: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if wrote.is_ready() {
            self.given_up = None;
            return wrote;
        }
        let end = || Box::pin(sleep_until(Instant::now() + self.progress_max));
        let given_up = self.given_up.get_or_insert_with(end);
        if given_up.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        self.given_up = None;
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Steady<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Steady<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.progress(cx, wrote)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    //! Stops reading, and expects to be left.

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_nothing_is_given_up_and_a_slow_one_is_not() {
        let (near, mut far) = tokio::io::duplex(16);
        let slow = tokio::spawn(async move {
            for _ in 0..16 {
                tokio::time::sleep(PROGRESS_MAX / 2).await;
                far.read_exact(&mut [0; 16]).await.unwrap();
            }
            far
        });
        let mut near = Steady::new(near);
        near.write_all(&[0; 256]).await.unwrap();
        let far = slow.await.unwrap();
        let stuck = near.write_all(&[0; 256]).await.unwrap_err();
        assert_eq!(stuck.kind(), io::ErrorKind::TimedOut);
        drop(far);
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_nothing_is_left_and_one_that_is_slow_is_not() {
        const WRITE_PROGRESS: Duration = Duration::from_secs(30);
        let (ours, mut theirs) = tokio::io::duplex(8);
        let mut ours = Steady::within(ours, WRITE_PROGRESS);
        let began = Instant::now();
        let error = ours.write_all(&[0; 100]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(began.elapsed(), WRITE_PROGRESS);
        let slow = async {
            for _ in 0..13 {
                tokio::time::advance(WRITE_PROGRESS / 2).await;
                theirs.read_exact(&mut [0; 8]).await.unwrap();
            }
        };
        let (_, wrote) = tokio::join!(slow, ours.write_all(&[0; 100]));
        wrote.unwrap();
    }
}
