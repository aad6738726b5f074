//! How a check is asked.
//!
//! Owns the settings that every check has, whatever its kind, and their defaults. Must never know a kind.

use std::sync::Arc;
use std::time::Duration;

use crate::backoff::Backoff;
use crate::timeouts::{Factors, Sourced};

/// No check is tried more often in one pass.
pub const ATTEMPTS_MAX: u32 = 10;

/// No try has less time, before the environment stretches it: a zero would mean never.
pub const TIMEOUT_MIN: Duration = Duration::from_millis(10);

/// How one check is asked. [`Spec::new`] has the defaults; change what you know better.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// Its name in logs, metrics and documents.
    pub name: Arc<str>,
    /// With whom it is asked.
    pub group: Group,
    /// One try's time, before the environment stretches it.
    pub timeout: Duration,
    /// Tries in a pass, at least 1, at most [`ATTEMPTS_MAX`].
    pub attempts: u32,
    /// The pauses between tries.
    pub backoff: Backoff,
    /// What its failure means.
    pub criticality: Criticality,
    /// When it gates.
    pub gating: Gating,
    /// After the first ready: how old an outcome may be before a refresh, where the check gates always. Up to
    /// three times this age admits meanwhile.
    pub max_age: Duration,
    /// After the first ready: from one pass to the next.
    pub interval: Duration,
    /// After the first ready: as many failures in a row make it down.
    pub fall: u32,
    /// And as many successes in a row make it up again.
    pub rise: u32,
}

impl Spec {
    /// A critical check of the dependencies: 2.0 s, 3 attempts.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self {
            name: name.into(),
            group: Group::Dependencies,
            timeout: Duration::from_secs(2),
            attempts: 3,
            backoff: Backoff::new(Duration::from_millis(100), Duration::from_secs(1)),
            criticality: Criticality::Critical,
            gating: Gating::Startup,
            max_age: Duration::from_secs(30),
            interval: Duration::from_secs(10),
            fall: 3,
            rise: 2,
        }
    }

    /// One try's time where `left` is left of the pass, and where it comes from.
    #[must_use]
    pub fn try_timeout(&self, factors: &Factors, left: Duration) -> Sourced<Duration> {
        factors.check_timeout(self.timeout.max(TIMEOUT_MIN), left)
    }

    /// The same check in another group.
    #[must_use]
    pub fn in_group(self, group: Group) -> Self {
        Self { group, ..self }
    }

    /// The same check with this time for one try, and as many tries in a pass.
    #[must_use]
    pub fn within(self, timeout: Duration, attempts: u32) -> Self {
        Self { timeout, attempts: attempts.clamp(1, ATTEMPTS_MAX), ..self }
    }

    /// The same check, whose failure only degrades.
    #[must_use]
    pub fn degradable(self) -> Self {
        Self { criticality: Criticality::Degradable, ..self }
    }

    /// The same check, which gates also after the first ready.
    #[must_use]
    pub fn gating_always(self) -> Self {
        Self { gating: Gating::Always, ..self }
    }
}

/// Which checks are asked together; groups are asked in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// What the service can't start without: database, cache, keys.
    Dependencies,
    /// The service's own parts.
    Services,
    /// The whole of it.
    Integration,
}

impl Group {
    /// Every group, in order.
    pub const ALL: [Self; 3] = [Self::Dependencies, Self::Services, Self::Integration];

    /// The word in settings and documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dependencies => "dependencies",
            Self::Services => "services",
            Self::Integration => "integration",
        }
    }
}

/// What a check's failure means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Criticality {
    /// No first ready without it.
    Critical,
    /// Ready without it, degraded.
    Degradable,
}

impl Criticality {
    /// The word in settings and documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Degradable => "degradable",
        }
    }
}

/// When a critical check gates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Gating {
    /// Until the first ready; afterwards it reports.
    Startup,
    /// Afterwards, too.
    Always,
}

impl Gating {
    /// The word in settings and documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Startup => "startup",
            Self::Always => "always",
        }
    }
}
