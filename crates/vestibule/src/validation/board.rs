//! What was seen of each check, as plain data.
//!
//! Owns every check's standing and what follows from all of them: the [`Opinion`]. Takes `now`; must never read
//! a clock.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::breaker::{self, Breaker, Leave};
use crate::check::{
    Checked, Criticality, Gating, Group, Outcome, Reason, Saw, Skipped, Spec, Trouble, Validated,
};
use crate::timeouts::{Factors, Sourced};

/// What follows from the checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opinion {
    /// Before the first ready: a critical check has not passed yet.
    Waiting {
        /// The last group whose critical checks have all passed, with all before it.
        passed: Option<Group>,
    },
    /// Nothing that gates is missing.
    Ready {
        /// What does not work all the same, by name.
        degraded: Vec<Arc<str>>,
    },
    /// After the first ready: a check that gates always is down, or was not seen for too long. Newcomers wait.
    Hold {
        /// Its name.
        by: Arc<str>,
    },
    /// After the first ready: the breaker of a check that gates always is open. Newcomers are refused.
    Refuse {
        /// Its name.
        by: Arc<str>,
    },
}

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
    /// The tries of the last pass.
    pub tries: Vec<Tried>,
    /// Whether it counts as down: at once before the first ready, afterwards with hysteresis.
    pub down: bool,
    /// Its breaker.
    pub breaker: Breaker,
    /// What is counted.
    pub counts: Counts,
    in_a_row: (bool, u32),
    decided: bool,
    began: Instant,
}

/// What was seen of all checks.
#[derive(Clone, Debug)]
pub struct Board {
    standings: Vec<Standing>,
    began: Instant,
    was_ready: bool,
    passes: u64,
}

impl Board {
    pub(super) fn new(checks: &[Checked], factors: &Factors, now: Instant) -> Self {
        let standings = checks.iter().map(|checked| Standing {
            spec: Arc::clone(&checked.spec),
            kind: checked.check.kind(),
            target: checked.check.target().into(),
            timeout: factors.check_timeout(checked.spec.timeout, factors.validation),
            last: None,
            tries: Vec::new(),
            down: true,
            breaker: Breaker::default(),
            counts: Counts::default(),
            in_a_row: (false, 0),
            decided: false,
            began: now,
        });
        Self { standings: standings.collect(), began: now, was_ready: false, passes: 0 }
    }

    /// Every check, in the order in which they were declared.
    #[must_use]
    pub fn standings(&self) -> &[Standing] {
        &self.standings
    }

    /// How many passes have begun.
    #[must_use]
    pub const fn passes(&self) -> u64 {
        self.passes
    }

    /// When this start began.
    pub(super) const fn began(&self) -> Instant {
        self.began
    }

    /// What follows from it now.
    #[must_use]
    pub fn opinion(&self, now: Instant) -> Opinion {
        if !self.was_ready {
            let passed = |group: &Group| self.of(*group).all(|standing| !standing.blocks());
            let reached = Group::ALL.into_iter().take_while(passed).last();
            if reached != Some(Group::Integration) {
                return Opinion::Waiting { passed: reached };
            }
        }
        let gating = || self.standings.iter().filter(|one| self.was_ready && one.gates_always());
        let open = |one: &&Standing| {
            one.down && matches!(one.breaker.state(), breaker::State::Open { .. })
        };
        if let Some(one) = gating().find(open) {
            return Opinion::Refuse { by: Arc::clone(&one.spec.name) };
        }
        if let Some(one) = gating().find(|one| one.down || one.age(now) > one.spec.max_age * 3) {
            return Opinion::Hold { by: Arc::clone(&one.spec.name) };
        }
        let down = self.standings.iter().filter(|one| one.down);
        Opinion::Ready { degraded: down.map(|one| Arc::clone(&one.spec.name)).collect() }
    }

    /// Whether something that gates always was not seen for too long.
    pub(super) fn is_stale(&self, now: Instant) -> bool {
        let mut gating = self.standings.iter().filter(|one| self.was_ready && one.gates_always());
        gating.any(|one| one.age(now) > one.spec.max_age)
    }

    pub(super) const fn ready(&mut self) {
        self.was_ready = true;
    }

    pub(super) fn begin_again(&mut self, now: Instant) {
        (self.was_ready, self.began) = (false, now);
        for standing in &mut self.standings {
            (standing.down, standing.last, standing.in_a_row) = (true, None, (false, 0));
        }
    }

    pub(super) fn pass_begins(&mut self, now: Instant) {
        self.passes += 1;
        for standing in &mut self.standings {
            (standing.decided, standing.began) = (false, now);
            standing.tries.clear();
        }
    }

    pub(super) fn pass_ends(&mut self, now: Instant) {
        for at in 0..self.standings.len() {
            if !self.standings[at].decided {
                let cut = match self.standings[at].tries.last() {
                    Some(Tried { result: Err(trouble), .. }) => Outcome::Failed(trouble.clone()),
                    _ => Outcome::Skipped(Skipped::NoTimeLeft),
                };
                self.decide(at, cut, now);
            }
        }
    }

    pub(super) fn ask(
        &mut self,
        at: usize,
        now: Instant,
        time: Duration,
    ) -> Result<Leave, Instant> {
        self.standings[at].began = now;
        self.standings[at].breaker.ask(now, time)
    }

    pub(super) fn tried(
        &mut self,
        at: usize,
        leave: Leave,
        result: Result<Saw, Trouble>,
        now: Instant,
        random: f64,
        cap: Duration,
    ) {
        let cap = if self.was_ready { Duration::MAX } else { cap };
        let standing = &mut self.standings[at];
        if standing.breaker.record(leave, result.is_ok(), now, random, cap) {
            tracing::warn!(check = %standing.spec.name, kind = standing.kind, "breaker opened");
        }
        standing.counts.add(&result);
        let took = now.saturating_duration_since(standing.began);
        standing.tries.push(Tried { at: now, took, result });
    }

    pub(super) fn skip(&mut self, at: usize, why: Skipped, now: Instant) {
        self.decide(at, Outcome::Skipped(why), now);
    }

    pub(super) fn decide(&mut self, at: usize, outcome: Outcome, now: Instant) {
        let was_ready = self.was_ready;
        let standing = &mut self.standings[at];
        let passed = outcome.is_passed();
        let (before, times) = standing.in_a_row;
        let times = if before == passed { times.saturating_add(1) } else { 1 };
        standing.in_a_row = (passed, times);
        let enough = if passed { standing.spec.rise } else { standing.spec.fall };
        if !was_ready || times >= enough {
            standing.down = !passed;
        }
        standing.decided = true;
        standing.last = Some(Validated { at: now, outcome });
    }

    /// Whether a critical check of this group is still being asked.
    pub(super) fn waits_for(&self, group: Group) -> bool {
        self.of(group).any(|one| one.is_critical() && !one.decided)
    }

    /// Whether a critical check of this group failed in this pass.
    pub(super) fn has_failed(&self, group: Group) -> bool {
        self.of(group).any(Standing::blocks)
    }

    fn of(&self, group: Group) -> impl Iterator<Item = &Standing> {
        self.standings.iter().filter(move |one| one.spec.group == group)
    }
}

impl Standing {
    fn is_critical(&self) -> bool {
        self.spec.criticality == Criticality::Critical
    }

    fn gates_always(&self) -> bool {
        self.is_critical() && self.spec.gating == Gating::Always
    }

    /// Whether it keeps the service from its first ready.
    fn blocks(&self) -> bool {
        self.is_critical() && !self.last.as_ref().is_some_and(|last| last.outcome.is_passed())
    }

    fn age(&self, now: Instant) -> Duration {
        self.last.as_ref().map_or(Duration::MAX, |last| now.saturating_duration_since(last.at))
    }
}

impl Counts {
    fn add(&mut self, result: &Result<Saw, Trouble>) {
        let Err(trouble) = result else {
            self.passed += 1;
            return;
        };
        let reason = trouble.reason();
        match self.failed.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, count)) => *count += 1,
            None => self.failed.push((reason, 1)),
        }
    }
}
