//! How often a name or an address may try to log in.
//!
//! Owns the counts. Must never keep those of whom nothing is left to count.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// From so many counts on, those that are over are forgotten.
const SWEEP_FROM: usize = 4096;

/// The counts of names, or of addresses. Clones are handles to the same ones.
#[derive(Clone)]
pub(super) struct Limit {
    counts: Arc<DefaultKeyedRateLimiter<String>>,
}

impl Limit {
    /// So many in a minute; all at once if they like.
    pub(super) fn a_minute(attempts: NonZeroU32) -> Self {
        Self { counts: Arc::new(RateLimiter::keyed(Quota::per_minute(attempts))) }
    }

    /// Counts an attempt; how long to wait, if there were too many.
    pub(super) fn count(&self, whose: &str) -> Result<(), Duration> {
        if self.counts.len() >= SWEEP_FROM {
            self.counts.retain_recent();
        }
        self.counts
            .check_key(&whose.to_owned())
            .map_err(|not_until| not_until.wait_time_from(DefaultClock::default().now()))
    }
}

impl std::fmt::Debug for Limit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Limit").field("counted", &self.counts.len()).finish()
    }
}
