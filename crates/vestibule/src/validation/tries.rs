//! One check in one pass, as plain data.
//!
//! Owns how often it is tried, with which time and pauses. Must never wait, and must never go on beyond its
//! attempts or the end of the pass.

use std::time::Duration;

use tokio::time::Instant;

use crate::check::{Class, Outcome, Saw, Skipped, Spec, Trouble};
use crate::timeouts::Factors;

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// A try with this time.
    Try(Duration),
    /// Nothing until then.
    Rest(Instant),
    /// Nothing more.
    Done(Outcome),
}

/// The tries of one check in one pass.
#[derive(Debug)]
pub(super) struct Tries<'a> {
    spec: &'a Spec,
    factors: &'a Factors,
    end: Instant,
    made: u32,
    rest_until: Option<Instant>,
    last: Option<Trouble>,
    decided: Option<Outcome>,
}

impl<'a> Tries<'a> {
    /// None so far; the last must be over at `end`.
    pub(super) const fn new(spec: &'a Spec, factors: &'a Factors, end: Instant) -> Self {
        Self { spec, factors, end, made: 0, rest_until: None, last: None, decided: None }
    }

    pub(super) fn next(&self, now: Instant) -> Next {
        if let Some(outcome) = &self.decided {
            return Next::Done(outcome.clone());
        }
        let left = self.end.saturating_duration_since(now);
        let no_more = self.made >= self.spec.attempts || left.is_zero();
        match (&self.last, self.rest_until) {
            (Some(trouble), _) if no_more => Next::Done(Outcome::Failed(trouble.clone())),
            (None, _) if no_more => Next::Done(Outcome::Skipped(Skipped::NoTimeLeft)),
            (_, Some(until)) if now < until => Next::Rest(until.min(self.end)),
            _ => Next::Try(self.factors.check_timeout(self.spec.timeout, left).value),
        }
    }

    /// A try ended; `random` is for the pause behind it, which is at most `cap`.
    pub(super) fn record(
        &mut self,
        result: Result<Saw, Trouble>,
        now: Instant,
        random: f64,
        cap: Duration,
    ) {
        self.made += 1;
        match result {
            Ok(saw) => self.decided = Some(Outcome::Passed(saw)),
            Err(trouble) => {
                let pause = self.spec.backoff.delay(self.made - 1, random).min(cap);
                match trouble.reason().class() {
                    Class::Transient => self.rest_until = Some(now + pause),
                    Class::Overloaded => self.rest_until = Some(now + self.spec.backoff.cap),
                    Class::Configuration | Class::Defect => {
                        self.decided = Some(Outcome::Failed(trouble.clone()));
                    }
                }
                self.last = Some(trouble);
            }
        }
    }

    /// Its breaker is open.
    pub(super) fn barred(&mut self) {
        let outcome =
            self.last.clone().map_or(Outcome::Skipped(Skipped::BreakerOpen), Outcome::Failed);
        self.decided = Some(outcome);
    }
}
