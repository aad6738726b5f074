//! The last refusals.
//!
//! Owns a bounded memory of them. Must never remember who was refused.

use std::collections::VecDeque;

use tokio::time::Instant;

use crate::ending::Ending;

/// How many are remembered.
pub const REMEMBERED: usize = 16;

/// One refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub code: &'static str,
    /// Whose act it was, in which phase.
    pub ending: Ending,
    /// When.
    pub at: Instant,
}

/// The last of them.
#[derive(Debug, Default)]
pub(super) struct LastRefusals(VecDeque<Refused>);

impl LastRefusals {
    pub(super) fn add(&mut self, refused: Refused) {
        if self.0.len() == REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back(refused);
    }

    pub(super) fn newest_first(&self) -> Vec<Refused> {
        self.0.iter().rev().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    //! Breaks the bound, and the order.

    use super::*;
    use crate::ending::{Party, Phase};

    #[tokio::test(start_paused = true)]
    async fn only_the_newest_are_remembered() {
        let mut last = LastRefusals::default();
        let codes: Vec<&'static str> =
            ["first"; 5].into_iter().chain(["last"; REMEMBERED]).collect();
        for code in codes {
            let ending = Ending::new(Party::Door, Phase::Held);
            last.add(Refused { code, ending, at: Instant::now() });
        }
        let newest = last.newest_first();
        assert_eq!(newest.len(), REMEMBERED);
        assert!(newest.iter().all(|refused| refused.code == "last"));
    }
}
