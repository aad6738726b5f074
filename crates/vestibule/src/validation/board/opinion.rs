//! What follows from the checks.
//!
//! Owns the way from standings to an [`Opinion`]: what waits, holds, refuses or only degrades. Must never act
//! on it.

use std::sync::Arc;

use tokio::time::Instant;

use crate::breaker;
use crate::check::Group;

use super::Board;
use super::standing::Standing;

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
    /// After the first ready: a check that gates always is down, or was not seen to pass for too long. Newcomers
    /// wait.
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

impl Opinion {
    /// Every word that [`Opinion::as_str`] may return.
    pub const WORDS: [&'static str; 5] = ["waiting", "ready", "degraded", "hold", "refuse"];

    /// The word in metrics and documents.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Waiting { .. } => "waiting",
            Self::Ready { degraded } if degraded.is_empty() => "ready",
            Self::Ready { .. } => "degraded",
            Self::Hold { .. } => "hold",
            Self::Refuse { .. } => "refuse",
        }
    }

    /// Whether nothing that gates is missing.
    #[must_use]
    pub const fn is_ready(&self) -> bool {
        matches!(self, Self::Ready { .. })
    }
}

impl Board {
    /// What follows from it now.
    #[must_use]
    pub fn opinion(&self, now: Instant) -> Opinion {
        if !self.was_ready {
            let passed = self.passed();
            if passed != Some(Group::Integration) {
                return Opinion::Waiting { passed };
            }
        }
        let name = |one: &Standing| Arc::clone(&one.spec.name);
        let open = |one: &&Standing| {
            one.down && matches!(one.breaker.state(), breaker::State::Open { .. })
        };
        if let Some(one) = self.gating().find(open) {
            return Opinion::Refuse { by: name(one) };
        }
        let missing = |one: &&Standing| one.down || one.is_too_old(now);
        if let Some(one) = self.gating().find(missing) {
            return Opinion::Hold { by: name(one) };
        }
        let down = self.standings.iter().filter(|one| one.down);
        Opinion::Ready { degraded: down.map(name).collect() }
    }

    /// The last group whose critical checks have all passed, with all before it; a group without any passes.
    #[must_use]
    pub fn passed(&self) -> Option<Group> {
        Group::ALL.into_iter().take_while(|group| !self.has_failed(*group)).last()
    }

    /// Whether anything critical is in this group.
    #[must_use]
    pub fn asks_for(&self, group: Group) -> bool {
        self.of(group).any(Standing::is_critical)
    }

    /// When the [`Opinion`] changes by itself if nothing is seen meanwhile: what gates always grows too old.
    #[must_use]
    pub fn holds_from(&self, now: Instant) -> Option<Instant> {
        self.gating().filter_map(Standing::holds_from).filter(|at| *at >= now).min()
    }

    /// Whether something that gates always was not asked for too long, and nobody knows it yet.
    pub(in crate::validation) fn is_stale(&self, now: Instant) -> bool {
        self.gating().any(|one| one.is_stale(now))
    }

    /// What is too old shall be asked. Says whether that is news.
    pub(in crate::validation) fn want_fresh(&mut self, now: Instant) -> bool {
        let was_ready = self.was_ready;
        let stale = |one: &&mut Standing| was_ready && one.gates_always() && one.is_stale(now);
        self.standings.iter_mut().filter(stale).map(|one| one.wanted = true).count() > 0
    }

    fn gating(&self) -> impl Iterator<Item = &Standing> {
        self.standings.iter().filter(|one| self.was_ready && one.gates_always())
    }
}
