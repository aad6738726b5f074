//! One check's turn, as plain data.
//!
//! Owns how often it is tried, with which time and pauses. Must never wait, and must never go on beyond its
//! attempts or the end of its turn.

use std::time::Duration;

use tokio::time::Instant;

use crate::backoff::Backoff;
use crate::check::{ATTEMPTS_MAX, Class, Outcome, Saw, Skipped, Spec, Trouble};
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

/// The tries of one check in one turn.
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
    /// None so far; the last must be over at `end`. An earlier turn may have left a rest to be kept.
    pub(super) const fn new(
        spec: &'a Spec,
        factors: &'a Factors,
        rest_until: Option<Instant>,
        end: Instant,
    ) -> Self {
        Self { spec, factors, end, made: 0, rest_until, last: None, decided: None }
    }

    pub(super) fn next(&self, now: Instant) -> Next {
        if let Some(outcome) = &self.decided {
            return Next::Done(outcome.clone());
        }
        let left = self.end.saturating_duration_since(now);
        // Whoever wrote the settings by hand is held to the same bounds.
        let no_more = self.made >= self.spec.attempts.clamp(1, ATTEMPTS_MAX) || left.is_zero();
        match (&self.last, self.rest_until) {
            (Some(trouble), _) if no_more => Next::Done(Outcome::Failed(trouble.clone())),
            (None, _) if no_more => Next::Done(Outcome::Skipped(Skipped::NoTimeLeft)),
            (_, Some(until)) if now < until => Next::Rest(until.min(self.end)),
            _ => Next::Try(self.spec.try_timeout(self.factors, left).value),
        }
    }

    /// A try ended; `random` is for the pause behind it, which is at most `cap` unless it is overloaded.
    pub(super) fn record(
        &mut self,
        result: Result<Saw, Trouble>,
        now: Instant,
        random: f64,
        cap: Duration,
    ) {
        self.made += 1;
        self.rest_until = None;
        let trouble = match result {
            Ok(saw) => {
                self.decided = Some(Outcome::Passed(saw));
                return;
            }
            Err(trouble) => trouble,
        };
        let backoff = &self.spec.backoff;
        match trouble.reason().class() {
            Class::Transient => {
                self.rest_until = now.checked_add(backoff.delay(self.made - 1, random).min(cap));
            }
            Class::Overloaded => {
                let half = Backoff::new(backoff.cap, backoff.cap).with_floor(backoff.cap / 2);
                self.rest_until = now.checked_add(half.delay(0, random));
            }
            Class::Configuration | Class::Defect => {
                self.decided = Some(Outcome::Failed(trouble.clone()));
            }
        }
        self.last = Some(trouble);
    }

    /// Its breaker is open.
    pub(super) fn barred(&mut self) {
        let outcome =
            self.last.clone().map_or(Outcome::Skipped(Skipped::BreakerOpen), Outcome::Failed);
        self.decided = Some(outcome);
    }

    /// Until when it wants to be left alone also by the next turn: only what is overloaded does.
    pub(super) fn rest_behind(&self) -> Option<Instant> {
        let overloaded = |last: &Trouble| last.reason().class() == Class::Overloaded;
        self.rest_until.filter(|_| self.last.as_ref().is_some_and(overloaded))
    }
}

#[cfg(test)]
mod tests {
    //! Breaks the bounds of a turn with settings that nobody should write, and with every reason.

    use super::*;
    use crate::check::Reason;
    use crate::environment::{Name, Platform};

    const BUDGET: Duration = Duration::from_secs(8);

    /// Tries made, and how long it took, of a check that always meets this.
    fn turn(spec: &Spec, reason: Reason, random: f64) -> (u32, Duration) {
        let factors = Factors::derive(Name::Test, Platform::LocalHost);
        let began = Instant::now();
        let mut now = began;
        let mut tries = Tries::new(spec, &factors, None, began + BUDGET);
        let mut made = 0;
        loop {
            match tries.next(now) {
                Next::Done(outcome) => {
                    assert_eq!(outcome.reason(), Some(reason.as_str()));
                    return (made, now - began);
                }
                Next::Rest(until) => now = until,
                Next::Try(time) => {
                    assert!(!time.is_zero() && now + time <= began + BUDGET);
                    made += 1;
                    tries.record(
                        Err(Trouble::new(reason, "")),
                        now,
                        random,
                        Duration::from_secs(2),
                    );
                }
            }
        }
    }

    #[test]
    fn settings_written_by_hand_are_held_to_the_same_bounds() {
        let none = Backoff::new(Duration::ZERO, Duration::ZERO);
        for (attempts, made) in [(0, 1), (1, 1), (10, 10), (99, 10), (u32::MAX, 10)] {
            let spec =
                Spec { attempts, timeout: Duration::ZERO, backoff: none, ..Spec::new("by hand") };
            assert_eq!(turn(&spec, Reason::Refused, 1.0), (made, Duration::ZERO));
        }
    }

    #[test]
    fn pauses_grow_with_full_jitter_and_what_is_overloaded_is_asked_slowly() {
        let spec = Spec::new("db").within(Duration::from_secs(1), 4);
        let ms = Duration::from_millis;
        assert_eq!(turn(&spec, Reason::Refused, 1.0), (4, ms(100 + 200 + 400)));
        assert_eq!(turn(&spec, Reason::Refused, 0.0), (4, Duration::ZERO));
        assert_eq!(turn(&spec, Reason::Overloaded, 0.0), (4, ms(3 * 500)));
        assert_eq!(turn(&spec, Reason::Overloaded, 1.0), (4, ms(3 * 1_000)));
    }

    #[test]
    fn what_somebody_must_change_is_tried_once() {
        for reason in Reason::ALL {
            let once = matches!(reason.class(), Class::Configuration | Class::Defect);
            let (made, _) = turn(&Spec::new("db"), reason, 0.5);
            assert_eq!(made, if once { 1 } else { 3 }, "{reason:?}");
        }
    }

    #[test]
    fn what_is_overloaded_is_left_alone_by_the_next_turn_too() {
        let factors = Factors::derive(Name::Test, Platform::LocalHost);
        let (spec, now) = (Spec::new("db").within(Duration::from_secs(1), 1), Instant::now());
        let mut tries = Tries::new(&spec, &factors, None, now + BUDGET);
        tries.record(
            Err(Trouble::new(Reason::Overloaded, "")),
            now,
            1.0,
            Duration::from_millis(100),
        );
        let rest = tries.rest_behind();
        assert_eq!(rest, Some(now + Duration::from_secs(1)));
        let next = Tries::new(&spec, &factors, rest, now + BUDGET);
        assert_eq!(next.next(now), Next::Rest(now + Duration::from_secs(1)));
    }
}
