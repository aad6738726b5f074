//! Reloads of the settings.
//!
//! Owns the words for their outcome. Must never remember what was wrong with one: that is the log's.

use tokio::time::Instant;

/// How a reload ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// What was read is in force.
    Taken,
    /// It had a mistake: what was in force stays in force.
    Refused,
}

/// The last reload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reload {
    /// How it ended.
    pub outcome: Outcome,
    /// When.
    pub at: Instant,
}

impl Outcome {
    /// Every one.
    pub const ALL: [Self; 2] = [Self::Taken, Self::Refused];
    /// The word while there has been none.
    pub const NONE: &'static str = "none";

    /// The word used in metrics and documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Refused => "refused",
        }
    }
}
