//! All sockets of this instance.
//!
//! Owns who has a seat, and the word that all are to leave. Must never close a socket: each one does so itself when its
//! turn has come.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use super::shares::Shares;
use crate::event::UserId;

/// How far apart two sockets close when there is time: clients that come again do so one after another.
const PACE: Duration = Duration::from_millis(10);

/// The sockets of this instance. Clones are handles to the same ones.
#[derive(Clone, Debug)]
pub struct Sockets {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    instance: String,
    shares: Mutex<Shares>,
    /// How many are open.
    open: watch::Sender<u32>,
    /// Whether they are to leave.
    leaving: watch::Sender<Option<Leaving>>,
    /// How many have asked for their turn to leave.
    turns: AtomicU32,
}

#[derive(Clone, Copy, Debug)]
struct Leaving {
    from: Instant,
    /// Between one and the next.
    pace: Duration,
    /// Nobody goes later.
    within: Duration,
}

/// A socket's seat: dropping it gives it back.
#[derive(Debug)]
pub(super) struct Seat {
    sockets: Sockets,
    user: UserId,
}

impl Sockets {
    /// None yet. `instance` is what the greeting calls us.
    pub fn new(instance: impl Into<String>) -> Self {
        let shared = Shared {
            instance: instance.into(),
            shares: Mutex::default(),
            open: watch::Sender::new(0),
            leaving: watch::Sender::new(None),
            turns: AtomicU32::new(0),
        };
        Self { shared: Arc::new(shared) }
    }

    /// How many are open.
    pub fn open(&self) -> u32 {
        *self.shared.open.borrow()
    }

    /// Closes all of them with [`super::close::RESTART`], one after another, and takes no more. Returns when none is
    /// left, at the latest after `within`.
    pub async fn close(&self, within: Duration) {
        let mut open = self.shared.open.subscribe();
        let crowd = *open.borrow_and_update();
        // A fifth of the time is left for those who go last.
        let within_turns = within * 4 / 5;
        let pace = (within_turns / crowd.max(1)).min(PACE);
        let leaving = Leaving { from: Instant::now(), pace, within: within_turns };
        self.shared.leaving.send_replace(Some(leaving));
        let _ = timeout(within, open.wait_for(|open| *open == 0)).await;
    }

    /// What the greeting calls us.
    pub(super) fn instance(&self) -> &str {
        &self.shared.instance
    }

    /// Whether all are to leave.
    pub(super) fn is_leaving(&self) -> bool {
        self.shared.leaving.borrow().is_some()
    }

    /// A seat, unless the user has `max` of them.
    pub(super) fn enter(&self, user: UserId, max: usize) -> Option<Seat> {
        if !self.shares().enter(user, max, Instant::now()) {
            return None;
        }
        self.shared.open.send_modify(|open| *open += 1);
        Some(Seat { sockets: self.clone(), user })
    }

    fn shares(&self) -> MutexGuard<'_, Shares> {
        // Counts are whole between any two lines: a panic elsewhere leaves nothing half done.
        self.shared.shares.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// Counts a message of this user's, unless there were too many.
    pub(super) fn may_send(&self, a_minute: u32) -> bool {
        self.sockets.shares().may_send(self.user, a_minute, Instant::now())
    }

    /// Waits for the turn to leave.
    pub(super) async fn turn_to_leave(&self) {
        let shared = &self.sockets.shared;
        let mut leaving = shared.leaving.subscribe();
        let Ok(Some(leaving)) = leaving.wait_for(Option::is_some).await.map(|leaving| *leaving)
        else {
            // The sender is ours as long as we have a seat.
            return std::future::pending().await;
        };
        let turn = shared.turns.fetch_add(1, Ordering::Relaxed);
        let after = leaving.pace.saturating_mul(turn).min(leaving.within);
        sleep_until(leaving.from + after).await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.sockets.shares().leave(self.user, Instant::now());
        self.sockets.shared.open.send_modify(|open| *open = open.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    async fn leave_all(crowd: u32, within: Duration) -> (Duration, u32) {
        let sockets = Sockets::new("one");
        let began = Instant::now();
        for _ in 0..crowd {
            let seat = sockets.enter(Uuid::nil(), usize::MAX).expect("a seat");
            tokio::spawn(async move { seat.turn_to_leave().await });
        }
        sockets.close(within).await;
        (began.elapsed(), sockets.open())
    }

    /// Breaks if all leave at the same moment, or if a few wait as long as many, or if some stay.
    #[tokio::test(start_paused = true)]
    async fn sockets_leave_one_after_another_within_the_time() {
        let (took, left) = leave_all(5, Duration::from_secs(4)).await;
        assert!(took >= PACE * 4 && took < PACE * 6 && left == 0, "{took:?}, {left}");
        let (took, left) = leave_all(5000, Duration::from_secs(4)).await;
        assert!(took > Duration::from_secs(3) && took <= Duration::from_secs(4), "{took:?}");
        assert_eq!(left, 0);
    }

    /// Breaks if somebody who does not leave keeps the instance.
    #[tokio::test(start_paused = true)]
    async fn closing_ends_although_one_stays() {
        let sockets = Sockets::new("one");
        let seat = sockets.enter(Uuid::nil(), 1).expect("a seat");
        sockets.close(Duration::from_secs(1)).await;
        assert_eq!(sockets.open(), 1);
        drop(seat);
        assert_eq!(sockets.open(), 0);
    }
}
