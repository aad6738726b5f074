//! Where the held clients wait.
//!
//! Owns the books: every client that is held, its place, and the sums over all of them. Must never decide who
//! goes; it only keeps the three views of the same clients (by arrival, by turn, plain requests) in step.

use std::collections::{BTreeMap, BTreeSet};

use super::Kind;
use super::grant::Entrant;

/// The held clients.
#[derive(Debug)]
pub(super) struct Waiting<W> {
    /// Everybody, by arrival.
    held: BTreeMap<u64, Held<W>>,
    bytes: usize,
    /// Handshakes whose turn may come: turn to arrival.
    line: BTreeMap<u64, u64>,
    /// Plain requests that wait for the end of a hold.
    plains: BTreeSet<u64>,
}

/// One held client, with the token that wakes it.
#[derive(Debug)]
pub(super) struct Held<W> {
    pub(super) entrant: Entrant,
    pub(super) waiter: W,
    place: Place,
}

/// How a held client waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A handshake, for its turn.
    InLine { turn: u64 },
    /// A plain request, for the end of the hold.
    Plain,
    /// Either, for the end of its rest after a try.
    Resting,
}

impl<W> Waiting<W> {
    /// How many are held.
    pub(super) fn len(&self) -> usize {
        self.held.len()
    }

    /// The bytes that they declared.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// The first turn in line.
    pub(super) fn first_turn(&self) -> Option<u64> {
        self.line.first_key_value().map(|(turn, _)| *turn)
    }

    /// Whose turn this is.
    pub(super) fn at_turn(&self, turn: u64) -> Option<u64> {
        self.line.get(&turn).copied()
    }

    /// Every turn in line with its route, first come first.
    pub(super) fn turns(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.line.iter().filter_map(|(turn, id)| {
            let Kind::Handshake { route } = self.held.get(id)?.entrant.kind else {
                return None;
            };
            Some((*turn, route))
        })
    }

    /// The first plain request that waits.
    pub(super) fn first_plain(&self) -> Option<u64> {
        self.plains.first().copied()
    }

    /// The client that rests under this arrival number, if it still does.
    pub(super) fn resting(&self, id: u64) -> Option<&Entrant> {
        self.held.get(&id).filter(|held| held.place == Place::Resting).map(|held| &held.entrant)
    }

    /// Takes a client in.
    pub(super) fn hold(&mut self, entrant: Entrant, place: Place, waiter: W) {
        let id = entrant.id;
        self.bytes += entrant.bytes;
        let held = Held { entrant, waiter, place };
        self.held.insert(id, held);
        self.file(id, place);
    }

    /// Moves a client to another place.
    pub(super) fn shift(&mut self, id: u64, place: Place) {
        if let Some(held) = self.held.get_mut(&id) {
            let left = std::mem::replace(&mut held.place, place);
            self.strike(id, left);
            self.file(id, place);
        }
    }

    /// Lets a client go.
    pub(super) fn remove(&mut self, id: u64) -> Option<Held<W>> {
        let held = self.held.remove(&id)?;
        self.bytes -= held.entrant.bytes;
        self.strike(id, held.place);
        Some(held)
    }

    /// Lets everybody go, by arrival.
    pub(super) fn remove_all(&mut self) -> impl Iterator<Item = Held<W>> + use<W> {
        let everybody = std::mem::take(self);
        everybody.held.into_values()
    }

    /// Orders the line by arrival again.
    pub(super) fn order_by_arrival(&mut self) {
        self.line.clear();
        for (id, held) in &mut self.held {
            if let Place::InLine { turn } = &mut held.place {
                *turn = *id;
                self.line.insert(*id, *id);
            }
        }
    }

    fn file(&mut self, id: u64, place: Place) {
        match place {
            Place::InLine { turn } => {
                self.line.insert(turn, id);
            }
            Place::Plain => {
                self.plains.insert(id);
            }
            Place::Resting => {}
        }
    }

    fn strike(&mut self, id: u64, place: Place) {
        match place {
            Place::InLine { turn } => {
                self.line.remove(&turn);
            }
            Place::Plain => {
                self.plains.remove(&id);
            }
            Place::Resting => {}
        }
    }
}

impl<W> Default for Waiting<W> {
    fn default() -> Self {
        Self { held: BTreeMap::new(), bytes: 0, line: BTreeMap::new(), plains: BTreeSet::new() }
    }
}
