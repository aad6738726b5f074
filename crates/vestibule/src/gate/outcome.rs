//! What follows from a step of the queue.
//!
//! Owns the values by which the pure queue tells its shell what to do. Must never do it.

use super::GiveUp;
use super::counts::Release;
use super::grant::Grant;
use super::refusal::Refusal;

/// What others must hear.
#[derive(Debug)]
pub(super) struct Effects<W> {
    pub(super) answers: Vec<(W, Result<Grant, Refusal>)>,
    pub(super) release: Option<Release>,
}

/// What becomes of a newcomer.
#[derive(Debug)]
pub(super) enum Entered {
    Admitted(Grant),
    Refused(Refusal),
    /// Held under this arrival number.
    Held(u64),
}

/// What becomes of a try that did not settle.
#[derive(Debug)]
pub(super) enum Retried {
    GivenUp(GiveUp),
    /// Held, but not in line before [`super::queue::Queue::rise`]; `attempt` counts from 0.
    Rests {
        id: u64,
        attempt: u32,
    },
}

impl<W> Default for Effects<W> {
    fn default() -> Self {
        Self { answers: Vec::new(), release: None }
    }
}
