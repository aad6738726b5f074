//! Who goes first while the upstream is young.
//!
//! Owns which routes have a scout out and which were tried just now, and picks the next head. A route may be
//! broken for good while another is ready, so heads that differ in route go first. Must never know what a
//! route is: it sees an opaque hash.

use std::collections::VecDeque;

/// The scouts that are out.
#[derive(Debug)]
pub(super) struct Scouts {
    out_max: usize,
    /// One route for each scout; never more than `out_max`.
    out: Vec<u64>,
    bytes: usize,
    /// The routes whose scouts came back last without settling, oldest first; never more than `out_max`.
    tried: VecDeque<u64>,
}

impl Scouts {
    pub(super) const fn new(out_max: usize) -> Self {
        Self { out_max, out: Vec::new(), bytes: 0, tried: VecDeque::new() }
    }

    /// How many are out.
    pub(super) const fn count(&self) -> usize {
        self.out.len()
    }

    /// The bytes of those that are out.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether one more may go.
    pub(super) const fn has_room(&self) -> bool {
        self.out.len() < self.out_max
    }

    pub(super) fn send(&mut self, route: u64, bytes: usize) {
        self.out.push(route);
        self.bytes += bytes;
    }

    pub(super) fn welcome(&mut self, route: u64, bytes: usize) {
        if let Some(at) = self.out.iter().position(|out| *out == route) {
            self.out.swap_remove(at);
            self.bytes -= bytes;
        }
    }

    /// A scout came back without settling.
    pub(super) fn note_tried(&mut self, route: u64) {
        self.tried.retain(|tried| *tried != route);
        if self.tried.len() >= self.out_max {
            self.tried.pop_front();
        }
        self.tried.push_back(route);
    }

    /// The upstream is another one now: what was tried says nothing any more.
    pub(super) fn forget_tried(&mut self) {
        self.tried.clear();
    }

    /// Picks from the line, first come first: a route neither out nor just tried, else one not out, else the head.
    pub(super) fn pick(&self, line: impl Iterator<Item = (u64, u64)>) -> Option<u64> {
        let mut head = None;
        let mut not_out = None;
        for (turn, route) in line {
            head = head.or(Some(turn));
            if self.out.contains(&route) {
                continue;
            }
            if !self.tried.contains(&route) {
                return Some(turn);
            }
            not_out = not_out.or(Some(turn));
        }
        not_out.or(head)
    }
}

#[cfg(test)]
mod tests {
    //! Breaks the choice with crowds on one route, and with routes that were all tried.

    use super::*;

    #[test]
    fn routes_that_differ_go_first_then_those_not_out_then_the_head() {
        let mut scouts = Scouts::new(4);
        let line = [(1, 7), (2, 7), (3, 8), (4, 9)];
        let pick = |scouts: &Scouts| scouts.pick(line.into_iter());
        assert_eq!(pick(&scouts), Some(1));
        scouts.send(7, 10);
        assert_eq!(pick(&scouts), Some(3));
        scouts.note_tried(8);
        assert_eq!(pick(&scouts), Some(4));
        scouts.send(9, 10);
        assert_eq!(pick(&scouts), Some(3));
        scouts.send(8, 10);
        assert_eq!(pick(&scouts), Some(1));
        scouts.welcome(7, 10);
        assert_eq!((scouts.count(), scouts.bytes()), (2, 20));
        assert_eq!(scouts.pick(std::iter::empty()), None);
    }

    #[test]
    fn memory_of_tried_routes_is_bounded() {
        let mut scouts = Scouts::new(4);
        (0..100).for_each(|route| scouts.note_tried(route));
        assert_eq!(scouts.tried, [96, 97, 98, 99]);
        scouts.note_tried(97);
        assert_eq!(scouts.tried, [96, 98, 99, 97]);
    }
}
