//! What can be asked.
//!
//! Owns the table of routes. Must never match anything but a whole path: there is no prefix, no
//! decoding and no file behind any of them.

use std::fmt::Write;

/// One route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// This list.
    Index,
    /// Whether the process should be left alone.
    Livez,
    /// Whether new traffic may come.
    Readyz,
    /// Whether the start is over.
    Startupz,
    /// The health document.
    Health,
    /// Counts and measures.
    Metrics,
    /// What happens, as it happens.
    Events,
    /// Where the service reports how far its start has come: the only route that changes anything.
    StartupPhase,
}

impl Route {
    /// Every route. A test asks each of them what an attacker would.
    pub const ALL: [Self; 8] = [
        Self::Index,
        Self::Livez,
        Self::Readyz,
        Self::Startupz,
        Self::Health,
        Self::Metrics,
        Self::Events,
        Self::StartupPhase,
    ];

    /// The route of a path, if there is one.
    pub fn of(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|route| route.path() == path)
    }

    /// Its path.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Index => "/",
            Self::Livez => "/livez",
            Self::Readyz => "/readyz",
            Self::Startupz => "/startupz",
            Self::Health => "/health",
            Self::Metrics => "/metrics",
            Self::Events => "/events",
            Self::StartupPhase => "/startup/phase",
        }
    }

    /// Whether it answers without a token: probes say one word, and a kubelet has no token.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Livez | Self::Readyz | Self::Startupz)
    }

    /// Whether it changes something: then it is POST alone, and never without a token.
    pub const fn is_write(self) -> bool {
        matches!(self, Self::StartupPhase)
    }

    const fn about(self) -> &'static str {
        match self {
            Self::Index => "this list",
            Self::Livez => "200 while the process runs",
            Self::Readyz => "200 while new traffic may come, else 503",
            Self::Startupz => "200 once the service has been ready, until then 503",
            Self::Health => "state, phases, counts and last refusals, as JSON",
            Self::Metrics => "for Prometheus",
            Self::Events => "state changes and releases as they happen (server-sent events)",
            Self::StartupPhase => "POST: the service reports a phase of its start",
        }
    }
}

/// The list of routes, for people.
pub fn index() -> String {
    let mut list = "vestibule\n\n".to_owned();
    for route in Route::ALL {
        let _ = writeln!(list, "{:16}{}", route.path(), route.about());
    }
    list
}
