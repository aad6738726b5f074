//! Reports of a race: text for people, JSON for machines, JUnit for a build server.
//!
//! Owns their form. Pure functions to `String`; must never print, and never count by itself.

mod column;
pub mod json;
pub mod junit;
mod note;
mod style;
pub mod text;
pub mod trace;
mod units;

pub use column::Column;
pub use note::Note;
pub use style::{Ink, Style};

use crate::{race::Outcome, tally::Tally};

/// One race with its count, as every report takes it.
#[derive(Debug)]
pub struct Run<'a> {
    /// What happened.
    pub outcome: &'a Outcome,
    /// The same, counted.
    pub tally: Tally,
    /// Whether a lost client of this race is a failure. In a comparison the bare race is shown,
    /// not judged.
    pub judged: bool,
}

impl<'a> Run<'a> {
    /// A race whose lost clients count.
    #[must_use]
    pub fn judged(outcome: &'a Outcome) -> Self {
        Self {
            outcome,
            tally: Tally::count(&outcome.clients, outcome.ready.as_ref()),
            judged: true,
        }
    }

    /// Which of the raced arrangements it is.
    #[must_use]
    pub fn column(&self) -> Column {
        Column::of(self.outcome)
    }

    /// A race that stands beside for comparison.
    #[must_use]
    pub fn for_comparison(outcome: &'a Outcome) -> Self {
        Self { judged: false, ..Self::judged(outcome) }
    }
}

#[cfg(test)]
mod sample;
