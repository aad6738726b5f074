//! When a crowd has left.
//!
//! Owns telling a crowd's end from the coming and going of every day. Must never read a clock or free
//! anything itself.

/// Fewer connections than this leave nothing behind that is worth giving back: about 3 MB.
const LARGE: usize = 1_000;

/// What is left of a crowd that is no crowd any more.
const FEW: usize = 50;

/// Whether a crowd was here.
#[derive(Debug, Default)]
pub enum Crowd {
    /// None that has not left.
    #[default]
    None,
    /// So many at its height, or when a part of it had left.
    Here(usize),
}

impl Crowd {
    /// So many are open now. True each time when three quarters of a crowd, or of what was left of it, are gone:
    /// a few times for each crowd.
    pub fn has_left(&mut self, open: usize) -> bool {
        match *self {
            Self::None if open < LARGE => false,
            Self::None => {
                *self = Self::Here(open);
                false
            }
            Self::Here(most) if open > most / 4 => {
                *self = Self::Here(most.max(open));
                false
            }
            Self::Here(_) => {
                *self = if open <= FEW { Self::None } else { Self::Here(open) };
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Would break if memory were given back for nothing, again and again, or never.
    #[test]
    fn a_crowd_leaves_in_a_few_steps_and_then_is_gone() {
        let mut crowd = Crowd::default();
        let rows = [
            (10, false),
            (999, false),
            (10, false),
            (4_000, false),
            (1_001, false),
            (1_000, true),
            (1_000, false),
            (250, true),
            (251, false),
            (40, true),
            (0, false),
            (999, false),
        ];
        for (open, left) in rows {
            assert_eq!(crowd.has_left(open), left, "{open}");
        }
    }
}
