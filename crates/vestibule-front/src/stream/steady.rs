//! Writing to somebody who may have stopped reading.
//!
//! Owns the bound on a write that makes no progress. Must never bound the whole of it: a slow reader
//! gets all the time that it needs, as long as it reads.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

/// Others wait as long for a reader (nginx: `send_timeout`, 60 s).
const PROGRESS_MAX: Duration = Duration::from_secs(60);

/// A writer that gives up on a peer which takes nothing.
pub(crate) struct Steady<W>(pub(crate) W);

impl<W: AsyncWrite + Unpin> Steady<W> {
    /// Writes all of it.
    ///
    /// # Errors
    /// What the socket said, or that it took nothing for a minute.
    pub(crate) async fn write_all(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match timeout(PROGRESS_MAX, self.0.write(bytes)).await {
                Ok(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(Ok(count)) => bytes = &bytes[count..],
                Ok(Err(error)) => return Err(error),
                Err(_elapsed) => return Err(io::ErrorKind::TimedOut.into()),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

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
        let mut near = Steady(near);
        near.write_all(&[0; 256]).await.unwrap();
        let far = slow.await.unwrap();
        let stuck = near.write_all(&[0; 256]).await.unwrap_err();
        assert_eq!(stuck.kind(), io::ErrorKind::TimedOut);
        drop(far);
    }
}
