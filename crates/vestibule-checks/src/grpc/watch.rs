//! Changes that a server tells by itself.
//!
//! Owns what was told last, and the pace: a server that flaps is told on ten times a second at most, one that
//! can't be watched is tried again ever more seldom. Must never call a change what a pass has seen already.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until, timeout};
use vestibule::backoff::Backoff;
use vestibule::check::{Reason, Trouble};

use super::link::Statuses;
use super::meaning;

/// From one change that is told to the next.
const PACE: Duration = Duration::from_millis(100);

/// From one watch that failed to the next.
const AGAIN: Backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(30))
    .with_floor(Duration::from_millis(50));

/// A watch has so long to begin: a server sends the status that it has at once.
const OPENING: Duration = Duration::from_secs(10);

/// What is known of a service between two calls.
#[derive(Debug, Default)]
pub(super) struct Watch {
    known: Mutex<Known>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Known {
    /// Whether it served when it was last heard of; none if it never was.
    serves: Option<bool>,
    told: Option<Instant>,
}

impl Watch {
    /// A try ended.
    pub(super) fn asked(&self, serves: bool) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).serves = Some(serves);
    }

    /// Resolves when the service begins or ceases to serve, also when it was last asked before this was called.
    pub(super) async fn changed<F>(&self, open: impl Fn() -> F)
    where
        F: Future<Output = Result<Statuses, Trouble>>,
    {
        let told = self.known.lock().unwrap_or_else(PoisonError::into_inner).told;
        if let Some(told) = told {
            sleep_until(told + PACE).await;
        }
        let mut failed = 0_u32;
        loop {
            let began = Instant::now();
            if self.follow(&open).await {
                return;
            }
            if began.elapsed() > AGAIN.cap {
                failed = 0;
            }
            sleep(AGAIN.delay(failed, fastrand::f64())).await;
            failed = failed.saturating_add(1);
        }
    }

    /// One watch from its beginning to its end; whether it brought news. That it ended is none: a server may
    /// end it at any time and take the next at once.
    async fn follow<F>(&self, open: &impl Fn() -> F) -> bool
    where
        F: Future<Output = Result<Statuses, Trouble>>,
    {
        let mut statuses = match timeout(OPENING, open()).await {
            Ok(Ok(statuses)) => statuses,
            Ok(Err(trouble)) => return is_absence(trouble.reason()) && self.learns(false),
            Err(_) => return self.learns(false),
        };
        while let Ok(status) = statuses.next().await {
            if self.learns(meaning::of_status(status).is_ok()) {
                return true;
            }
        }
        false
    }

    /// Whether that is news. Of what nobody has asked about yet only a success is: the first pass comes by
    /// itself, but may have been answered a moment before.
    fn learns(&self, serves: bool) -> bool {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = known.serves.unwrap_or(false) != serves;
        known.serves = Some(serves);
        if is_news {
            known.told = Some(Instant::now());
        }
        is_news
    }
}

/// Whether nobody was there who could serve, rather than somebody who can't be watched.
const fn is_absence(reason: Reason) -> bool {
    use Reason::{ConnectTimeout, NotServing, Refused, Reset, ShuttingDown, Unreachable};
    matches!(reason, ConnectTimeout | NotServing | Refused | Reset | ShuttingDown | Unreachable)
}
