//! How many requests have gone to the upstream.
//!
//! Owns the one number that an upstream's own count is held against: no upstream ever sees a request that
//! the door did not count. Must never know what a request is.

use std::sync::atomic::{AtomicU64, Ordering};

/// Requests of clients that were sent to the upstream, tries of a hand-over and plain requests alike.
/// Probes of readiness are ours and are not counted.
#[derive(Debug, Default)]
pub struct Requests {
    begun: AtomicU64,
    unsent: AtomicU64,
}

impl Requests {
    /// One is about to be sent: called before its first byte leaves.
    pub fn begin(&self) {
        self.begun.fetch_add(1, Ordering::SeqCst);
    }

    /// One that was begun came back: not a byte of it had left.
    pub fn take_back(&self) {
        self.unsent.fetch_add(1, Ordering::SeqCst);
    }

    /// How many were sent. Never fewer than the upstream has seen.
    pub fn total(&self) -> u64 {
        // In this order: what is taken back between the two reads is counted a moment longer.
        let unsent = self.unsent.load(Ordering::SeqCst);
        self.begun.load(Ordering::SeqCst) - unsent
    }
}
