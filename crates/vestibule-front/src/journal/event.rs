//! What `/events` tells.
//!
//! Owns the events and their form. Must never carry anything but words of our own, the declared names of checks and
//! phases, and numbers.

use std::sync::Arc;

use serde_json::{Value, json};

/// One thing that happened, for whoever follows along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The state is this one now; a word of [`vestibule::readiness::State`].
    State(&'static str),
    /// The service reports that its start goes on to this phase.
    Phase(&'static str),
    /// A check is down, or up.
    Check {
        /// Its name.
        check: Arc<str>,
        /// Whether it is down.
        is_down: bool,
        /// Why its last outcome is no success.
        reason: Option<&'static str>,
    },
    /// A check's breaker changed.
    Breaker {
        /// The check's name.
        check: Arc<str>,
        /// `open`, or `closed` again.
        state: &'static str,
    },
    /// The service is ready, but for these checks; none: it is whole again.
    Degraded(Arc<[Arc<str>]>),
    /// A first hand-over survived, and those held go.
    Settled {
        /// How many were held by then.
        held: usize,
    },
    /// Everyone who waited for a release has gone.
    Released {
        /// How many of them were admitted.
        admitted: u64,
        /// How long it took.
        took_ms: u64,
    },
    /// A drain began.
    Draining {
        /// How many connections it waits for.
        open: usize,
    },
    /// The drain is over: the last event of all.
    Drained {
        /// How many connections were still open.
        open: usize,
        /// How long it took.
        took_ms: u64,
    },
}

impl Event {
    /// Its name in the stream.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::State(_) => "state",
            Self::Phase(_) => "phase",
            Self::Check { .. } => "check",
            Self::Breaker { .. } => "breaker",
            Self::Degraded(_) => "degraded",
            Self::Settled { .. } => "settled",
            Self::Released { .. } => "released",
            Self::Draining { .. } => "draining",
            Self::Drained { .. } => "drained",
        }
    }

    /// Its data, as a JSON object.
    pub fn data(&self) -> Value {
        match self {
            Self::State(state) => json!({ "state": state }),
            Self::Phase(phase) => json!({ "phase": phase }),
            Self::Check { check, is_down, reason } => {
                json!({ "check": &**check, "down": is_down, "reason": reason })
            }
            Self::Breaker { check, state } => json!({ "check": &**check, "breaker": state }),
            Self::Degraded(checks) => {
                json!({ "checks": checks.iter().map(|check| &**check).collect::<Vec<_>>() })
            }
            Self::Settled { held } => json!({ "held": held }),
            Self::Released { admitted, took_ms } => {
                json!({ "admitted": admitted, "took_ms": took_ms })
            }
            Self::Draining { open } => json!({ "open": open }),
            Self::Drained { open, took_ms } => json!({ "open": open, "took_ms": took_ms }),
        }
    }
}
