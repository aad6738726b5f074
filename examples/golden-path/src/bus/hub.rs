//! Telling the subscribers of this instance.
//!
//! Owns how many signals wait for a slow subscriber. Must never wait for one.

use std::sync::Arc;

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::{Heard, Signal};

/// How many signals wait for a subscriber before it is told of a gap instead.
const WAITING_MAX: usize = 1024;

/// All subscribers of this instance. Clones are handles to the same ones.
#[derive(Clone, Debug)]
pub(super) struct Hub {
    told: broadcast::Sender<Heard>,
}

/// All signals from now on. Dropping it unsubscribes.
#[derive(Debug)]
pub struct Subscription {
    told: broadcast::Receiver<Heard>,
}

impl Hub {
    /// Nobody listens yet.
    pub(super) fn new() -> Self {
        Self { told: broadcast::Sender::new(WAITING_MAX) }
    }

    /// Tells everybody of a signal.
    pub(super) fn tell(&self, signal: Arc<Signal>) {
        // That nobody listens is no failure.
        let _ = self.told.send(Heard::Signal(signal));
    }

    /// Tells everybody that some may have been missed.
    pub(super) fn tell_gap(&self) {
        let _ = self.told.send(Heard::Gap);
    }

    /// Listens from now on.
    pub(super) fn subscribe(&self) -> Subscription {
        Subscription { told: self.told.subscribe() }
    }
}

impl Subscription {
    /// The next. Cancel-safe.
    pub async fn next(&mut self) -> Heard {
        match self.told.recv().await {
            Ok(heard) => heard,
            Err(RecvError::Lagged(_)) => Heard::Gap,
            // The bus is gone: nothing will be told any more.
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn cancel(number: u128) -> Arc<Signal> {
        Arc::new(Signal::Cancel { run: Uuid::from_u128(number) })
    }

    /// Breaks if signals change their order, or if one who came late hears what was told before.
    #[tokio::test(start_paused = true)]
    async fn subscribers_hear_all_from_then_on_in_order() {
        let hub = Hub::new();
        let mut early = hub.subscribe();
        hub.tell(cancel(1));
        let mut late = hub.subscribe();
        hub.tell(cancel(2));
        assert_eq!(early.next().await, Heard::Signal(cancel(1)));
        assert_eq!(early.next().await, Heard::Signal(cancel(2)));
        assert_eq!(late.next().await, Heard::Signal(cancel(2)));
    }

    /// Breaks if a subscriber that does not listen keeps all signals in memory, or misses some without a word.
    #[tokio::test(start_paused = true)]
    async fn who_is_too_slow_hears_of_a_gap() {
        let hub = Hub::new();
        let mut slow = hub.subscribe();
        for number in 0..=(WAITING_MAX as u128) {
            hub.tell(cancel(number));
        }
        assert_eq!(slow.next().await, Heard::Gap);
        assert_eq!(slow.next().await, Heard::Signal(cancel(1)));
    }
}
