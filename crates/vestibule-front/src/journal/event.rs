//! What `/events` tells.
//!
//! Owns the events and their form. Must never carry anything but words of our own and numbers.

use serde_json::{Value, json};

/// One thing that happened, for whoever follows along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The state is this one now; a word of [`vestibule::readiness::State`].
    State(&'static str),
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
    pub const fn name(self) -> &'static str {
        match self {
            Self::State(_) => "state",
            Self::Settled { .. } => "settled",
            Self::Released { .. } => "released",
            Self::Draining { .. } => "draining",
            Self::Drained { .. } => "drained",
        }
    }

    /// Its data, as a JSON object.
    pub fn data(self) -> Value {
        match self {
            Self::State(state) => json!({ "state": state }),
            Self::Settled { held } => json!({ "held": held }),
            Self::Released { admitted, took_ms } => {
                json!({ "admitted": admitted, "took_ms": took_ms })
            }
            Self::Draining { open } => json!({ "open": open }),
            Self::Drained { open, took_ms } => json!({ "open": open, "took_ms": took_ms }),
        }
    }
}
