//! How many requests have gone to the upstream.
//!
//! Owns the numbers that an upstream's own count is held against: no upstream ever sees a request that
//! the door did not count. Must never know more of a request than its kind.

use std::sync::atomic::{AtomicU64, Ordering};

/// What is sent to the upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One try of a hand-over.
    Handshake,
    /// A plain request, or its repetition.
    Plain,
    /// Our own question on the ready path.
    Probe,
}

/// Requests that were sent to the upstream, by kind.
#[derive(Debug, Default)]
pub struct Requests([Sent; 3]);

#[derive(Debug, Default)]
struct Sent {
    begun: AtomicU64,
    unsent: AtomicU64,
    shown: AtomicU64,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Handshake, Self::Plain, Self::Probe];

    /// The word used in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Handshake => "handshake",
            Self::Plain => "plain",
            Self::Probe => "probe",
        }
    }
}

impl Requests {
    /// One is about to be sent: called before its first byte leaves.
    pub fn begin(&self, kind: Kind) {
        self.of(kind).begun.fetch_add(1, Ordering::SeqCst);
    }

    /// One that was begun came back: not a byte of it had left.
    pub fn take_back(&self, kind: Kind) {
        self.of(kind).unsent.fetch_add(1, Ordering::SeqCst);
    }

    /// How many of clients were sent, tries of a hand-over and plain requests alike. Never fewer than
    /// the upstream has seen.
    pub fn total(&self) -> u64 {
        self.of(Kind::Handshake).total() + self.of(Kind::Plain).total()
    }

    /// How many of this kind, for a counter that others read: it never falls, though one may have been
    /// taken back since the last look.
    pub fn shown(&self, kind: Kind) -> u64 {
        let sent = self.of(kind);
        let total = sent.total();
        sent.shown.fetch_max(total, Ordering::SeqCst).max(total)
    }

    const fn of(&self, kind: Kind) -> &Sent {
        &self.0[kind as usize]
    }
}

impl Sent {
    fn total(&self) -> u64 {
        // In this order: what is taken back between the two reads is counted a moment longer.
        let unsent = self.unsent.load(Ordering::SeqCst);
        self.begun.load(Ordering::SeqCst) - unsent
    }
}

#[cfg(test)]
mod tests {
    //! Takes a request back between two looks.

    use super::*;

    #[test]
    fn a_count_that_was_shown_never_falls_and_probes_are_apart() {
        let requests = Requests::default();
        for kind in Kind::ALL {
            requests.begin(kind);
        }
        assert_eq!((requests.total(), requests.shown(Kind::Plain)), (2, 1));
        requests.take_back(Kind::Plain);
        assert_eq!((requests.total(), requests.shown(Kind::Plain)), (1, 1));
        requests.begin(Kind::Plain);
        assert_eq!((requests.total(), requests.shown(Kind::Plain)), (2, 1));
    }
}
