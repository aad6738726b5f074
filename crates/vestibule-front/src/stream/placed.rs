//! How many public connections may be open, and one that has its place.
//!
//! Owns the count. Must never let a connection end without its place becoming free, nor free one
//! before the connection's descriptor is.

use std::future::pending;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{Notify, Semaphore, SemaphorePermit};

use crate::stream::Stream;

/// The places for public connections. While none is free, newcomers wait in the kernel.
#[derive(Clone, Debug)]
pub struct Places(Arc<Books>);

#[derive(Debug)]
struct Books {
    limit: usize,
    free: Semaphore,
    /// A newcomer wants a place, and nobody has given up its own for it yet.
    is_wanted: AtomicBool,
    /// Asks the connection that has been idle for longest: waiters are served in order.
    ask: Notify,
    open: AtomicUsize,
    pauses: AtomicU64,
}

/// How full the door is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occupancy {
    /// Public connections that are open.
    pub open: usize,
    /// How many may be.
    pub limit: usize,
    /// How often accepting paused because that many were open. Only grows.
    pub pauses_total: u64,
}

/// One place, free again when dropped.
#[derive(Debug)]
pub struct Place {
    books: Arc<Books>,
    is_seated: bool,
}

/// A connection that has a place until it is dropped.
#[derive(Debug)]
pub struct Placed<S> {
    // Dropped in this order: the descriptor is free before the place is.
    stream: S,
    _place: Place,
}

impl Places {
    /// This many; at least one.
    pub fn new(limit: usize) -> Self {
        let limit = limit.clamp(1, Semaphore::MAX_PERMITS);
        Self(Arc::new(Books {
            limit,
            free: Semaphore::new(limit),
            is_wanted: AtomicBool::new(false),
            ask: Notify::new(),
            open: AtomicUsize::new(0),
            pauses: AtomicU64::new(0),
        }))
    }

    /// How full the door is now.
    pub fn occupancy(&self) -> Occupancy {
        Occupancy {
            open: self.0.open.load(Ordering::Relaxed),
            limit: self.0.limit,
            pauses_total: self.0.pauses.load(Ordering::Relaxed),
        }
    }

    /// A place, if one is free; otherwise accepting pauses until [`Self::take`] has one, and that is counted.
    pub fn take_or_pause(&self) -> Option<Place> {
        let taken = self.free_one();
        if taken.is_none() {
            self.0.pauses.fetch_add(1, Ordering::Relaxed);
        }
        taken
    }

    /// Waits for a place; a connection that is idle gives up its own. One task takes places at a time.
    /// Cancel-safe.
    pub async fn take(&self) -> Place {
        if let Some(place) = self.free_one() {
            return place;
        }
        let _wish = Wish::new(&self.0);
        match self.0.free.acquire().await {
            Ok(permit) => Place::new(&self.0, permit),
            // Nobody ever closes it.
            Err(_closed) => pending().await,
        }
    }

    /// Resolves when a newcomer wants the place of this connection, which is idle: the one that has waited here
    /// for longest is asked, and only that one. Cancel-safe.
    pub async fn is_wanted(&self) {
        loop {
            self.0.ask.notified().await;
            // The newcomer may have found another place since it asked.
            if self.0.is_wanted.swap(false, Ordering::Relaxed) {
                return;
            }
        }
    }

    fn free_one(&self) -> Option<Place> {
        self.0.free.try_acquire().ok().map(|permit| Place::new(&self.0, permit))
    }
}

/// The wish for one place, gone when dropped.
struct Wish<'a>(&'a Books);

impl<'a> Wish<'a> {
    fn new(books: &'a Books) -> Self {
        books.is_wanted.store(true, Ordering::Relaxed);
        books.ask.notify_one();
        Self(books)
    }
}

impl Drop for Wish<'_> {
    fn drop(&mut self) {
        self.0.is_wanted.store(false, Ordering::Relaxed);
    }
}

impl Place {
    fn new(books: &Arc<Books>, permit: SemaphorePermit<'_>) -> Self {
        permit.forget();
        Self { books: Arc::clone(books), is_seated: false }
    }

    /// Gives the place to a connection.
    pub fn seat<S>(mut self, stream: S) -> Placed<S> {
        self.is_seated = true;
        self.books.open.fetch_add(1, Ordering::Relaxed);
        Placed { stream, _place: self }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.is_seated {
            self.books.open.fetch_sub(1, Ordering::Relaxed);
        }
        self.books.free.add_permits(1);
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
    use std::pin::pin;
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    /// Would break if a wait that was given up kept its place, or a drop did not free one.
    #[tokio::test(start_paused = true)]
    async fn a_place_is_free_again_when_its_connection_goes_and_never_sooner() {
        let places = Places::new(2);
        let (first, second) = (places.take().await.seat(()), places.take().await.seat(()));
        assert!(places.take_or_pause().is_none());
        assert!(timeout(Duration::from_secs(9), places.take()).await.is_err());
        assert_eq!(places.occupancy(), Occupancy { open: 2, limit: 2, pauses_total: 1 });
        drop(first);
        let third = places.take_or_pause().unwrap();
        assert_eq!(places.occupancy(), Occupancy { open: 1, limit: 2, pauses_total: 1 });
        drop((second, third));
        assert_eq!((places.occupancy().open, places.0.free.available_permits()), (0, 2));
    }

    /// Would break if a wish outlived the newcomer, or asked more than one, or not the one idle for longest.
    #[tokio::test(start_paused = true)]
    async fn the_connection_idle_for_longest_is_asked_for_its_place_and_no_other() {
        let places = Places::new(1);
        let moment = Duration::from_millis(1);
        let taken = places.take().await;
        let (mut first, mut second) = (pin!(places.is_wanted()), pin!(places.is_wanted()));
        assert!(timeout(moment, async { tokio::join!(&mut first, &mut second) }).await.is_err());
        let mut newcomer = Box::pin(places.take());
        assert!(timeout(moment, &mut newcomer).await.is_err());
        timeout(moment, first).await.unwrap();
        assert!(timeout(moment, &mut second).await.is_err());
        drop(taken);
        let taken = newcomer.await;
        assert!(timeout(moment, &mut second).await.is_err(), "the wish had been granted");
        let mut newcomer = Box::pin(places.take());
        assert!(timeout(moment, &mut newcomer).await.is_err());
        timeout(moment, second).await.unwrap();
        drop((taken, newcomer));
    }

    /// Would break if a connection that was asked, and speaks in that moment, left the wish to another one
    /// although the newcomer has a place by then.
    #[tokio::test(start_paused = true)]
    async fn a_wish_that_nobody_heard_in_time_closes_nobody() {
        let places = Places::new(1);
        let moment = Duration::from_millis(1);
        let taken = places.take().await;
        let mut newcomer = Box::pin(places.take());
        let mut asked = Box::pin(places.is_wanted());
        assert!(timeout(moment, &mut newcomer).await.is_err());
        drop(taken);
        let taken = newcomer.await;
        assert!(timeout(moment, &mut asked).await.is_err());
        let mut newcomer = Box::pin(places.take());
        // Asked, and not looked at again before it is dropped.
        assert!(timeout(moment, &mut newcomer).await.is_err());
        drop(asked);
        drop((taken, newcomer));
        assert!(timeout(moment, places.is_wanted()).await.is_err());
    }
}
