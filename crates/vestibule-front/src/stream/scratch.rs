//! Reading without a buffer of one's own.
//!
//! Owns the way from a socket through the thread's buffer to whoever keeps what is needed. Must
//! never keep a buffer across a wait: thousands of connections wait at the same time.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};

use crate::tunnel::scratch::lend;

/// Reads once, at most `most` bytes, and hands them to `keep`. Answers how many came; 0 is the
/// end. Cancel-safe.
///
/// # Errors
/// What the socket said.
pub async fn read_once<S>(
    stream: &mut S,
    most: usize,
    mut keep: impl FnMut(&[u8]),
) -> io::Result<usize>
where
    S: AsyncRead + Unpin,
{
    poll_fn(|cx| {
        lend(|buffer| {
            let most = most.min(buffer.len());
            let mut buffer = ReadBuf::new(&mut buffer[..most]);
            ready!(Pin::new(&mut *stream).poll_read(cx, &mut buffer))?;
            keep(buffer.filled());
            Poll::Ready(Ok(buffer.filled().len()))
        })
    })
    .await
}
