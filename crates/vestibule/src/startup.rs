//! How far a start has come.
//!
//! Owns the phases of a start: their order, how long each took, and the failure that ended it. Phases only go
//! forward, and a failure latches with its phase and reason until a restart or an explicit recovery, which is
//! the same here: [`Publisher::restart`]. The pure core is [`Timeline`]; [`Publisher`] and [`Watch`] carry it
//! to those who wait. Must never decide who may pass: what a start means for new traffic is said by
//! [`Timeline::readiness`], and acted upon elsewhere.

mod phase;
mod timeline;
mod wait;

use tokio::sync::watch;
use tokio::time::Instant;

pub use self::phase::{Phase, Phases};
pub use self::timeline::{PhaseFailure, PhaseReport, PhaseState, StepError, Timeline};
pub use self::wait::{NotReached, WAKE_UPS_MAX, Watch};

/// A new start, in the first of its phases.
///
/// `publisher_name` is what a failure names if the publisher is dropped before the start is complete.
pub fn channel(publisher_name: &'static str, phases: Phases) -> (Publisher, Watch) {
    let (timelines, seen) = watch::channel(Timeline::new(phases, Instant::now()));
    (Publisher { name: publisher_name, timelines }, Watch::new(seen))
}

/// The one that starts the service. Not `Clone`: two that decide would contradict each other.
#[derive(Debug)]
#[must_use = "a publisher that is dropped before the start is complete means failed"]
pub struct Publisher {
    name: &'static str,
    timelines: watch::Sender<Timeline>,
}

impl Publisher {
    /// The start goes on to `phase`; those passed over count as skipped. The same phase again changes nothing.
    ///
    /// # Errors
    ///
    /// [`StepError`]: the phase lies behind, is not in the list, or the start has failed.
    pub fn enter(&self, phase: Phase) -> Result<(), StepError> {
        let mut left = None;
        self.step(|timeline, now| {
            left = Some((timeline.current(), timeline.spent(now)));
            timeline.enter(phase, now)
        })?;
        if let Some((left, spent)) = left.filter(|(left, _)| *left != phase) {
            let spent_ms = u64::try_from(spent.as_millis()).unwrap_or(u64::MAX);
            tracing::info!(phase = %phase, left = %left, spent_ms, "the start goes on");
        }
        Ok(())
    }

    /// The start is complete: enters [`Phase::COMPLETE`].
    ///
    /// # Errors
    ///
    /// [`StepError::Latched`] if it has failed.
    pub fn complete(&self) -> Result<(), StepError> {
        self.enter(Phase::COMPLETE)
    }

    /// The start failed in its present phase; the first failure is the one that stays.
    ///
    /// # Errors
    ///
    /// [`StepError`] if it has already failed, or is complete.
    pub fn fail(&self, reason: impl Into<String>) -> Result<(), StepError> {
        let reason = reason.into();
        let mut failed = None;
        self.step(|timeline, now| {
            let done = timeline.fail(reason, now)?;
            failed = timeline.failure().cloned();
            Ok(done)
        })?;
        if let Some(PhaseFailure { phase, reason }) = failed {
            tracing::error!(phase = %phase, reason, "the start failed");
        }
        Ok(())
    }

    /// Begins again in the first phase, whatever was: a restart, or the recovery from a failure.
    pub fn restart(&self) {
        self.timelines.send_modify(|timeline| timeline.restart(Instant::now()));
    }

    /// The timeline now.
    #[must_use]
    pub fn timeline(&self) -> Timeline {
        self.timelines.borrow().clone()
    }

    /// A further watch on this start.
    #[must_use]
    pub fn watch(&self) -> Watch {
        Watch::new(self.timelines.subscribe())
    }

    /// A start that ends here without having been decided has failed, with the publisher's name.
    pub(crate) fn abandon(&self) {
        let reason = format!("{} was dropped without deciding", self.name);
        // What was decided stays decided.
        let _ = self.fail(reason);
    }

    fn step(
        &self,
        act: impl FnOnce(&mut Timeline, Instant) -> Result<bool, StepError>,
    ) -> Result<(), StepError> {
        let mut done = Ok(false);
        self.timelines.send_if_modified(|timeline| {
            done = act(timeline, Instant::now());
            done == Ok(true)
        });
        done.map(drop)
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.abandon();
    }
}

#[cfg(test)]
mod tests;
