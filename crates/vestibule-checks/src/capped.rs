//! A bound on what one try reads.
//!
//! Owns counting the bytes that a dependency sends. Must never change one.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// As many bytes are read in one try.
pub const ANSWER_MAX: usize = 64 * 1024;

/// A stream of which at most [`ANSWER_MAX`] bytes are read; more is an error of kind `FileTooLarge`.
#[derive(Debug)]
pub struct Capped<S> {
    stream: S,
    left: usize,
}

impl<S> Capped<S> {
    /// Nothing was read yet.
    pub const fn new(stream: S) -> Self {
        Self { stream, left: ANSWER_MAX }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Capped<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let read = buffer.filled().len() - before;
        match self.left.checked_sub(read) {
            Some(left) => self.left = left,
            None => {
                let message = format!("more than {ANSWER_MAX} bytes");
                return Poll::Ready(Err(io::Error::new(ErrorKind::FileTooLarge, message)));
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Capped<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
