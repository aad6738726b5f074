//! When a crowd has left.
//!
//! Owns telling a crowd's end from the coming and going of every day. Must never read a clock or free
//! anything itself.

/// Fewer connections than this leave nothing behind that is worth giving back: about 3 MB.
const LARGE: usize = 1_000;

/// The most connections that were open since memory was given back last.
#[derive(Debug, Default)]
pub struct Crowd {
    peak: usize,
}

impl Crowd {
    /// So many are open now. True once for each crowd, when three quarters of it are gone.
    pub fn has_left(&mut self, open: usize) -> bool {
        self.peak = self.peak.max(open);
        let left = self.peak >= LARGE && open <= self.peak / 4;
        if left {
            self.peak = open;
        }
        left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Would break if memory were given back for nothing, again and again, or never.
    #[test]
    fn a_crowd_leaves_once() {
        let mut crowd = Crowd::default();
        let seen = [10, 900, 10, 4_000, 1_001, 1_000, 1_000, 250, 0, 0];
        let left: Vec<_> = seen.iter().map(|open| crowd.has_left(*open)).collect();
        let expected = [false, false, false, false, false, true, false, true, false, false];
        assert_eq!(left, expected);
    }
}
