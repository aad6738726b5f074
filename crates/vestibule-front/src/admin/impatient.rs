//! A connection that is given up when its peer takes nothing for too long.
//!
//! Owns the clock of writing: a scraper that stops reading in the middle of an answer would keep one
//! of few places for ever. Must never limit how long there is nothing to write.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// How long a peer may take nothing while something waits for it.
const WRITE_PROGRESS: Duration = Duration::from_secs(30);

/// A connection whose writes can't wait for ever.
#[derive(Debug)]
pub(super) struct Impatient<S> {
    stream: S,
    given_up: Option<Pin<Box<Sleep>>>,
}

impl<S> Impatient<S> {
    pub(super) const fn new(stream: S) -> Self {
        Self { stream, given_up: None }
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
        let end = || Box::pin(sleep_until(Instant::now() + WRITE_PROGRESS));
        let given_up = self.given_up.get_or_insert_with(end);
        if given_up.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        self.given_up = None;
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Impatient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Impatient<S> {
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
    async fn a_peer_that_takes_nothing_is_left_and_one_that_is_slow_is_not() {
        let (ours, mut theirs) = tokio::io::duplex(8);
        let mut ours = Impatient::new(ours);
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
