//! Where a socket stands among its user's events.
//!
//! Owns the order: each event after the first number goes out exactly once, by its number, whatever the bus loses,
//! doubles or turns around, and whenever the store answers. Must never ask the store itself, and must never keep more
//! than [`LINE_BYTES`] and one event.

use std::collections::VecDeque;

use crate::event::{Event, What};

/// How many bytes of events wait to be written, before what the bus tells is left to the store.
pub(super) const LINE_BYTES: usize = 256 * 1024;
/// How many events the store is asked for at once. A message has 32 KiB at most ([`crate::chat::TEXT_MAX`] characters of
/// four bytes) and an answer of the agent 64 KiB, so a page of both has at most 2 MiB.
pub(super) const PAGE: i64 = 32;

/// A place. Its next event is the one behind the newest in line.
#[derive(Debug)]
pub(super) struct Place {
    /// The newest that is, or was, in line.
    newest: i64,
    /// What is to be written, in order and without a gap.
    line: VecDeque<Told>,
    bytes: usize,
    /// The newest that was heard of, in line or not.
    known: i64,
    asking: Asking,
}

/// An event as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    /// Its number.
    pub(super) id: i64,
    /// Its JSON.
    pub(super) text: String,
    /// For the end of a run: what it belongs to in the log, once it is written; empty if only the store knew it.
    pub(super) ends: Option<String>,
}

/// What is between us and the store.
#[derive(Debug, PartialEq, Eq)]
enum Asking {
    /// We have all that we know of.
    No,
    /// There may be more than we have.
    Wanted,
    /// It is being asked. `again`: something was heard since that the answer may not have.
    Underway { again: bool },
}

/// What an answer of the store brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Brought {
    /// At least one event that was new.
    News,
    /// Nothing that was not there before.
    Nothing,
}

impl Place {
    /// A place behind the event of this number. The store is asked at once: something may have been stored since.
    pub(super) fn behind(last: i64) -> Self {
        let line = VecDeque::new();
        Self { newest: last, line, bytes: 0, known: last, asking: Asking::Wanted }
    }

    /// The bus tells of an event.
    pub(super) fn heard(&mut self, event: &Event, correlation: &str) {
        if event.id <= self.newest {
            return;
        }
        self.known = self.known.max(event.id);
        if !self.take(event, correlation) {
            self.doubt();
        }
    }

    /// Something may have been missed.
    pub(super) fn doubt(&mut self) {
        self.asking = match self.asking {
            Asking::No | Asking::Wanted => Asking::Wanted,
            Asking::Underway { .. } => Asking::Underway { again: true },
        };
    }

    /// Whether [`Self::question`] has one.
    pub(super) fn is_curious(&self) -> bool {
        self.asking == Asking::Wanted && self.line.is_empty()
    }

    /// Behind which number the store is to be asked for [`PAGE`] events, if it is to be asked: not before all that it
    /// said last is written. Each question wants an answer: [`Self::page`] or [`Self::no_page`].
    pub(super) fn question(&mut self) -> Option<i64> {
        if !self.is_curious() {
            return None;
        }
        self.asking = Asking::Underway { again: false };
        Some(self.newest)
    }

    /// The store answers.
    pub(super) fn page(&mut self, events: &[Event]) -> Brought {
        let Asking::Underway { again } = self.asking else {
            return Brought::Nothing;
        };
        let before = self.newest;
        let mut left = false;
        for event in events {
            left = event.id > self.newest && !self.take(event, "");
            if left {
                break;
            }
        }
        let is_news = self.newest > before;
        let is_full = i64::try_from(events.len()).is_ok_and(|count| count >= PAGE);
        let is_behind = is_news && (left || self.known > self.newest);
        self.asking = if again || is_full || is_behind { Asking::Wanted } else { Asking::No };
        if self.asking == Asking::No {
            // Who told of more told what is not stored. The store is right, or else we would ask it for ever.
            self.known = self.newest;
        }
        if is_news { Brought::News } else { Brought::Nothing }
    }

    /// The store did not answer.
    pub(super) fn no_page(&mut self) {
        self.asking = Asking::Wanted;
    }

    /// Whether something is to be written.
    pub(super) fn has_next(&self) -> bool {
        !self.line.is_empty()
    }

    /// The next to be written.
    pub(super) fn next(&mut self) -> Option<Told> {
        let told = self.line.pop_front()?;
        self.bytes -= told.text.len();
        Some(told)
    }

    /// Whether all that we know of is written.
    pub(super) fn is_caught_up(&self) -> bool {
        self.asking == Asking::No && self.line.is_empty()
    }

    /// Takes an event in line if it is the next and there is room.
    fn take(&mut self, event: &Event, correlation: &str) -> bool {
        if Some(event.id) != self.newest.checked_add(1) || self.bytes >= LINE_BYTES {
            return false;
        }
        // Without a text the event is left to the store, which it came from: it can't be without one.
        let Ok(text) = serde_json::to_string(event) else {
            return false;
        };
        let ends = matches!(event.what, What::AgentCompleted { .. });
        self.newest = event.id;
        self.known = self.known.max(event.id);
        self.bytes += text.len();
        self.line.push_back(Told { id: event.id, text, ends: ends.then(|| correlation.into()) });
        true
    }
}

#[cfg(test)]
mod tests;
