//! One release of the queue, from the survivor to the last one that waited for it.
//!
//! Owns who belongs to a release and how many of them were admitted. Must never release anybody.

use tokio::time::Instant;

use super::counts::Release;

/// A release that has not ended: all turns before `mark` belong to it.
#[derive(Debug)]
pub(super) struct Releasing {
    mark: u64,
    began: Instant,
    admitted: u64,
}

impl Releasing {
    /// Begins now, for everybody whose turn is before `mark`.
    pub(super) const fn new(mark: u64, now: Instant) -> Self {
        Self { mark, began: now, admitted: 0 }
    }

    /// Somebody with this turn was admitted.
    pub(super) const fn note_admitted(&mut self, turn: u64) {
        if turn < self.mark {
            self.admitted += 1;
        }
    }

    /// Whether nobody of those who waited for it is in line any more.
    pub(super) fn is_over(&self, first_turn: Option<u64>) -> bool {
        first_turn.is_none_or(|turn| turn >= self.mark)
    }

    /// What became of it.
    pub(super) fn report(self, now: Instant) -> Release {
        Release { admitted: self.admitted, took: now.saturating_duration_since(self.began) }
    }
}
