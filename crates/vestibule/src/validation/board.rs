//! What was seen of all checks, as plain data.
//!
//! Owns every check's standing, the passes, and what follows from all of them: the [`Opinion`]. Takes `now`;
//! must never read a clock, log, or call a check passed that was not seen to pass.

mod opinion;
mod schedule;
mod standing;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::backoff::Backoff;
use crate::breaker::{Leave, Trip};
use crate::check::{Checked, Group, Outcome, Reason, Saw, Skipped, Trouble};
use crate::timeouts::Factors;

pub use self::opinion::Opinion;
pub use self::standing::{Counts, Standing, TRIES_KEPT, Tried};

pub(super) use self::schedule::What;

use self::standing::Asked;

/// From one failed pass to the next, before the first ready.
const BETWEEN_PASSES: Backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2))
    .with_floor(Duration::from_millis(20));

/// What was seen of all checks.
#[derive(Clone, Debug)]
pub struct Board {
    standings: Vec<Standing>,
    /// Which start this is: what was asked in another is not believed.
    epoch: u64,
    began: Instant,
    was_ready: bool,
    passes: u64,
    passing_since: Option<Instant>,
    last_pass: Option<LastPass>,
    verdicts: [u64; Opinion::WORDS.len()],
    /// Passes in a row after which something critical was missing.
    failed: u32,
    /// While something critical is missing: when all is asked again.
    retry_at: Instant,
}

/// A pass that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastPass {
    /// When it ended.
    pub at: Instant,
    /// How long it took, until its critical checks were decided.
    pub took: Duration,
    /// What followed from it: one of [`Opinion::WORDS`].
    pub verdict: &'static str,
}

/// One check's turn to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Turn {
    /// Which check.
    pub(super) at: usize,
    /// Which of its turns: what comes back from another is not believed.
    pub(super) round: u64,
    /// When it must be decided.
    pub(super) end: Instant,
}

impl Board {
    pub(super) fn new(checks: &[Checked], factors: &Factors, now: Instant) -> Self {
        Self {
            standings: checks.iter().map(|checked| Standing::new(checked, factors)).collect(),
            epoch: 0,
            began: now,
            was_ready: false,
            passes: 0,
            passing_since: None,
            last_pass: None,
            verdicts: [0; Opinion::WORDS.len()],
            failed: 0,
            retry_at: now,
        }
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

    /// Since when a pass is under way.
    #[must_use]
    pub const fn passing_since(&self) -> Option<Instant> {
        self.passing_since
    }

    /// The last pass that came to its end.
    #[must_use]
    pub const fn last_pass(&self) -> Option<LastPass> {
        self.last_pass
    }

    /// How many passes ended with each verdict, in the order of [`Opinion::WORDS`]. One that was overtaken by a
    /// new start has none.
    pub fn verdicts(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Opinion::WORDS.into_iter().zip(self.verdicts)
    }

    /// Whether the service was ready since it began to start.
    #[must_use]
    pub const fn was_ready(&self) -> bool {
        self.was_ready
    }

    pub(super) const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// How long a start that has taken so long already may rest: a twentieth more is not felt.
    pub(super) fn patience(&self, now: Instant) -> Duration {
        let waited = now.saturating_duration_since(self.began);
        (waited / 20).clamp(Duration::from_millis(100), Duration::from_secs(2))
    }

    pub(super) const fn ready(&mut self) {
        self.was_ready = true;
    }

    pub(super) fn begin_again(&mut self, now: Instant) {
        self.epoch += 1;
        (self.was_ready, self.began, self.failed, self.retry_at) = (false, now, 0, now);
        self.standings.iter_mut().for_each(|standing| standing.begin_again(now));
    }

    pub(super) const fn pass_begins(&mut self, now: Instant) {
        self.passes += 1;
        self.passing_since = Some(now);
    }

    /// Whoever led the pass is gone, or it was overtaken: it decides nothing.
    pub(super) const fn pass_abandoned(&mut self) {
        self.passing_since = None;
    }

    /// The critical checks are decided. `random` is for the pause behind it.
    pub(super) fn pass_ends(&mut self, now: Instant, random: f64) {
        let opinion = self.opinion(now);
        let verdict = opinion.as_str();
        let began = self.passing_since.take().unwrap_or(now);
        let took = now.saturating_duration_since(began);
        self.last_pass = Some(LastPass { at: now, took, verdict });
        if let Some(at) = Opinion::WORDS.iter().position(|word| *word == verdict) {
            self.verdicts[at] += 1;
        }
        if let Opinion::Waiting { .. } = opinion {
            let pause = BETWEEN_PASSES.delay(self.failed, random).min(self.patience(now));
            // What its breaker keeps from being asked is not waited for a second time behind that.
            let blocking = self.standings.iter().filter(|one| one.blocks());
            let shut = blocking.filter_map(|one| one.breaker.shut_until()).max();
            self.retry_at = (now + pause).max(shut.unwrap_or(now));
            self.failed = self.failed.saturating_add(1);
        } else {
            self.failed = 0;
        }
    }

    /// It is asked from now on, until `end` at the latest.
    pub(super) fn begin_asking(&mut self, at: usize, now: Instant, end: Instant) -> Turn {
        let standing = &mut self.standings[at];
        standing.rounds += 1;
        (standing.asked, standing.wanted) = (Some(Asked { end, began: now, met: None }), false);
        Turn { at, round: standing.rounds, end }
    }

    /// Whether a try may go that takes at most `time`.
    pub(super) fn begin_try(&mut self, turn: Turn, now: Instant, time: Duration) -> Option<Leave> {
        let standing = self.on_turn(turn)?;
        if let Some(asked) = &mut standing.asked {
            asked.began = now;
        }
        standing.breaker.ask(now, time).ok()
    }

    /// A try ended. Says whether its breaker opened.
    pub(super) fn end_try(
        &mut self,
        turn: Turn,
        leave: Leave,
        result: Result<Saw, Trouble>,
        now: Instant,
        random: f64,
    ) -> Option<Trip> {
        let cap = if self.was_ready { Duration::MAX } else { self.patience(now) };
        let standing = self.on_turn(turn)?;
        let trip = standing.breaker.record(leave, result.is_ok(), now, random, cap);
        standing.tried(result, now);
        trip
    }

    /// Until when a check wants to be left alone.
    pub(super) fn rest_of(&self, at: usize) -> Option<Instant> {
        self.standings[at].rest_until
    }

    /// What a turn came to. `rest_until` is how long it wants to be left alone.
    pub(super) fn end_asking(
        &mut self,
        turn: Turn,
        outcome: Outcome,
        rest_until: Option<Instant>,
        now: Instant,
        random: f64,
    ) {
        let was_ready = self.was_ready;
        if let Some(standing) = self.on_turn(turn) {
            if let Outcome::Skipped(why) = &outcome {
                standing.counts.skip(*why);
            }
            standing.rest_until = rest_until;
            standing.decide(outcome, was_ready, now, random);
        }
    }

    /// Whoever asked it is gone without a word: if by a defect, it has failed.
    pub(super) fn leave_off(&mut self, turn: Turn, broken: bool, now: Instant) -> bool {
        let was_ready = self.was_ready;
        let Some(standing) = self.on_turn(turn) else { return false };
        if broken {
            let trouble = Trouble::new(Reason::Panicked, "the check panicked");
            standing.decide(Outcome::Failed(trouble), was_ready, now, 0.5);
        } else {
            standing.asked = None;
        }
        true
    }

    /// It is not asked in this pass.
    pub(super) fn skip(&mut self, at: usize, why: Skipped, now: Instant, random: f64) {
        let was_ready = self.was_ready;
        let standing = &mut self.standings[at];
        (standing.rounds, standing.wanted) = (standing.rounds + 1, false);
        standing.counts.skip(why);
        standing.decide(Outcome::Skipped(why), was_ready, now, random);
    }

    /// It still blocks a thread, long after its time: it is not asked a second time beside that.
    pub(super) fn is_stuck(&mut self, at: usize, now: Instant, random: f64) {
        let was_ready = self.was_ready;
        let trouble = Trouble::new(Reason::TimedOut, "its last try blocks its thread");
        let standing = &mut self.standings[at];
        // Whoever wanted it asked hears this: else it would be due again at once, and always.
        standing.wanted = false;
        standing.decide(Outcome::Failed(trouble), was_ready, now, random);
    }

    /// Whatever should have been decided by now has failed. Says which that are.
    pub(super) fn cut_off(&mut self, now: Instant, random: f64) -> Vec<usize> {
        let was_ready = self.was_ready;
        let mut cut = Vec::new();
        for (at, standing) in self.standings.iter_mut().enumerate() {
            let Some(asked) = standing.asked.as_ref().filter(|asked| asked.end <= now) else {
                continue;
            };
            let trouble = asked.met.clone();
            let trouble =
                trouble.unwrap_or_else(|| Trouble::new(Reason::TimedOut, "the pass was over"));
            standing.decide(Outcome::Failed(trouble), was_ready, now, random);
            standing.rounds += 1;
            cut.push(at);
        }
        cut
    }

    /// Whether something critical of this group is being asked.
    pub(super) fn waits_for(&self, group: Group) -> bool {
        self.of(group).any(|one| one.is_critical() && one.is_asked())
    }

    /// Whether anything is being asked.
    pub(super) fn waits_for_anything(&self) -> bool {
        self.standings.iter().any(Standing::is_asked)
    }

    /// Whether something critical of this group did not pass when it was asked last.
    pub(super) fn has_failed(&self, group: Group) -> bool {
        self.of(group).any(Standing::blocks)
    }

    fn of(&self, group: Group) -> impl Iterator<Item = &Standing> {
        self.standings.iter().filter(move |one| one.spec.group == group)
    }

    fn on_turn(&mut self, turn: Turn) -> Option<&mut Standing> {
        let standing = self.standings.get_mut(turn.at)?;
        (standing.asked.is_some() && standing.rounds == turn.round).then_some(standing)
    }

    /// What is missing, with the reason of each, for the log and an operator; empty where nothing critical is.
    #[must_use]
    pub fn missing(&self) -> Vec<(Arc<str>, String)> {
        let blocking = self.standings.iter().filter(|one| one.blocks());
        blocking.map(|one| (Arc::clone(&one.spec.name), one.in_words())).collect()
    }
}
