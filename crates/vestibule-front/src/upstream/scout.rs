//! Whether the upstream is young.
//!
//! Owns the one question whether a hand-over must first prove itself. Must never count clients
//! or choose scouts: that is the gate's.

use std::time::Duration;

use crate::upstream::probe::Evidence;
use crate::upstream::settle;

/// A ready upstream's age in hand-overs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Youth {
    /// Just found ready: only scouts go, and each must survive its settle window.
    Young(Evidence),
    /// A hand-over survived: everyone goes, and nobody waits.
    Grown,
}

impl Youth {
    /// The window that a hand-over must survive, or `None` when it need not.
    pub fn settle(self, settle: Duration) -> Option<Duration> {
        match self {
            Self::Young(evidence) => Some(settle::window(settle, evidence)),
            Self::Grown => None,
        }
    }
}

/// Counts the open tunnels, to notice when the last of them fell.
#[derive(Debug, Default)]
pub struct Fall {
    open: usize,
}

impl Fall {
    /// How many are open.
    pub const fn open(&self) -> usize {
        self.open
    }

    /// A tunnel began.
    pub fn began(&mut self) {
        self.open += 1;
    }

    /// A tunnel ended, and whether the upstream dropped it without a goodbye. Answers whether
    /// nothing is left that shows the upstream to work: it is young again, and the next
    /// hand-over pays one settle window.
    pub fn ended(&mut self, dropped: bool) -> bool {
        self.open = self.open.saturating_sub(1);
        dropped && self.open == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_fall_of_the_last_tunnel_makes_young_again() {
        let mut fall = Fall::default();
        for _ in 0..3 {
            fall.began();
        }
        assert!(!fall.ended(true));
        assert!(!fall.ended(false));
        assert!(fall.ended(true));
        fall.began();
        assert!(!fall.ended(false));
    }
}
