//! Telling the subscribers of this instance.
//!
//! Owns who hears what, and how many signals wait for a slow subscriber. Must never wait for one, and must never wake
//! those whom a signal does not concern: a thousand sockets would be woken for each word to one of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::broadcast::error::RecvError;
use tokio::sync::broadcast::{Receiver, Sender};

use super::{Heard, Signal};
use crate::event::UserId;

/// How many signals wait for a subscriber before it is told of a gap instead.
const WAITING_MAX: usize = 1024;
/// The same for who hears of one user alone: a run says less than a hundred words.
const WAITING_OF_USER_MAX: usize = 128;

/// All subscribers of this instance. Clones are handles to the same ones.
#[derive(Clone, Debug)]
pub(super) struct Hub {
    /// Who hears of everything but events.
    service: Sender<Heard>,
    /// Who hears of a user's events, and of sessions that were revoked.
    users: Arc<Mutex<HashMap<UserId, Sender<Heard>>>>,
}

/// Signals from now on. Dropping it unsubscribes.
#[derive(Debug)]
pub struct Subscription {
    told: Receiver<Heard>,
    _place: Option<Place>,
}

/// A user's place at the hub, as long as somebody listens there.
#[derive(Debug)]
struct Place {
    hub: Hub,
    user: UserId,
}

impl Hub {
    /// Nobody listens yet.
    pub(super) fn new() -> Self {
        Self { service: Sender::new(WAITING_MAX), users: Arc::default() }
    }

    /// Tells those whom it concerns. That nobody listens is no failure.
    pub(super) fn tell(&self, signal: Arc<Signal>) {
        match &*signal {
            Signal::Event { user, .. } => {
                if let Some(sender) = self.users().get(user) {
                    let _ = sender.send(Heard::Signal(signal));
                }
            }
            // Which of them are whose is not known here; it is rare.
            Signal::Revoked { .. } => self.tell_all(&Heard::Signal(signal)),
            Signal::Cancel { .. } | Signal::Echo { .. } => {
                let _ = self.service.send(Heard::Signal(signal));
            }
        }
    }

    /// Tells everybody that some may have been missed.
    pub(super) fn tell_gap(&self) {
        self.tell_all(&Heard::Gap);
    }

    /// Listens from now on to everything but events.
    pub(super) fn subscribe(&self) -> Subscription {
        Subscription { told: self.service.subscribe(), _place: None }
    }

    /// Listens from now on to what concerns a user.
    pub(super) fn subscribe_to(&self, user: UserId) -> Subscription {
        let mut users = self.users();
        let sender = users.entry(user).or_insert_with(|| Sender::new(WAITING_OF_USER_MAX));
        let told = sender.subscribe();
        Subscription { told, _place: Some(Place { hub: self.clone(), user }) }
    }

    fn tell_all(&self, heard: &Heard) {
        let _ = self.service.send(heard.clone());
        for sender in self.users().values() {
            let _ = sender.send(heard.clone());
        }
    }

    fn users(&self) -> MutexGuard<'_, HashMap<UserId, Sender<Heard>>> {
        // Whole between any two lines: a panic elsewhere leaves nothing half done.
        self.users.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut users = self.hub.users();
        // The receiver of this subscription is dropped before its place.
        if users.get(&self.user).is_some_and(|sender| sender.receiver_count() == 0) {
            users.remove(&self.user);
        }
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
    use crate::event::{Event, What};

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

    /// Breaks if a socket is woken for another user's words, or if a user who left is remembered.
    #[tokio::test(start_paused = true)]
    async fn a_user_hears_of_its_own_events_and_of_every_revocation() {
        let (hub, one, two) = (Hub::new(), Uuid::from_u128(1), Uuid::from_u128(2));
        let event = |user| {
            let what = What::AgentThinking { text: String::new() };
            let event = Event { id: 1, thread: Uuid::nil(), run: None, at_ms: 0, what };
            Arc::new(Signal::Event { user, event, correlation: String::new() })
        };
        let mut tab = hub.subscribe_to(one);
        let other_tab = hub.subscribe_to(one);
        let revoked = Arc::new(Signal::Revoked { session: Uuid::nil() });
        for signal in [event(two), cancel(1), event(one), Arc::clone(&revoked)] {
            hub.tell(signal);
        }
        hub.tell_gap();
        assert_eq!(tab.next().await, Heard::Signal(event(one)));
        assert_eq!(tab.next().await, Heard::Signal(revoked));
        assert_eq!(tab.next().await, Heard::Gap);
        drop(tab);
        assert_eq!(hub.users().len(), 1);
        drop(other_tab);
        assert_eq!(hub.users().len(), 0);
    }
}
