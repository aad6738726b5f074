//! Which HTTP a connection speaks.
//!
//! Owns the look at its first bytes, and that nobody misses them afterwards. Must never wait for more of them than
//! tell the two apart.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::stream::scratch::read_once;

/// What a client that knows says first (RFC 9113 section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What a connection speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Speaks {
    /// HTTP/1.1, or nothing that we know.
    Http1,
    /// HTTP/2 with prior knowledge.
    Http2,
}

/// Reads until it is known, or the stream ends.
pub(super) async fn hear<S: AsyncRead + Unpin>(mut stream: S) -> io::Result<(Speaks, Replayed<S>)> {
    let mut heard = Vec::with_capacity(PREFACE.len());
    loop {
        let wanted = PREFACE.len() - heard.len();
        let count = read_once(&mut stream, wanted, |bytes| heard.extend(bytes)).await?;
        let speaks = if heard == PREFACE { Speaks::Http2 } else { Speaks::Http1 };
        if count == 0 || heard.len() == PREFACE.len() || !PREFACE.starts_with(&heard) {
            return Ok((speaks, Replayed { heard, at: 0, stream }));
        }
    }
}

/// A connection whose first bytes come again.
#[derive(Debug)]
pub(super) struct Replayed<S> {
    heard: Vec<u8>,
    at: usize,
    stream: S,
}

impl<S: AsyncRead + Unpin> AsyncRead for Replayed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let left = this.heard.get(this.at..).unwrap_or_default();
        if left.is_empty() {
            return Pin::new(&mut this.stream).poll_read(cx, buf);
        }
        let count = left.len().min(buf.remaining());
        buf.put_slice(&left[..count]);
        this.at += count;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Replayed<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
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
    //! Cuts first bytes anywhere, and looks whether one is missed.

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    async fn heard(parts: &[&[u8]]) -> (Speaks, Vec<u8>) {
        let (near, mut far) = tokio::io::duplex(1024);
        let parts: Vec<Vec<u8>> = parts.iter().map(|part| part.to_vec()).collect();
        let says = async move {
            for part in parts {
                far.write_all(&part).await.unwrap();
                tokio::task::yield_now().await;
            }
        };
        let hears = async {
            let (speaks, mut stream) = hear(near).await.unwrap();
            let mut all = Vec::new();
            stream.read_to_end(&mut all).await.unwrap();
            (speaks, all)
        };
        tokio::join!(says, hears).1
    }

    #[tokio::test(start_paused = true)]
    async fn whatever_the_cuts_the_two_are_told_apart_and_no_byte_is_missed() {
        let rows: [(&[u8], Speaks); 6] = [
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0", Speaks::Http2),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r", Speaks::Http1),
            (b"PRI * HTTP/1.1\r\n\r\n", Speaks::Http1),
            (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", Speaks::Http1),
            (b"P", Speaks::Http1),
            (b"", Speaks::Http1),
        ];
        for (bytes, speaks) in rows {
            for cut in 0..=bytes.len() {
                let (before, behind) = bytes.split_at(cut);
                assert_eq!(heard(&[before, behind]).await, (speaks, bytes.to_vec()), "{cut}");
            }
        }
    }
}
