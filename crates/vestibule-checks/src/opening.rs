//! How an answer begins.
//!
//! Owns the first bytes that a dependency sent, so that an operator sees what answers there when it is not what
//! was expected. Must never change a byte.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// As many bytes are kept.
const KEPT: usize = 64;

/// A stream whose first read bytes are kept.
#[derive(Debug)]
pub(crate) struct Opening<S> {
    stream: S,
    heard: Heard,
    plausible: fn(&[u8]) -> bool,
}

/// What was heard first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heard(Arc<Mutex<Vec<u8>>>);

impl<S> Opening<S> {
    #[cfg(any(test, feature = "http"))]
    pub(crate) fn of(stream: S) -> (Self, Heard) {
        Self::plausible(stream, |_| true)
    }

    /// One that ends with an error as soon as its first bytes can't be those of the protocol: a library that
    /// takes them for a length would wait for the rest.
    pub(crate) fn plausible(stream: S, plausible: fn(&[u8]) -> bool) -> (Self, Heard) {
        let heard = Heard::default();
        (Self { stream, heard: heard.clone(), plausible }, heard)
    }
}

impl Heard {
    /// In ASCII; everything else is escaped.
    pub(crate) fn shown(&self) -> String {
        if self.is_empty() {
            return "nothing".to_owned();
        }
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        format!("\"{}\"", bytes.escape_ascii())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// As they came.
    #[cfg(any(feature = "grpc", feature = "postgres"))]
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps what there is room for, and says whether the whole is plausible.
    fn keep(&self, bytes: &[u8], plausible: fn(&[u8]) -> bool) -> bool {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let room = KEPT.saturating_sub(kept.len());
        kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
        kept.is_empty() || plausible(&kept)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Opening<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        if self.heard.keep(&buffer.filled()[before..], self.plausible) {
            return Poll::Ready(Ok(()));
        }
        buffer.set_filled(before);
        Poll::Ready(Err(io::Error::new(ErrorKind::InvalidData, "another protocol")))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Opening<S> {
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

#[cfg(test)]
mod tests {
    //! Breaks an opening with a stranger's bytes, and with more of them than are kept.

    use tokio::io::AsyncReadExt;

    use super::*;

    #[tokio::test]
    async fn f28_the_first_64_bytes_are_kept_and_no_byte_is_changed() {
        let bytes: Vec<u8> = (0..=255).collect();
        let (mut stream, heard) = Opening::of(bytes.as_slice());
        let mut read = Vec::new();
        assert_eq!(heard.shown(), "nothing");
        stream.read_to_end(&mut read).await.unwrap();
        assert_eq!(read, bytes);
        assert!(heard.shown().starts_with("\"\\x00\\x01"), "{}", heard.shown());
        assert!(heard.shown().ends_with(">?\""), "{}", heard.shown());
    }

    #[tokio::test]
    async fn f28_a_stranger_is_known_by_the_first_bytes() {
        let (mut stream, heard) = Opening::plausible(&b"SSH-2.0"[..], |bytes| bytes[0] == b'R');
        let error = stream.read(&mut [0; 16]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert_eq!(heard.shown(), "\"SSH-2.0\"");
        let (mut silent, _) = Opening::plausible(&b""[..], |bytes| bytes[0] == b'R');
        assert_eq!(silent.read(&mut [0; 16]).await.unwrap(), 0);
    }
}
