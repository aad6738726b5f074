//! Who is asked when.
//!
//! Owns the times at which checks are due: all of them while something critical is missing, afterwards each at
//! its own interval. Takes `now`; must never wait, and must never make up for turns that were missed.

use tokio::time::Instant;

use super::{Board, Opinion};

/// Whom a pass asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::validation) enum What {
    /// Everybody.
    All,
    /// Whoever is due: everybody while something critical is missing.
    Due,
    /// Whoever was not decided since then.
    Since(Instant),
}

impl Board {
    /// When somebody is due; `None` as long as nothing changes.
    pub(in crate::validation) fn due_at(&self, now: Instant) -> Option<Instant> {
        let next = self.standings.iter().filter_map(|one| one.due_at(now)).min();
        if self.is_waiting(now) {
            let wanted = self.standings.iter().any(|one| one.wanted && !one.is_asked());
            return Some(if wanted { now } else { self.retry_at });
        }
        next
    }

    /// The checks that a pass asks now. Those that are being asked are not asked twice.
    pub(in crate::validation) fn chosen(&self, what: What, now: Instant) -> Vec<usize> {
        let all = matches!(what, What::Due) && self.is_waiting(now);
        let chosen = |at: &usize| {
            let one = &self.standings[*at];
            !one.is_asked()
                && match what {
                    What::All => true,
                    What::Due => all || one.due_at(now).is_some_and(|due| due <= now),
                    What::Since(since) => one.last.as_ref().is_none_or(|last| last.at < since),
                }
        };
        (0..self.standings.len()).filter(chosen).collect()
    }

    /// Whether every check was decided at that time or later.
    pub(in crate::validation) fn is_decided_since(&self, since: Instant) -> bool {
        let decided = |last: &crate::check::Validated| last.at >= since;
        self.standings.iter().all(|one| one.last.as_ref().is_some_and(decided))
    }

    /// The check says itself that something changed.
    pub(in crate::validation) fn want(&mut self, at: usize) {
        if let Some(standing) = self.standings.get_mut(at) {
            standing.wanted = true;
        }
    }

    pub(in crate::validation) fn is_waiting(&self, now: Instant) -> bool {
        matches!(self.opinion(now), Opinion::Waiting { .. })
    }
}
