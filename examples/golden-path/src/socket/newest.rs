//! The number of a user's newest event.
//!
//! Owns the search for it. Must never read more than one event at a time.

use crate::event::UserId;
use crate::store::{Store, StoreError};

/// The number of a user's newest event, 0 if there is none. Numbers have no gap, so it is found by doubling and halving:
/// 20 small reads for a thousand events, 126 at most.
pub(super) async fn newest(store: &Store, user: UserId) -> Result<i64, StoreError> {
    let mut search = Search::new();
    while let Some(number) = search.question() {
        let exists = exists(store, user, number).await?;
        search.answer(exists);
    }
    Ok(search.found)
}

/// Whether a user has an event of this number.
pub(super) async fn exists(store: &Store, user: UserId, number: i64) -> Result<bool, StoreError> {
    Ok(number <= 0 || !store.events_after(user, number - 1, 1).await?.is_empty())
}

/// What is known: `found` exists, `missing` does not.
struct Search {
    found: i64,
    missing: Option<i64>,
}

impl Search {
    const fn new() -> Self {
        Self { found: 0, missing: None }
    }

    /// Which number to look for.
    fn question(&self) -> Option<i64> {
        let number = match self.missing {
            None => self.found.saturating_mul(2).max(1),
            Some(missing) => self.found + (missing - self.found) / 2,
        };
        (number > self.found).then_some(number)
    }

    fn answer(&mut self, exists: bool) {
        let asked = self.question();
        match asked {
            Some(number) if exists => self.found = number,
            other => self.missing = other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Breaks if the newest number is missed by one, or if the search does not end.
    #[test]
    fn the_newest_number_is_found_in_a_bounded_number_of_reads() {
        for newest in (0..1100).chain([i64::MAX / 2, i64::MAX - 1, i64::MAX]) {
            let (mut search, mut reads) = (Search::new(), 0);
            while let Some(number) = search.question() {
                search.answer(number <= newest);
                reads += 1;
                assert!(reads <= 126, "{newest}");
            }
            assert_eq!(search.found, newest);
        }
    }
}
