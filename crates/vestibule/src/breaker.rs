//! Failing fast.
//!
//! Owns one breaker's state: closed, open, half-open. Pure: takes `now` and a random number. Must never wait,
//! and must never stay open or half-open without an end.

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

/// Leave for one try. Given back by [`Breaker::record`].
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a try whose end is not recorded counts as failed"]
pub struct Leave(());

/// One breaker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breaker {
    state: State,
    trips: u64,
}

impl Default for Breaker {
    fn default() -> Self {
        Self { state: State::Closed { failures: 0 }, trips: 0 }
    }
}

impl Breaker {
    /// How it stands.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// How often it has opened.
    #[must_use]
    pub const fn trips(&self) -> u64 {
        self.trips
    }

    /// Whether a try may go that takes at most `lease`.
    ///
    /// # Errors
    ///
    /// The time from which on one may go.
    pub fn ask(&mut self, now: Instant, lease: Duration) -> Result<Leave, Instant> {
        match self.state {
            State::Closed { .. } => Ok(Leave(())),
            State::Open { until, times } | State::HalfOpen { until, times } if now >= until => {
                self.state = State::HalfOpen { until: now + lease, times };
                Ok(Leave(()))
            }
            State::Open { until, .. } | State::HalfOpen { until, .. } => Err(until),
        }
    }

    /// How a try ended. While open it stays so for at most `cap`. Says whether it opened.
    pub fn record(
        &mut self,
        _leave: Leave,
        passed: bool,
        now: Instant,
        random: f64,
        cap: Duration,
    ) -> bool {
        let times = match self.state {
            _ if passed => {
                self.state = State::Closed { failures: 0 };
                return false;
            }
            State::Closed { failures } if failures + 1 < FAILURES_MAX => {
                self.state = State::Closed { failures: failures + 1 };
                return false;
            }
            State::Closed { .. } => 0,
            State::Open { .. } => return false,
            State::HalfOpen { times, .. } => times,
        };
        let open = OPEN.delay(times, random).min(cap.max(OPEN.floor));
        self.state = State::Open { until: now + open, times: times.saturating_add(1) };
        self.trips += 1;
        true
    }
}
