//! What the service's checks and its own reports say.
//!
//! Owns their lines and events. Must never carry more of a check than its declared name and words of our own: what a
//! dependency answered is shown by `/health` alone.

use std::sync::Arc;

use tokio::time::Instant;
use vestibule::breaker;
use vestibule::check::{Criticality, Outcome, Skipped};
use vestibule::startup::Phase;
use vestibule::validation::{Board, Opinion, Standing};

use crate::service::{NotTaken, Report};

use super::Journal;
use super::event::Event;

/// As many missing checks are named; of more their number is said.
const NAMED_MAX: usize = 4;

/// What keeps the service from its first ready, in words: `check database: refused`. `None` if nothing does.
pub fn missing(board: &Board) -> Option<String> {
    let is_missing = |one: &&Standing| {
        one.spec.criticality == Criticality::Critical
            && !one.last.as_ref().is_some_and(|last| last.outcome.is_passed())
    };
    // Of those that were skipped for others, the others are what is missing.
    let waits_for_others = |one: &&Standing| {
        let last = one.last.as_ref().map(|last| &last.outcome);
        matches!(last, Some(Outcome::Skipped(Skipped::EarlierGroup)))
    };
    let all = board.standings().iter().filter(is_missing);
    let (others, causes): (Vec<_>, Vec<_>) = all.partition(waits_for_others);
    let named = if causes.is_empty() { others } else { causes };
    let words = named.iter().take(NAMED_MAX).map(|one| {
        let why =
            one.last.as_ref().and_then(|last| last.outcome.reason()).unwrap_or("not seen yet");
        format!("check {}: {why}", one.spec.name)
    });
    let mut words: Vec<String> = words.collect();
    if named.len() > NAMED_MAX {
        words.push(format!("and {} more", named.len() - NAMED_MAX));
    }
    (!words.is_empty()).then(|| words.join("; "))
}

impl Journal {
    /// The service was found; what is missing are checks.
    pub fn awaits_checks(&self, board: &Board) {
        let missing = missing(board).unwrap_or_default();
        tracing::info!(missing, "the service is there: waiting for its checks");
    }

    /// The service was found, and went again before its checks had passed.
    pub fn went(&self, why: &str) {
        tracing::warn!(why, "the service was there, and is not any more");
    }

    /// The service reports another phase of its start.
    pub fn phase(&self, phase: Phase) {
        tracing::info!(phase = phase.as_str(), "the service goes on with its start");
        self.tell(Event::Phase(phase.as_str()));
    }

    /// A report changed nothing.
    pub fn report_not_taken(&self, report: &Report, why: NotTaken) {
        match report {
            Report::Phase(phase) => tracing::warn!(phase, %why, "a reported phase is not obeyed"),
            Report::Failed(reason) => {
                tracing::warn!(reason, %why, "a reported failure is not obeyed");
            }
        }
    }

    /// The checks have changed what becomes of newcomers.
    pub fn barred(&self, opinion: &Opinion, held: usize) {
        match opinion {
            Opinion::Hold { by } => tracing::warn!(check = %by, held, "a check is down: holding"),
            Opinion::Refuse { by } => {
                tracing::warn!(check = %by, held, "a breaker is open: refusing");
            }
            Opinion::Ready { .. } | Opinion::Waiting { .. } => {
                tracing::info!(held, "checks that gate are well again: admitting");
            }
        }
    }
}

/// What was told of the checks, to tell what is new.
#[derive(Debug)]
pub struct Told {
    checks: Vec<Known>,
    degraded: Vec<Arc<str>>,
}

/// What was told of one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Known {
    /// None before anybody has seen it in this start.
    is_down: Option<bool>,
    /// Its breaker is not closed; each probe that fails opens it again, which is no news.
    is_shut: bool,
}

impl Known {
    fn of(one: &Standing) -> Self {
        Self {
            is_down: one.last.as_ref().map(|_| one.down),
            is_shut: !matches!(one.breaker.state(), breaker::State::Closed { .. }),
        }
    }
}

impl Told {
    /// Nothing of these checks has been told.
    pub fn nothing_of(board: &Board) -> Self {
        let nothing = Known { is_down: None, is_shut: false };
        Self { checks: vec![nothing; board.standings().len()], degraded: Vec::new() }
    }

    /// Tells what is new on the board.
    pub fn tell(&mut self, journal: &Journal, board: &Board, now: Instant) {
        for (known, one) in self.checks.iter_mut().zip(board.standings()) {
            let is = Known::of(one);
            if is.is_down.is_some_and(|down| known.is_down != Some(down)) {
                journal.check(one, is.is_down == Some(true), known.is_down.is_none());
            }
            if is.is_shut != known.is_shut {
                let state = if is.is_shut { "open" } else { "closed" };
                journal.tell(Event::Breaker { check: Arc::clone(&one.spec.name), state });
            }
            *known = is;
        }
        if let Opinion::Ready { degraded } = board.opinion(now)
            && degraded != self.degraded
        {
            journal.degraded(&degraded);
            self.degraded = degraded;
        }
    }
}

impl Journal {
    /// A check is down, or up again, or was seen for the first time.
    fn check(&self, one: &Standing, is_down: bool, is_first: bool) {
        let (check, reason) =
            (&one.spec.name, one.last.as_ref().and_then(|last| last.outcome.reason()));
        if is_down {
            tracing::warn!(%check, kind = one.kind, reason, "check down");
        } else if !is_first {
            tracing::info!(%check, kind = one.kind, "check up");
        }
        self.tell(Event::Check { check: Arc::clone(check), is_down, reason });
    }

    fn degraded(&self, checks: &[Arc<str>]) {
        if checks.is_empty() {
            tracing::info!("not degraded any more");
        } else {
            tracing::warn!(checks = checks.join(", "), "degraded");
        }
        self.tell(Event::Degraded(checks.into()));
    }
}
