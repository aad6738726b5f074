//! What the gate has done, in numbers.
//!
//! Owns the totals and the picture taken of them. Must never decide anything.

use std::time::Duration;

use super::refusal::Refusal;

/// A picture of the gate at one moment. Totals only grow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// How many wait for their turn, with those that rest before a retry.
    pub held: usize,
    /// The bytes which those that are held have declared.
    pub held_bytes: usize,
    /// Handshakes that hold a permit: hand-overs in flight, scouts among them.
    pub handing_over: usize,
    /// Clients that got a permit; a retry counts no second time.
    pub admitted_total: u64,
    /// Clients that were refused, by reason.
    pub refused_total: Refused,
    /// Hand-overs that survived their settle window.
    pub settled_total: u64,
    /// Hand-overs that went back to try again.
    pub retries_total: u64,
    /// Clients that left while they were held.
    pub left_total: u64,
}

/// How many were refused for each reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refused([u64; Refusal::CODES.len()]);

impl Refused {
    /// Each reason's code with its number.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        Refusal::CODES.into_iter().zip(self.0)
    }

    /// How many were refused for this reason.
    #[must_use]
    pub const fn of(&self, refusal: &Refusal) -> u64 {
        self.0[refusal.index()]
    }

    /// How many were refused for whatever reason.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    pub(super) const fn add(&mut self, refusal: &Refusal) {
        self.0[refusal.index()] += 1;
    }
}

/// How often the gate has released its queue, and how the last release went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Releases {
    /// Releases that have ended.
    pub total: u64,
    /// The last of them.
    pub last: Option<Release>,
}

/// One release: from the survivor to the moment when the last one that waited then has its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Release {
    /// How many of those that waited were admitted; the others were refused, or left.
    pub admitted: u64,
    /// How long it took.
    pub took: Duration,
}
