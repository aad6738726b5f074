//! The phases of a start, and their order.
//!
//! Owns names and the list. Must never know when a phase was entered.

use std::fmt;
use std::sync::Arc;

/// One phase, known by its name.
///
/// A service that starts in other steps names its own:
///
/// ```
/// use vestibule::startup::{Phase, Phases};
///
/// const MODELS: Phase = Phase::named("models");
/// let phases = Phases::new([Phase::INIT, Phase::DATABASE, MODELS]);
/// assert_eq!(phases.iter().last(), Some(Phase::COMPLETE));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Phase(&'static str);

impl Phase {
    /// The process is up and reads its settings.
    pub const INIT: Self = Self("init");
    /// What the service needs to be reached at all.
    pub const DEPENDENCIES: Self = Self("dependencies");
    /// The database answers, its pool is filled.
    pub const DATABASE: Self = Self("database");
    /// The cache answers.
    pub const CACHE: Self = Self("cache");
    /// The service's own parts come up.
    pub const SERVICES: Self = Self("services");
    /// The way of a WebSocket is made.
    pub const WEBSOCKET: Self = Self("websocket");
    /// The last touches.
    pub const FINALIZE: Self = Self("finalize");
    /// The start is over: the end of every list.
    pub const COMPLETE: Self = Self("complete");

    /// A phase of the service's own.
    #[must_use]
    pub const fn named(name: &'static str) -> Self {
        Self(name)
    }

    /// Its name in logs, metrics and health documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// The list of a start's phases, in order. It ends in [`Phase::COMPLETE`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phases(Arc<[Phase]>);

impl Phases {
    /// The service's own list. A phase named twice stands at its first place, and [`Phase::COMPLETE`] is
    /// always the last, written or not.
    #[must_use]
    pub fn new(phases: impl IntoIterator<Item = Phase>) -> Self {
        let mut list = Vec::new();
        for phase in phases {
            if phase != Phase::COMPLETE && !list.contains(&phase) {
                list.push(phase);
            }
        }
        list.push(Phase::COMPLETE);
        Self(list.into())
    }

    /// The phases, in order.
    pub fn iter(&self) -> impl Iterator<Item = Phase> + '_ {
        self.0.iter().copied()
    }

    /// Where this phase stands.
    pub(super) fn position(&self, phase: Phase) -> Option<usize> {
        self.0.iter().position(|known| *known == phase)
    }

    /// The phase that stands there; beyond the end there is only the end.
    pub(super) fn at(&self, position: usize) -> Phase {
        self.0.get(position).copied().unwrap_or(Phase::COMPLETE)
    }
}

impl Default for Phases {
    /// `init`, `dependencies`, `database`, `cache`, `services`, `websocket`, `finalize`, `complete`.
    fn default() -> Self {
        Self::new([
            Phase::INIT,
            Phase::DEPENDENCIES,
            Phase::DATABASE,
            Phase::CACHE,
            Phase::SERVICES,
            Phase::WEBSOCKET,
            Phase::FINALIZE,
        ])
    }
}
