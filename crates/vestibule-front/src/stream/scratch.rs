//! Reading without a buffer of one's own.
//!
//! Owns each thread's one read buffer, and the way through it from a socket to whoever keeps what
//! is needed. Must never lend it to two at once, nor keep it across a wait: thousands of
//! connections wait at the same time.

use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};

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

/// Bytes one read may bring: one buffer of this size a thread measured fastest for messages from 16
/// KiB up.
const READ_SIZE: usize = 64 * 1024;

thread_local! {
    static SPARE: Cell<Option<Box<[u8]>>> = const { Cell::new(None) };
}

/// Runs `work` with the thread's buffer. A poll inside a poll gets a buffer of its own.
pub(crate) fn lend<T>(work: impl FnOnce(&mut [u8]) -> T) -> T {
    let mut buffer = SPARE.take().unwrap_or_else(|| vec![0; READ_SIZE].into_boxed_slice());
    let result = work(&mut buffer);
    SPARE.set(Some(buffer));
    result
}
