//! What was seen of one check.
//!
//! Owns its outcome, its history, its hysteresis and its counts. Takes `now`; must never be up without having
//! been seen to pass.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::breaker::Breaker;
use crate::check::{
    Checked, Criticality, Gating, Outcome, Reason, Saw, Skipped, Spec, Trouble, Validated,
};
use crate::timeouts::{Factors, Sourced};

/// As many tries are kept of each check.
pub const TRIES_KEPT: usize = 10;

/// No check is asked more often than this, whatever its settings, but for its own retries.
const INTERVAL_MIN: Duration = Duration::from_millis(100);

/// What gates always and is down is asked at least so often: clients wait for it.
const INTERVAL_HELD: Duration = Duration::from_secs(2);

/// One try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// When it ended.
    pub at: Instant,
    /// How long it took.
    pub took: Duration,
    /// What came back.
    pub result: Result<Saw, Trouble>,
}

/// What is counted of one check since it was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Tries that passed.
    pub passed: u64,
    /// Tries that failed, for each reason that occurred.
    pub failed: Vec<(Reason, u64)>,
    /// Turns without any try, for each reason that occurred.
    pub skipped: Vec<(Skipped, u64)>,
}

/// What was seen of one check.
#[derive(Clone, Debug)]
pub struct Standing {
    /// How it is asked.
    pub spec: Arc<Spec>,
    /// Its kind.
    pub kind: &'static str,
    /// Where it asks, fit to be shown.
    pub target: Arc<str>,
    /// One try's time and where it comes from.
    pub timeout: Sourced<Duration>,
    /// Its last outcome.
    pub last: Option<Validated>,
    /// Its last tries, the newest last, at most [`TRIES_KEPT`].
    pub tries: Vec<Tried>,
    /// Whether it counts as down: at once before the first ready, afterwards with hysteresis.
    pub down: bool,
    /// Its breaker.
    pub breaker: Breaker,
    /// What is counted.
    pub counts: Counts,
    /// When it was seen to pass.
    pub(super) passed_at: Option<Instant>,
    pub(super) in_a_row: (bool, u32),
    pub(super) asked: Option<Asked>,
    /// Somebody wants it asked before its time.
    pub(super) wanted: bool,
    pub(super) rounds: u64,
    pub(super) rest_until: Option<Instant>,
    /// Spreads checks that were asked together.
    jitter: f64,
}

/// It is being asked.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// When it must be decided.
    pub(super) end: Instant,
    /// When its present try began.
    pub(super) began: Instant,
    /// What its last try in this turn met.
    pub(super) met: Option<Trouble>,
}

impl Standing {
    pub(super) fn new(checked: &Checked, factors: &Factors) -> Self {
        Self {
            spec: Arc::clone(&checked.spec),
            kind: checked.check.kind(),
            target: checked.check.target().into(),
            timeout: checked.spec.try_timeout(factors, factors.validation.value),
            last: None,
            tries: Vec::new(),
            down: true,
            breaker: Breaker::default(),
            counts: Counts::default(),
            passed_at: None,
            in_a_row: (false, 0),
            asked: None,
            wanted: false,
            rounds: 0,
            rest_until: None,
            jitter: 0.5,
        }
    }

    /// How old its last outcome is.
    #[must_use]
    pub fn age(&self, now: Instant) -> Option<Duration> {
        self.last.as_ref().map(|last| now.saturating_duration_since(last.at))
    }

    /// How long ago it was seen to pass in this start.
    #[must_use]
    pub fn passed_ago(&self, now: Instant) -> Option<Duration> {
        self.passed_at.map(|at| now.saturating_duration_since(at))
    }

    /// Whether its last outcomes passed, and how many in a row did or did not: what [`Spec::fall`] and
    /// [`Spec::rise`] are counted by.
    #[must_use]
    pub const fn in_a_row(&self) -> (bool, u32) {
        self.in_a_row
    }

    /// Whether it is being asked.
    #[must_use]
    pub const fn is_asked(&self) -> bool {
        self.asked.is_some()
    }

    /// Whether its failure keeps the service from its first ready.
    #[must_use]
    pub fn is_critical(&self) -> bool {
        self.spec.criticality == Criticality::Critical
    }

    /// Its last outcome in words, for the log and an operator.
    #[must_use]
    pub fn in_words(&self) -> String {
        match self.last.as_ref().map(|last| &last.outcome) {
            None => "not asked yet".to_owned(),
            Some(Outcome::Passed(saw)) => saw.as_str().to_owned(),
            Some(Outcome::Failed(trouble)) => trouble.to_string(),
            Some(Outcome::Skipped(why)) => match self.last_trouble() {
                Some(trouble) => format!("{}, after {trouble}", why.as_str()),
                None => why.as_str().to_owned(),
            },
        }
    }

    pub(super) fn gates_always(&self) -> bool {
        self.is_critical() && self.spec.gating == Gating::Always
    }

    /// Whether it keeps the service from its first ready.
    pub(super) fn blocks(&self) -> bool {
        self.is_critical() && !self.last.as_ref().is_some_and(|last| last.outcome.is_passed())
    }

    /// Whether nobody has asked it for longer than it allows, nor is about to.
    pub(super) fn is_stale(&self, now: Instant) -> bool {
        let fresh = self.age(now).is_some_and(|age| age <= self.max_age());
        !(fresh || self.wanted || self.is_asked())
    }

    /// Whether it was not seen to pass for so long that it admits nobody.
    pub(super) fn is_too_old(&self, now: Instant) -> bool {
        self.passed_ago(now).is_none_or(|ago| ago > self.max_age().saturating_mul(3))
    }

    /// Until when it admits if it is not seen to pass again.
    pub(super) fn holds_from(&self) -> Option<Instant> {
        self.passed_at?.checked_add(self.max_age().saturating_mul(3))
    }

    /// When it is asked next; `None` while it is being asked, or never.
    pub(super) fn due_at(&self, now: Instant) -> Option<Instant> {
        if self.is_asked() {
            return None;
        }
        let Some(last) = self.last.as_ref().filter(|_| !self.wanted) else {
            return Some(self.breaker.shut_until().map_or(now, |until| until.max(now)));
        };
        let held = self.down && self.gates_always();
        match self.breaker.shut_until() {
            // Whoever is refused because of it comes back when it has closed.
            Some(until) if held => Some(until),
            until => Some(last.at.checked_add(self.interval())?.max(until.unwrap_or(last.at))),
        }
    }

    /// From one turn to the next: sooner while it is down, or about to change.
    fn interval(&self) -> Duration {
        let (passed, _) = self.in_a_row;
        let usual = self.spec.interval.max(INTERVAL_MIN);
        let interval = if self.down || !passed { usual / 2 } else { usual };
        let held = self.down && self.gates_always();
        let interval = if held { interval.min(INTERVAL_HELD) } else { interval };
        // A tenth more or less.
        let share = 0.9 + 0.2 * self.jitter.clamp(0.0, 1.0);
        Duration::try_from_secs_f64(interval.as_secs_f64() * share).unwrap_or(interval)
    }

    fn max_age(&self) -> Duration {
        self.spec.max_age.max(INTERVAL_MIN)
    }

    fn last_trouble(&self) -> Option<&Trouble> {
        self.tries.last().and_then(|tried| tried.result.as_ref().err())
    }

    pub(super) fn tried(&mut self, result: Result<Saw, Trouble>, now: Instant) {
        self.counts.add(&result);
        let mut took = Duration::ZERO;
        if let Some(asked) = &mut self.asked {
            took = now.saturating_duration_since(asked.began);
            asked.met = result.as_ref().err().cloned();
        }
        if self.tries.len() >= TRIES_KEPT {
            self.tries.remove(0);
        }
        self.tries.push(Tried { at: now, took, result });
    }

    pub(super) fn decide(&mut self, outcome: Outcome, was_ready: bool, now: Instant, random: f64) {
        let passed = outcome.is_passed();
        let (before, times) = self.in_a_row;
        let times = if before == passed { times.saturating_add(1) } else { 1 };
        let enough = if passed { self.spec.rise } else { self.spec.fall };
        if !was_ready || times >= enough {
            self.down = !passed;
        }
        if passed {
            self.passed_at = Some(now);
        }
        (self.in_a_row, self.asked, self.jitter) = ((passed, times), None, random);
        self.last = Some(Validated { at: now, outcome });
    }

    pub(super) fn begin_again(&mut self, now: Instant) {
        (self.down, self.last, self.passed_at, self.in_a_row) = (true, None, None, (false, 0));
        (self.asked, self.wanted, self.rest_until) = (None, false, None);
        self.tries.clear();
        self.breaker.relent(now);
    }
}

impl Counts {
    fn add(&mut self, result: &Result<Saw, Trouble>) {
        match result {
            Ok(_) => self.passed += 1,
            Err(trouble) => count(&mut self.failed, trouble.reason()),
        }
    }

    pub(super) fn skip(&mut self, why: Skipped) {
        count(&mut self.skipped, why);
    }
}

fn count<T: PartialEq>(counts: &mut Vec<(T, u64)>, what: T) {
    match counts.iter_mut().find(|(known, _)| *known == what) {
        Some((_, times)) => *times += 1,
        None => counts.push((what, 1)),
    }
}
