//! A start as plain data.
//!
//! Owns the rules: only forward, durations kept, a failure latches. Takes `now`; must never read a clock.

use std::time::Duration;

use tokio::time::Instant;

use crate::readiness::{Failure, State};

use super::phase::{Phase, Phases};

/// How far a start has come, and how long each phase took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeline {
    phases: Phases,
    run: u32,
    /// The phases entered in this run by position, the present one last. Never empty.
    entered: Vec<(usize, Instant)>,
    failed: Option<(PhaseFailure, Instant)>,
}

/// Where and why a start failed, in words for an operator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{phase}: {reason}")]
pub struct PhaseFailure {
    /// The phase that it was in.
    pub phase: Phase,
    /// Why.
    pub reason: String,
}

/// One phase in a picture of the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PhaseReport {
    /// The phase.
    pub phase: Phase,
    /// How it stands.
    pub state: PhaseState,
    /// How long it took, or has taken so far; `None` for what was not entered, and for the end, which lasts.
    pub duration: Option<Duration>,
}

/// How a phase stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PhaseState {
    /// It is over.
    Done,
    /// The start went past it without entering it.
    Skipped,
    /// The start is in it.
    Current,
    /// The start failed in it.
    Failed,
    /// It has not come yet.
    Pending,
}

impl PhaseState {
    /// Its name in health documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Skipped => "skipped",
            Self::Current => "current",
            Self::Failed => "failed",
            Self::Pending => "pending",
        }
    }
}

/// A step that a start can't take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// Phases only go forward.
    #[error("phase {to} lies behind: the start is in {from}")]
    Backwards {
        /// Where the start is.
        from: Phase,
        /// Where it was sent.
        to: Phase,
    },
    /// The list does not have this phase.
    #[error("phase {0} is not in this start's list")]
    Unknown(Phase),
    /// The start has failed, and a failure latches.
    #[error("the start has failed in {0}")]
    Latched(PhaseFailure),
    /// A start that is complete can't fail any more.
    #[error("the start is complete")]
    Complete,
}

impl Timeline {
    /// A start that begins now, in the first phase.
    #[must_use]
    pub fn new(phases: Phases, now: Instant) -> Self {
        Self { phases, run: 1, entered: vec![(0, now)], failed: None }
    }

    /// Goes on to `phase`. Answers whether anything changed.
    ///
    /// # Errors
    ///
    /// [`StepError`], and nothing has changed.
    pub fn enter(&mut self, phase: Phase, now: Instant) -> Result<bool, StepError> {
        if let Some((failure, _)) = &self.failed {
            return Err(StepError::Latched(failure.clone()));
        }
        let to = self.phases.position(phase).ok_or(StepError::Unknown(phase))?;
        let from = self.position();
        if to < from {
            return Err(StepError::Backwards { from: self.current(), to: phase });
        }
        if to > from {
            self.entered.push((to, now));
        }
        Ok(to > from)
    }

    /// Fails in the present phase. Answers `true`: it changed.
    ///
    /// # Errors
    ///
    /// [`StepError`] if the start has failed already, or is complete.
    pub fn fail(&mut self, reason: impl Into<String>, now: Instant) -> Result<bool, StepError> {
        if let Some((failure, _)) = &self.failed {
            return Err(StepError::Latched(failure.clone()));
        }
        if self.is_complete() {
            return Err(StepError::Complete);
        }
        let failure = PhaseFailure { phase: self.current(), reason: reason.into() };
        self.failed = Some((failure, now));
        Ok(true)
    }

    /// Begins again: the next run, in the first phase, with nothing failed.
    pub fn restart(&mut self, now: Instant) {
        *self = Self { run: self.run.saturating_add(1), ..Self::new(self.phases.clone(), now) };
    }

    /// Which run this is, counted from 1: restarts and recoveries begin another.
    #[must_use]
    pub const fn run(&self) -> u32 {
        self.run
    }

    /// The phase that the start is in, or has failed in.
    #[must_use]
    pub fn current(&self) -> Phase {
        self.phases.at(self.position())
    }

    /// Whether the start is over, and well.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.current() == Phase::COMPLETE
    }

    /// Where and why it failed.
    #[must_use]
    pub fn failure(&self) -> Option<&PhaseFailure> {
        self.failed.as_ref().map(|(failure, _)| failure)
    }

    /// Whether this run has come to `phase` or gone past it; `None` if the list does not have it.
    #[must_use]
    pub fn has_reached(&self, phase: Phase) -> Option<bool> {
        self.phases.position(phase).map(|position| position <= self.position())
    }

    /// How long this run took, or has taken so far.
    #[must_use]
    pub fn elapsed(&self, now: Instant) -> Duration {
        let began = self.entered.first().map_or(now, |(_, began)| *began);
        self.end(now).saturating_duration_since(began)
    }

    /// Every phase of the list, in order, with its state and its duration.
    #[must_use]
    pub fn report(&self, now: Instant) -> Vec<PhaseReport> {
        let reports = self.phases.iter().enumerate();
        reports.map(|(position, phase)| self.report_of(position, phase, now)).collect()
    }

    /// What this start means for new traffic.
    ///
    /// What the service depends on answers once `services` or a later phase is entered, and its own parts are
    /// up from `websocket` on. A list without these phases is initializing until it is complete.
    #[must_use]
    pub fn readiness(&self) -> State {
        if let Some(failure) = self.failure() {
            return State::Failed(Failure::new(failure.to_string()));
        }
        let reached = |phase| self.has_reached(phase) == Some(true);
        if self.is_complete() {
            State::WebsocketReady
        } else if reached(Phase::WEBSOCKET) {
            State::ServicesReady
        } else if reached(Phase::SERVICES) {
            State::DependenciesReady
        } else {
            State::Initializing
        }
    }

    /// How long the start has been in its present phase.
    pub(super) fn spent(&self, now: Instant) -> Duration {
        self.entered.last().map_or(Duration::ZERO, |(_, at)| now.saturating_duration_since(*at))
    }

    fn report_of(&self, position: usize, phase: Phase, now: Instant) -> PhaseReport {
        let report = |state, duration| PhaseReport { phase, state, duration };
        let Some(nth) = self.entered.iter().position(|(entered, _)| *entered == position) else {
            let passed = position < self.position();
            let state = if passed { PhaseState::Skipped } else { PhaseState::Pending };
            return report(state, None);
        };
        if phase == Phase::COMPLETE {
            return report(PhaseState::Done, None);
        }
        let (_, since) = self.entered[nth];
        let (state, until) = match (self.entered.get(nth + 1), &self.failed) {
            (Some((_, until)), _) => (PhaseState::Done, *until),
            (None, Some((_, until))) => (PhaseState::Failed, *until),
            (None, None) => (PhaseState::Current, now),
        };
        report(state, Some(until.saturating_duration_since(since)))
    }

    fn position(&self) -> usize {
        self.entered.last().map_or(0, |(position, _)| *position)
    }

    /// When this run ended; `now` while it has not.
    fn end(&self, now: Instant) -> Instant {
        match (&self.failed, self.entered.last()) {
            (Some((_, at)), _) => *at,
            (None, Some((_, at))) if self.is_complete() => *at,
            _ => now,
        }
    }
}
