//! Failing fast.
//!
//! Owns one breaker's state: closed, open, half-open. Pure: takes `now` and a random number. Must never wait,
//! must never let two probes go at a time, and must never stay open or half-open without an end: a [`Leave`]
//! that is lost costs one lease.

use std::time::Duration;

use tokio::time::Instant;

use crate::backoff::Backoff;

/// As many failures in a row open it.
pub const FAILURES_MAX: u32 = 5;

/// How long it stays open: longer each time that a probe fails.
pub const OPEN: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(15))
    .with_floor(Duration::from_millis(100));

/// How a breaker stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Tries go.
    Closed {
        /// Failures in a row.
        failures: u32,
    },
    /// No try goes until then.
    Open {
        /// When one may go.
        until: Instant,
        /// How often it opened since it was closed.
        times: u32,
    },
    /// One try is under way; if it is not heard of until then, it has failed.
    HalfOpen {
        /// Until when it is believed to be under way.
        until: Instant,
        /// How often it opened since it was closed.
        times: u32,
    },
}

impl State {
    /// Every word that [`State::as_str`] may return.
    pub const WORDS: [&'static str; 3] = ["closed", "open", "half_open"];

    /// The word in metrics and documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed { .. } => "closed",
            Self::Open { .. } => "open",
            Self::HalfOpen { .. } => "half_open",
        }
    }
}

/// How often a breaker went from one state to another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Transitions {
    /// It opened: as many failures in a row as [`FAILURES_MAX`].
    pub closed_to_open: u64,
    /// A probe went.
    pub open_to_half_open: u64,
    /// The probe passed.
    pub half_open_to_closed: u64,
    /// The probe failed, or was not heard of.
    pub half_open_to_open: u64,
}

impl Transitions {
    /// Each with the words of both states, for metrics.
    #[must_use]
    pub const fn each(&self) -> [(&'static str, &'static str, u64); 4] {
        [
            ("closed", "open", self.closed_to_open),
            ("open", "half_open", self.open_to_half_open),
            ("half_open", "closed", self.half_open_to_closed),
            ("half_open", "open", self.half_open_to_open),
        ]
    }
}

/// It opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trip {
    /// Failures in a row.
    pub failures: u32,
    /// How long no try goes.
    pub open_for: Duration,
    /// It was open before, and its probe failed: nothing new.
    pub again: bool,
}

/// Leave for one try, to be given back by [`Breaker::record`].
///
/// One that is lost proves nothing while the breaker is closed, and is a failed probe once its lease is over
/// while the breaker is half-open. One that was granted before the breaker last changed proves nothing either.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a probe whose end is not recorded counts as failed"]
pub struct Leave {
    era: u64,
}

/// One breaker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breaker {
    state: State,
    failures: u32,
    /// Counts its changes of state: what was granted in another era is not believed.
    era: u64,
    transitions: Transitions,
}

impl Default for Breaker {
    fn default() -> Self {
        let state = State::Closed { failures: 0 };
        Self { state, failures: 0, era: 0, transitions: Transitions::default() }
    }
}

impl Breaker {
    /// How it stands.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// Failures in a row, whatever its state.
    #[must_use]
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    /// How often it has tripped: opened after it was closed. A probe that fails is no further trip.
    #[must_use]
    pub const fn trips(&self) -> u64 {
        self.transitions.closed_to_open
    }

    /// How often it went from each state to another.
    #[must_use]
    pub const fn transitions(&self) -> Transitions {
        self.transitions
    }

    /// From when on a try may go; `None`: at any time.
    #[must_use]
    pub const fn shut_until(&self) -> Option<Instant> {
        match self.state {
            State::Closed { .. } => None,
            State::Open { until, .. } | State::HalfOpen { until, .. } => Some(until),
        }
    }

    /// Whether a try may go that takes at most `lease`.
    ///
    /// # Errors
    ///
    /// The time from which on one may go.
    pub fn ask(&mut self, now: Instant, lease: Duration) -> Result<Leave, Instant> {
        let times = match self.state {
            State::Closed { .. } => return Ok(Leave { era: self.era }),
            State::Open { until, .. } | State::HalfOpen { until, .. } if now < until => {
                return Err(until);
            }
            State::Open { times, .. } => times,
            State::HalfOpen { times, .. } => {
                self.transitions.half_open_to_open += 1;
                self.failures = self.failures.saturating_add(1);
                times.saturating_add(1)
            }
        };
        self.transitions.open_to_half_open += 1;
        self.turn(State::HalfOpen { until: later(now, lease), times });
        Ok(Leave { era: self.era })
    }

    /// How a try ended. While open it stays so for at most `cap`, but never less than the floor of [`OPEN`].
    /// Says whether it opened.
    pub fn record(
        &mut self,
        Leave { era }: Leave,
        passed: bool,
        now: Instant,
        random: f64,
        cap: Duration,
    ) -> Option<Trip> {
        if era != self.era {
            return None;
        }
        self.failures = if passed { 0 } else { self.failures.saturating_add(1) };
        let times = match self.state {
            State::Closed { .. } if self.failures < FAILURES_MAX => {
                self.state = State::Closed { failures: self.failures };
                return None;
            }
            State::HalfOpen { .. } if passed => {
                self.transitions.half_open_to_closed += 1;
                self.turn(State::Closed { failures: 0 });
                return None;
            }
            // No leave is granted in the era of an open breaker.
            State::Open { .. } => return None,
            State::Closed { .. } => {
                self.transitions.closed_to_open += 1;
                0
            }
            State::HalfOpen { times, .. } => {
                self.transitions.half_open_to_open += 1;
                times
            }
        };
        let open_for = OPEN.delay(times, random).min(cap.max(OPEN.floor));
        self.turn(State::Open { until: later(now, open_for), times: times.saturating_add(1) });
        Some(Trip { failures: self.failures, open_for, again: times > 0 })
    }

    /// What it guards has begun anew: if it is open, a probe may go at once.
    pub fn relent(&mut self, now: Instant) {
        if let State::Open { until, .. } = &mut self.state {
            *until = now.min(*until);
        }
    }

    const fn turn(&mut self, state: State) {
        self.state = state;
        self.era += 1;
    }
}

/// A time beyond what the clock can count is cut to a day.
fn later(now: Instant, by: Duration) -> Instant {
    let day = Duration::from_secs(24 * 3_600);
    now.checked_add(by).unwrap_or(now + day)
}

#[cfg(test)]
mod tests;
