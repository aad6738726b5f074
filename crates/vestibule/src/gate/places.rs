//! How many places are taken, and by whom.
//!
//! Owns the bounds on those that are held: in number, in bytes, and for each client. Whoever waits, rests, or
//! is out as a scout has a place. Must never keep an entry for a client that has none, so that the books are
//! bounded by the places themselves; their hasher is seeded, so that nobody can choose addresses that collide.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::num::NonZeroUsize;

use super::grant::Entrant;
use super::{ClientKey, Limits, Refusal};

/// The books.
#[derive(Debug)]
pub(super) struct Places {
    held_max: usize,
    bytes_max: usize,
    share_max: Option<NonZeroUsize>,
    taken: usize,
    bytes: usize,
    /// Kept also while there is no limit: one that comes later must find them right.
    shares: HashMap<ClientKey, usize>,
}

impl Places {
    /// All free.
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            held_max: limits.held_max,
            bytes_max: limits.held_bytes_max,
            share_max: limits.held_per_client_max,
            taken: 0,
            bytes: 0,
            shares: HashMap::new(),
        }
    }

    /// So many from now on. Whoever has one keeps it.
    pub(super) const fn set_limits(&mut self, limits: &Limits) {
        self.held_max = limits.held_max;
        self.bytes_max = limits.held_bytes_max;
        self.share_max = limits.held_per_client_max;
    }

    /// Whether there is one for this client. Its own share is looked at first: that of a client that fills
    /// the queue alone is the better reason.
    pub(super) fn room_for(&self, client: Option<ClientKey>, bytes: usize) -> Result<(), Refusal> {
        let share = client.and_then(|client| self.shares.get(&client)).copied();
        if self.share_max.zip(share).is_some_and(|(most, share)| share >= most.get()) {
            return Err(Refusal::ClientShare);
        }
        if self.taken >= self.held_max || bytes > self.bytes_max.saturating_sub(self.bytes) {
            return Err(Refusal::QueueFull);
        }
        Ok(())
    }

    /// One is taken.
    pub(super) fn take(&mut self, entrant: &Entrant) {
        self.taken += 1;
        self.bytes += entrant.bytes;
        if let Some(client) = entrant.client {
            *self.shares.entry(client).or_default() += 1;
        }
    }

    /// One is free again. Each that was taken is freed once.
    pub(super) fn free(&mut self, entrant: &Entrant) {
        self.taken -= 1;
        self.bytes -= entrant.bytes;
        let Some(client) = entrant.client else { return };
        if let Entry::Occupied(mut share) = self.shares.entry(client) {
            *share.get_mut() -= 1;
            if *share.get() == 0 {
                share.remove();
            }
        }
    }

    /// How many are taken, in number and in bytes, and each client's share of them.
    #[cfg(test)]
    pub(super) const fn books(&self) -> (usize, usize, &HashMap<ClientKey, usize>) {
        (self.taken, self.bytes, &self.shares)
    }
}
