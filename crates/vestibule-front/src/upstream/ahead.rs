//! Connections dialled ahead, while clients are held.
//!
//! Owns fresh connections that have carried nothing yet: when the service gets ready, accepting
//! them is work it has already done. Must never send a byte on one, lend one twice, or take what a
//! service needs for its own start: one that gives a thread to each connection is left alone.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};
use std::time::Duration;

use tokio::time::sleep;

use crate::stream::Stream;
use crate::upstream::dial::Dial;

/// The first batch; each further one is twice as large.
const BATCH_FIRST: usize = 1;
/// How often it grows where no probe sets the pace.
const GROW_EVERY: Duration = Duration::from_millis(10);
/// The largest batch: an accept queue is short.
const BATCH_MAX: usize = 32;

/// A way to the upstream that keeps some connections ready.
pub struct Ahead<D: Dial> {
    dial: D,
    most: AtomicUsize,
    stock: Mutex<Stock<D::Stream>>,
}

/// What is kept.
enum Stock<S> {
    /// Connections, and how many may join them next.
    Open { idle: VecDeque<S>, batch: usize },
    /// The service stopped answering when it had some: it shall not have any.
    Harmful,
}

impl<S> Default for Stock<S> {
    fn default() -> Self {
        Self::Open { idle: VecDeque::new(), batch: BATCH_FIRST }
    }
}

impl<D: Dial> Ahead<D> {
    /// Keeps up to `most` connections; none if 0.
    pub fn new(dial: D, most: usize) -> Self {
        Self { dial, most: most.into(), stock: Mutex::default() }
    }

    /// Keeps up to so many from now on. What it has already, it keeps.
    pub fn set_most(&self, most: usize) {
        self.most.store(most, Ordering::Relaxed);
    }

    /// The way without a stock: for probes, which must see what a newcomer sees.
    pub const fn fresh(&self) -> &D {
        &self.dial
    }

    /// The service answered, and is not ready: it accepts before it is ready, and bears what it
    /// has. Dials the next batch, if more are `wanted` than there are.
    pub async fn grow(&self, wanted: usize) {
        for _ in 0..self.room(wanted) {
            let Ok(stream) = self.dial.dial().await else { return };
            if let Stock::Open { idle, .. } = &mut *self.lock() {
                idle.push_back(stream);
            }
        }
    }

    /// Grows again and again, for a service that says by itself when it is ready and is asked
    /// nothing meanwhile. Never resolves.
    pub async fn keep_growing(&self, wanted: impl Fn() -> usize) {
        loop {
            self.grow(wanted()).await;
            sleep(GROW_EVERY).await;
        }
    }

    /// The service did not answer. If it holds connections of ours, they may be why.
    pub fn unanswered(&self) {
        let mut stock = self.lock();
        if matches!(&*stock, Stock::Open { idle, .. } if !idle.is_empty()) {
            tracing::info!("no answer beside connections dialled ahead: leaving them out");
            *stock = Stock::Harmful;
        }
    }

    /// Closes what is left: everyone who was held has gone, or the service has.
    pub fn clear(&self) {
        *self.lock() = Stock::default();
    }

    /// How many are kept.
    pub fn kept(&self) -> usize {
        match &*self.lock() {
            Stock::Open { idle, .. } => idle.len(),
            Stock::Harmful => 0,
        }
    }

    /// How many may be dialled now.
    fn room(&self, wanted: usize) -> usize {
        match &mut *self.lock() {
            Stock::Open { idle, batch } => {
                let most = self.most.load(Ordering::Relaxed);
                let room = wanted.min(most).saturating_sub(idle.len()).min(*batch);
                if room > 0 {
                    *batch = BATCH_MAX.min(*batch * 2);
                }
                room
            }
            Stock::Harmful => 0,
        }
    }

    /// The oldest that the service has not closed meanwhile: a server with few threads has taken
    /// the oldest, and would not look at a later one.
    fn take(&self) -> Option<D::Stream> {
        let Stock::Open { idle, .. } = &mut *self.lock() else { return None };
        while let Some(stream) = idle.pop_front() {
            if !has_left(&stream) {
                return Some(stream);
            }
        }
        None
    }

    fn lock(&self) -> MutexGuard<'_, Stock<D::Stream>> {
        self.stock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<D: Dial> Dial for Ahead<D> {
    type Stream = D::Stream;

    async fn dial(&self) -> io::Result<D::Stream> {
        match self.take() {
            Some(stream) => Ok(stream),
            None => self.dial.dial().await,
        }
    }
}

/// Whether the peer is known to have left, without waiting.
fn has_left<S: Stream>(stream: &S) -> bool {
    let mut left = std::pin::pin!(stream.left());
    left.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::upstream::dial::Upstream;

    impl<D: Dial> Ahead<D> {
        fn closed(&self) -> usize {
            match &*self.lock() {
                Stock::Open { idle, .. } => idle.iter().filter(|stream| has_left(*stream)).count(),
                Stock::Harmful => 0,
            }
        }
    }

    async fn before(most: usize) -> (Ahead<Upstream>, TcpListener) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        (Ahead::new(Upstream::Loopback(port), most), listener)
    }

    async fn accepted(listener: &TcpListener, count: usize) -> Vec<TcpStream> {
        let mut streams = Vec::new();
        for _ in 0..count {
            streams.push(listener.accept().await.unwrap().0);
        }
        streams
    }

    #[tokio::test]
    async fn it_grows_in_batches_up_to_what_is_wanted_and_allowed() {
        let (ahead, _listener) = before(10).await;
        let mut kept = Vec::new();
        for _ in 0..6 {
            ahead.grow(9).await;
            kept.push(ahead.kept());
        }
        assert_eq!(kept, [1, 3, 7, 9, 9, 9]);
        ahead.grow(1000).await;
        assert_eq!(ahead.kept(), 10);
        let (none, _listener) = before(0).await;
        none.grow(5).await;
        assert_eq!(none.kept(), 0);
    }

    /// A connection that the service closed while it idled is no failure of anybody's.
    #[tokio::test]
    async fn what_the_service_closed_is_passed_over_and_then_dialled_anew() {
        let (ahead, listener) = before(10).await;
        ahead.grow(3).await;
        ahead.grow(3).await;
        let mut service = accepted(&listener, 3).await;
        drop(service.drain(..2));
        let mut last = service.remove(0);
        // The kernel's word takes a moment.
        while ahead.closed() < 2 {
            tokio::task::yield_now().await;
        }
        drop(ahead.dial().await.unwrap());
        assert_eq!(last.read(&mut [0]).await.unwrap(), 0);
        assert_eq!(ahead.kept(), 0);
        let fresh = ahead.dial().await.unwrap();
        accepted(&listener, 1).await;
        drop(fresh);
    }

    /// A server that gives its only thread to our idle connection must get it back.
    #[tokio::test]
    async fn a_service_that_stops_answering_is_left_alone_until_it_starts_anew() {
        let (ahead, listener) = before(10).await;
        ahead.unanswered();
        ahead.grow(5).await;
        assert_eq!(ahead.kept(), 1);
        let mut service = accepted(&listener, 1).await;
        ahead.unanswered();
        assert_eq!(service[0].read(&mut [0]).await.unwrap(), 0);
        ahead.grow(5).await;
        assert_eq!(ahead.kept(), 0);
        ahead.clear();
        ahead.grow(5).await;
        assert_eq!(ahead.kept(), 1);
    }
}
