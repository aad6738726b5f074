//! Who wants in, and what the gate has granted.
//!
//! Owns the plain data that travels between the queue and a permit. A [`Grant`] is neither `Clone` nor `Copy`:
//! it goes back to the queue exactly once.

use tokio::time::Instant;

use super::{Arrival, ClientKey, Kind};

/// One client on its way through the gate, with its history.
#[derive(Debug)]
pub(super) struct Entrant {
    /// The order of arrival.
    pub(super) id: u64,
    pub(super) kind: Kind,
    pub(super) bytes: usize,
    pub(super) client: Option<ClientKey>,
    pub(super) arrived: Instant,
    pub(super) deadline: Instant,
    /// How often it was granted a seat.
    pub(super) tries: u32,
    /// How often within `era`, while others survived.
    tries_in_era: u32,
    /// The era that `tries_in_era` counts.
    era: u64,
}

impl Entrant {
    pub(super) const fn new(id: u64, arrival: Arrival, now: Instant) -> Self {
        Self {
            id,
            kind: arrival.kind,
            bytes: arrival.bytes,
            client: arrival.client,
            arrived: now,
            deadline: arrival.deadline,
            tries: 0,
            tries_in_era: 0,
            era: 0,
        }
    }

    /// What it declared when it came.
    pub(super) const fn arrival(&self) -> Arrival {
        let Self { kind, bytes, client, deadline, .. } = *self;
        Arrival { kind, bytes, client, deadline }
    }

    /// How often it was tried in this era, while others survived.
    pub(super) const fn tries_in(&self, era: u64) -> u32 {
        if self.era == era { self.tries_in_era } else { 0 }
    }

    /// Gives it a seat.
    pub(super) const fn seated(mut self, seat: Seat, era: u64) -> Grant {
        self.tries = self.tries.saturating_add(1);
        if matches!(seat, Seat::HandOver | Seat::Plain) {
            self.tries_in_era = self.tries_in(era).saturating_add(1);
            self.era = era;
        }
        Grant { entrant: self, seat, era }
    }
}

/// What a permit holds, to be given back.
#[derive(Debug)]
pub(super) struct Grant {
    pub(super) entrant: Entrant,
    pub(super) seat: Seat,
    /// The era in which it was granted: what it proves holds for this era only.
    pub(super) era: u64,
}

/// Which bound a permit counts against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seat {
    /// Handshakes while the upstream is young. A scout keeps its place in the queue's bounds, to come back to.
    Scout,
    /// Handshakes while others survive.
    HandOver,
    /// Handshakes that the upstream has and thinks over: they gave their slot to the next in line.
    Slow,
    /// Plain requests take no slot.
    Plain,
}

impl Seat {
    /// Whether it takes one of the slots of hand-overs.
    pub(super) const fn takes_slot(self) -> bool {
        matches!(self, Self::Scout | Self::HandOver)
    }

    /// Whether it keeps its place in the queue's bounds, to come back to.
    pub(super) const fn keeps_place(self) -> bool {
        matches!(self, Self::Scout)
    }
}
