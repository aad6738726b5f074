//! Who goes first while the upstream is young.
//!
//! Owns which scouts are out, what is known of their routes, and picks the next head. A route may be broken for
//! good while another is ready: so heads that differ in route go first, and a scout that the upstream has had in
//! silence leaves the room to others. Must never know what a route is: it sees an opaque hash.
//!
//! What bounds the wait of a route that works, with a room of `S` scouts that may be silent for `q` each: routes
//! known to be silent have half of the room, so that `F` untried ones ahead in line cost `q · (1 + F / (S / 2))` at
//! most, and `q · F / S` if none was tried before. What bounds the load: `S` scouts each `q`, `handovers_max` out
//! at a time; and of a service that is silent on its only route, half a room and one.

use std::collections::{HashSet, VecDeque};

use super::Limits;

/// Routes known to be silent at most; the oldest is forgotten, and costs one more try.
const SILENT_ROUTES_MAX: usize = 1_024;

/// A first try lasts four times as long as a scout may be silent in the room. So many rooms of silent scouts are
/// kept for first tries: what tries again can't take their places.
const FIRST_TRIES_ROOMS: usize = 3;

/// The scouts that are out.
#[derive(Debug)]
pub(super) struct Scouts {
    room_max: usize,
    /// How many may be out and have left the room.
    left_max: usize,
    /// Never more than `room_max` and `left_max` together.
    out: Vec<Scout>,
    /// The routes whose scouts came back last without settling, oldest first; never more than `room_max`.
    tried: VecDeque<u64>,
    silent: SilentRoutes,
}

/// One scout that is out.
#[derive(Debug)]
struct Scout {
    id: u64,
    route: u64,
    /// Its route was known to be silent when it was sent.
    goes_again: bool,
    /// The upstream has it in silence.
    is_silent: bool,
    /// It made room for another one.
    has_left: bool,
}

/// How far a head is from being the next scout; the least goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    New,
    Tried,
    Out,
    Silent,
    SilentAndOut,
}

impl Scouts {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            room_max: limits.scouts_max,
            left_max: limits.handovers_max.saturating_sub(limits.scouts_max),
            out: Vec::new(),
            tried: VecDeque::new(),
            silent: SilentRoutes::default(),
        }
    }

    /// So many may be out from now on.
    pub(super) fn set_limits(&mut self, limits: &Limits) {
        self.room_max = limits.scouts_max;
        self.left_max = limits.handovers_max.saturating_sub(limits.scouts_max);
        let surplus = self.tried.len().saturating_sub(self.room_max);
        self.tried.drain(..surplus);
    }

    /// Whether one more may go.
    pub(super) fn has_room(&self) -> bool {
        self.in_room().count() < self.room_max
    }

    /// Whether one more may go on this route.
    pub(super) fn has_room_for(&self, route: u64) -> bool {
        self.has_room() && (!self.silent.has(route) || self.has_room_for_silent())
    }

    pub(super) fn send(&mut self, id: u64, route: u64) {
        let goes_again = self.silent.has(route);
        self.out.push(Scout { id, route, goes_again, is_silent: false, has_left: false });
    }

    /// A scout is not out any more, however its try ended.
    pub(super) fn welcome(&mut self, id: u64) {
        self.out.retain(|scout| scout.id != id);
    }

    /// The upstream has had this scout in silence for long. Answers whether that made room for another one.
    pub(super) fn fall_silent(&mut self, id: u64, is_of_this_youth: bool) -> bool {
        let Some(at) = self.out.iter().position(|scout| scout.id == id) else { return false };
        let makes_room = self.may_leave(&self.out[at]);
        let scout = &mut self.out[at];
        scout.is_silent = true;
        scout.has_left |= makes_room;
        if is_of_this_youth {
            self.silent.add(scout.route);
        }
        makes_room
    }

    /// A scout that is still out has its answer, which did not settle.
    pub(super) fn note_tried(&mut self, id: u64, route: u64) {
        let was_silent = self.out.iter().any(|scout| scout.id == id && scout.is_silent);
        if !was_silent {
            self.silent.remove(route);
        }
        self.tried.retain(|tried| *tried != route);
        if self.tried.len() >= self.room_max {
            self.tried.pop_front();
        }
        self.tried.push_back(route);
    }

    /// The upstream is another one now: what was tried says nothing any more.
    pub(super) fn forget_tried(&mut self) {
        self.tried.clear();
        self.silent = SilentRoutes::default();
    }

    /// Picks from the line, first come first within each rank: a route neither out nor just tried, else one not
    /// out, else one not silent, else whatever is in line. Silent routes may have half of the room.
    pub(super) fn pick(&self, line: impl Iterator<Item = (u64, u64)>) -> Option<u64> {
        let mut best: Option<(Rank, u64)> = None;
        for (turn, route) in line {
            let rank = self.rank(route);
            if best.is_none_or(|(found, _)| rank < found) {
                best = Some((rank, turn));
            }
            if rank == Rank::New {
                break;
            }
        }
        let (rank, turn) = best?;
        (rank < Rank::Silent || self.has_room_for_silent()).then_some(turn)
    }

    fn rank(&self, route: u64) -> Rank {
        let is_out = self.out.iter().any(|scout| scout.route == route);
        match (self.silent.has(route), is_out) {
            (false, false) if self.tried.contains(&route) => Rank::Tried,
            (false, false) => Rank::New,
            (false, true) => Rank::Out,
            (true, false) => Rank::Silent,
            (true, true) => Rank::SilentAndOut,
        }
    }

    /// A route that tries again may have one scout beyond the room.
    fn may_leave(&self, scout: &Scout) -> bool {
        let left = || self.out.iter().filter(|scout| scout.has_left);
        if scout.has_left || left().count() >= self.left_max {
            return false;
        }
        let again = left().filter(|left| left.goes_again);
        let again_max = self.left_max.saturating_sub(FIRST_TRIES_ROOMS * self.room_max);
        let is_alone = again.clone().all(|left| left.route != scout.route);
        !scout.goes_again || (is_alone && again.count() < again_max)
    }

    fn has_room_for_silent(&self) -> bool {
        let silent = self.in_room().filter(|scout| self.silent.has(scout.route));
        silent.count() < (self.room_max / 2).max(1)
    }

    fn in_room(&self) -> impl Iterator<Item = &Scout> {
        self.out.iter().filter(|scout| !scout.has_left)
    }

    /// How many are out, in the room and not.
    #[cfg(test)]
    pub(super) fn count(&self) -> (usize, usize) {
        let left = self.out.iter().filter(|scout| scout.has_left).count();
        (self.out.len() - left, left)
    }
}

/// Routes on which the upstream fell silent, in this youth.
#[derive(Debug, Default)]
struct SilentRoutes {
    known: HashSet<u64>,
    /// The same, oldest first.
    order: VecDeque<u64>,
}

impl SilentRoutes {
    fn has(&self, route: u64) -> bool {
        self.known.contains(&route)
    }

    fn add(&mut self, route: u64) {
        if !self.known.insert(route) {
            return;
        }
        self.order.push_back(route);
        if self.order.len() > SILENT_ROUTES_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }

    fn remove(&mut self, route: u64) {
        if self.known.remove(&route) {
            self.order.retain(|known| *known != route);
        }
    }
}

#[cfg(test)]
mod tests;
