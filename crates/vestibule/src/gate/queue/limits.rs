//! The queue's bounds, at the start and changed later.
//!
//! Owns what makes bounds sound. Must never throw anybody out: fewer places are for those to come.

use tokio::time::Instant;

use super::{Limits, Queue};

impl<W> Queue<W> {
    /// Other bounds from now on.
    pub(in super::super) fn set_limits(&mut self, limits: Limits, now: Instant) {
        self.limits = sound(limits);
        self.places.set_limits(&self.limits);
        self.scouts.set_limits(&self.limits);
        self.budget.set_share(&self.limits);
        // There may be more slots now.
        self.pump(now);
    }
}

/// A limit of 0 hand-overs, scouts or tries would hold for ever and counts as 1.
pub(super) fn sound(mut limits: Limits) -> Limits {
    limits.handovers_max = limits.handovers_max.max(1);
    limits.scouts_max = limits.scouts_max.clamp(1, limits.handovers_max);
    limits.tries_max = limits.tries_max.max(1);
    limits
}
