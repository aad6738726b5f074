//! A bound on what one try reads.
//!
//! Owns counting the bytes that a dependency sends. Must never change one. It belongs under TLS, so that a
//! handshake without an end is bounded, too.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// As many bytes are read in one try.
pub const ANSWER_MAX: usize = 64 * 1024;

/// A stream of which at most so many bytes are read; more is an error of kind `FileTooLarge`.
#[derive(Debug)]
pub struct Capped<S> {
    stream: S,
    max: usize,
    left: usize,
}

impl<S> Capped<S> {
    /// At most [`ANSWER_MAX`] bytes.
    pub const fn new(stream: S) -> Self {
        Self::within(stream, ANSWER_MAX)
    }

    /// At most so many bytes, for a protocol which itself knows how much of an answer it takes.
    pub const fn within(stream: S, max: usize) -> Self {
        Self { stream, max, left: max }
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
                self.left = 0;
                buffer.set_filled(before);
                let message = format!("more than {} bytes", self.max);
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

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    //! Breaks the bound with a stream that is just as long, and one that is a byte longer.

    use tokio::io::AsyncReadExt;

    use super::*;

    #[tokio::test]
    async fn a25_a_byte_too_much_is_an_error_and_the_last_allowed_is_none() {
        let just = vec![7; ANSWER_MAX];
        let mut read = Vec::new();
        Capped::new(just.as_slice()).read_to_end(&mut read).await.unwrap();
        assert_eq!(read.len(), ANSWER_MAX);

        let more = vec![7; ANSWER_MAX + 1];
        let error = Capped::new(more.as_slice()).read_to_end(&mut Vec::new()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileTooLarge);
        assert_eq!(error.to_string(), "more than 65536 bytes");

        let tiny = Capped::within(&b"abc"[..], 2).read_to_end(&mut Vec::new()).await.unwrap_err();
        assert_eq!(tiny.kind(), ErrorKind::FileTooLarge);
    }
}
