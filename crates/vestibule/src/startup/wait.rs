//! Waiting for a phase.
//!
//! Owns the wait: an await with a deadline on what the publisher says, no polling. Must never outlast its
//! deadline, nor [`WAKE_UPS_MAX`] wake-ups of a publisher gone wild.

use tokio::sync::watch;
use tokio::time::Instant;

use crate::follow::{self, Stopped};

use super::{Phase, PhaseFailure, Timeline};

/// How often one [`Watch::wait_for`] may wake before it calls its publisher wild.
pub const WAKE_UPS_MAX: u32 = follow::WAKE_UPS_MAX;

/// One follower of a start.
#[derive(Clone, Debug)]
pub struct Watch {
    seen: watch::Receiver<Timeline>,
}

impl Watch {
    pub(super) const fn new(seen: watch::Receiver<Timeline>) -> Self {
        Self { seen }
    }

    /// The timeline now.
    #[must_use]
    pub fn timeline(&self) -> Timeline {
        self.seen.borrow().clone()
    }

    /// Waits for the next timeline that this watch has not returned yet.
    ///
    /// Steps that come faster than they are read are merged. Once the publisher is gone there is no next
    /// timeline, and this never resolves: select it against what else may end the wait.
    pub async fn changed(&mut self) -> Timeline {
        if self.seen.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
        self.seen.borrow_and_update().clone()
    }

    /// Waits until the start has come to `phase` or gone past it, at most until `deadline`.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use tokio::time::Instant;
    /// use vestibule::startup::{self, NotReached, Phase, Phases};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let (startup, mut watch) = startup::channel("start of chat", Phases::default());
    /// let soon = Instant::now() + Duration::from_secs(1);
    /// startup.enter(Phase::CACHE).unwrap();
    /// assert_eq!(watch.wait_for(Phase::DATABASE, soon).await, Ok(()));
    /// let answer = watch.wait_for(Phase::COMPLETE, soon).await;
    /// assert_eq!(answer, Err(NotReached::Deadline { at: Phase::CACHE }));
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`NotReached`] says why; a failure counts also when the phase had been reached before it.
    pub async fn wait_for(&mut self, phase: Phase, deadline: Instant) -> Result<(), NotReached> {
        let decide = |timeline: &Timeline| {
            if let Some(failure) = timeline.failure() {
                return Some(Err(NotReached::Failed(failure.clone())));
            }
            match timeline.has_reached(phase) {
                None => Some(Err(NotReached::Unknown(phase))),
                Some(true) => Some(Ok(())),
                Some(false) => None,
            }
        };
        let stopped = match follow::until(&mut self.seen, deadline, decide).await {
            Ok(decided) => return decided,
            Err(stopped) => stopped,
        };
        let at = self.seen.borrow().current();
        Err(match stopped {
            Stopped::Deadline => NotReached::Deadline { at },
            Stopped::Gone => NotReached::Gone { at },
            Stopped::Wild { wake_ups, elapsed } => {
                tracing::warn!(
                    phase = phase.as_str(),
                    at = at.as_str(),
                    wake_ups,
                    elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
                    "gave up a wait for a startup phase: the publisher begins again without end"
                );
                NotReached::Wild { at, wake_ups }
            }
        })
    }
}

/// Why a wait for a phase ended without it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotReached {
    /// The deadline came first.
    #[error("not reached in time: the start is in {at}")]
    Deadline {
        /// Where the start is.
        at: Phase,
    },
    /// The start failed.
    #[error("the start has failed in {0}")]
    Failed(PhaseFailure),
    /// The start has no such phase.
    #[error("phase {0} is not in this start's list")]
    Unknown(Phase),
    /// Nobody publishes any more.
    #[error("nobody goes on with the start: it is in {at}")]
    Gone {
        /// Where it was left.
        at: Phase,
    },
    /// The publisher published without end and without deciding.
    #[error("the start changed {wake_ups} times without getting there: it is in {at}")]
    Wild {
        /// Where it was last.
        at: Phase,
        /// How often the wait woke.
        wake_ups: u32,
    },
}
