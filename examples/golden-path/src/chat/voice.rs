//! What a run says: stored, then told.
//!
//! Owns that order, and what is done while the database is away. Must never tell what is not stored.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use vestibule::backoff::Backoff;

use super::story::Story;
use crate::bus::{Bus, Signal};
use crate::event::What;
use crate::log::Step;
use crate::store::{AppendError, Lease, Store, StoreError};

/// Between two tries to store a word.
const AGAIN: Backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(1))
    .with_floor(Duration::from_millis(20));
/// How long a word is tried to be stored. Whoever takes the run over goes on behind the last that was.
const PATIENCE: Duration = Duration::from_secs(120);

/// Why a run can't go on here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mute {
    /// It is another's now, or it has ended, or the database is away for good: whoever takes it over goes on.
    Gone,
    /// The database does not take the word, and never will: the run is to end.
    Refused,
}

/// The voice of one run.
pub(super) struct Voice {
    pub(super) store: Store,
    pub(super) bus: Bus,
    pub(super) lease: Lease,
    /// What it has said.
    pub(super) story: Story,
}

impl Voice {
    /// Says it: returns once it is stored and told.
    pub(super) async fn say(&mut self, what: What) -> Result<(), Mute> {
        let began = Instant::now();
        let mut tries = 0;
        let event = loop {
            match self.store.append(&self.lease, &what).await {
                Ok(event) => break event,
                Err(AppendError::Store(StoreError::Unavailable(_)))
                    if began.elapsed() < PATIENCE =>
                {
                    sleep(AGAIN.delay(tries, fastrand::f64())).await;
                    tries = tries.saturating_add(1);
                }
                Err(AppendError::NotOurs) => return Err(Mute::Gone),
                Err(AppendError::Store(error)) => {
                    tracing::error!(reason = %error, run = %self.lease.run, "a run can't be stored");
                    let is_away = matches!(error, StoreError::Unavailable(_));
                    return Err(if is_away { Mute::Gone } else { Mute::Refused });
                }
            }
        };
        self.story.heard(&what);
        Step::Event(what.name()).log(&self.lease.correlation);
        let (user, correlation) = (self.lease.user, self.lease.correlation.clone());
        self.bus.publish(Signal::Event { user, event, correlation });
        Ok(())
    }
}
