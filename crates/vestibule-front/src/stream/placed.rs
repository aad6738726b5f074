//! How many public connections may be open, and one that has its place.
//!
//! Owns the count. Must never let a connection end without its place becoming free, nor free one
//! before the connection's descriptor is.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Semaphore;

use crate::stream::Stream;

/// The places for public connections. While none is free, newcomers wait in the kernel.
#[derive(Clone, Debug)]
pub struct Places(Arc<Semaphore>);

/// One place, free again when dropped.
#[derive(Debug)]
pub struct Place(Arc<Semaphore>);

/// A connection that has a place until it is dropped.
#[derive(Debug)]
pub struct Placed<S> {
    // Dropped in this order: the descriptor is free before the place is.
    stream: S,
    _place: Place,
}

impl Places {
    /// This many; at least one.
    pub fn new(count: usize) -> Self {
        Self(Arc::new(Semaphore::new(count.clamp(1, Semaphore::MAX_PERMITS))))
    }

    /// Whether there is none.
    pub fn are_taken(&self) -> bool {
        self.0.available_permits() == 0
    }

    /// Waits for a place. Cancel-safe.
    pub async fn take(&self) -> Place {
        match self.0.acquire().await {
            Ok(permit) => permit.forget(),
            // Nobody ever closes it.
            Err(_closed) => std::future::pending().await,
        }
        Place(Arc::clone(&self.0))
    }
}

impl Place {
    /// Gives the place to a connection.
    pub const fn seat<S>(self, stream: S) -> Placed<S> {
        Placed { stream, _place: self }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.add_permits(1);
    }
}

impl<S: Stream> Stream for Placed<S> {
    fn left(&self) -> impl Future<Output = ()> + Send {
        self.stream.left()
    }

    fn poll_read_shared(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.stream.poll_read_shared(cx, buf)
    }

    fn poll_write_shared(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.stream.poll_write_shared(cx, buf)
    }

    fn break_off(&self) {
        self.stream.break_off();
    }
}

impl<S: Stream> AsyncRead for Placed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: Stream> AsyncWrite for Placed<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
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
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    /// Would break if a wait that was given up kept its place, or a drop did not free one.
    #[tokio::test(start_paused = true)]
    async fn a_place_is_free_again_when_its_connection_goes_and_never_sooner() {
        let places = Places::new(2);
        let (first, second) = (places.take().await, places.take().await);
        assert!(places.are_taken());
        assert!(timeout(Duration::from_secs(9), places.take()).await.is_err());
        drop(first.seat(()));
        assert!(!places.are_taken());
        let third = places.take().await;
        assert!(places.are_taken());
        drop((second, third));
        assert_eq!(places.0.available_permits(), 2);
    }
}
