//! How far the start has come, told to the door.
//!
//! Owns both ways: the library's timeline, which `/health` shows, and `sd_notify`, which the door hears.

use sd_notify::NotifyState;
use vestibule::startup::{Phase, Phases, Publisher, StepError, Watch, channel};

use crate::settings::PHASES;

/// The report of a start.
pub(super) struct Report {
    timeline: Publisher,
}

impl Report {
    /// A start in its first phase, and what `/health` sees of it.
    pub(super) fn begin() -> (Self, Watch) {
        let (timeline, watch) = channel("golden-path", Phases::new(PHASES));
        tell(&[NotifyState::Status("phase: init")]);
        (Self { timeline }, watch)
    }

    /// It goes on to this phase.
    pub(super) fn enter(&self, phase: Phase) -> Result<(), StepError> {
        self.timeline.enter(phase)?;
        tell(&[NotifyState::Status(&format!("phase: {phase}"))]);
        Ok(())
    }

    /// It is over: the service serves.
    pub(super) fn complete(&self) -> Result<(), StepError> {
        self.timeline.complete()?;
        tell(&[NotifyState::Ready, NotifyState::Status("phase: complete")]);
        Ok(())
    }

    /// It failed.
    pub(super) fn fail(&self, reason: &str) {
        // What went before makes no difference now.
        let _ = self.timeline.fail(reason);
        tell(&[NotifyState::Status(&format!("failed: {reason}"))]);
    }
}

/// Nobody may be there to hear it, and that is no failure.
fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(reason = %error, "the door could not be told");
    }
}
