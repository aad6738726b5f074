//! Is everything there that the service needs?
//!
//! Owns the passes over the checks: one at a time for everybody, groups in order, each pass within its budget
//! whatever a dependency does; and the [`Board`] on which everybody reads what was seen. Must never call a
//! check passed that was not seen to pass, and must never admit or refuse: [`Opinion`] is acted upon elsewhere.
//!
//! The data has its rooms (`board` what was seen, `tries` one check's turn) and so has what moves it: `keep`
//! waits until somebody is due, `pass` asks in order, `asking` is one check's task, `source` hears dependencies
//! that speak by themselves.

mod asking;
mod board;
mod keep;
mod pass;
mod source;
mod tries;

use std::sync::Arc;

use tokio::sync::{Mutex, watch};
use tokio::time::Instant;

use crate::check::Checked;
use crate::timeouts::Factors;

pub use self::board::{Board, Counts, LastPass, Opinion, Standing, TRIES_KEPT, Tried};

use self::board::What;
use self::pass::{Flight, Plan};

/// So many passes a wait for one may cause, when starts begin again meanwhile.
const PASSES_MAX: u32 = 3;

/// How thorough a pass is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Groups behind one whose critical check failed are skipped.
    Gate,
    /// Every check is asked.
    Survey,
}

/// The checks of one service. Clones are handles to the same.
#[derive(Clone, Debug)]
pub struct Validation {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    checks: Vec<Checked>,
    factors: Factors,
    board: watch::Sender<Board>,
    /// Whoever holds this leads a pass. Those who wait for it are served in order of arrival.
    flight: Mutex<Flight>,
}

impl Validation {
    /// Checks that nobody has asked yet, and the factors that stretch their timeouts.
    #[must_use]
    pub fn new(checks: Vec<Checked>, factors: Factors) -> Self {
        let board = Board::new(&checks, &factors, Instant::now());
        let inner = Inner {
            checks,
            factors,
            board: watch::Sender::new(board),
            flight: Mutex::new(Flight::default()),
        };
        Self { inner: Arc::new(inner) }
    }

    /// What was seen so far.
    #[must_use]
    pub fn board(&self) -> Board {
        self.inner.board.borrow().clone()
    }

    /// What follows from it now.
    #[must_use]
    pub fn opinion(&self, now: Instant) -> Opinion {
        self.inner.board.borrow().opinion(now)
    }

    /// Follows the board: it changes with every try.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Board> {
        self.inner.board.subscribe()
    }

    /// Passes for as long as it is polled: at once until all that is critical has passed, calmly afterwards,
    /// each check at its own interval. Never resolves: its owner bounds it, by the startup budget and its own
    /// life. Must be polled inside a tokio runtime.
    pub async fn keep(&self) {
        keep::keep(&self.inner).await;
    }

    /// One pass over all checks, to the last of them.
    pub async fn pass(&self, mode: Mode) -> Opinion {
        let flight = self.inner.flight.lock().await;
        pass::lead(&self.inner, flight, Plan { what: What::All, mode, whole: true }).await;
        self.opinion(Instant::now())
    }

    /// What follows from outcomes of which none is older than `since`. A pass under way serves everybody who
    /// waits; if it can't, one more does. A time to come counts as now.
    ///
    /// Dropping it loses nothing: what was asked goes on, and the next who waits leads.
    pub async fn validated_since(&self, since: Instant) -> Opinion {
        let since = since.min(Instant::now());
        for _ in 0..PASSES_MAX {
            if self.inner.board.borrow().is_decided_since(since) {
                break;
            }
            let flight = self.inner.flight.lock().await;
            if !self.inner.board.borrow().is_decided_since(since) {
                let plan = Plan { what: What::Since(since), mode: Mode::Gate, whole: true };
                pass::lead(&self.inner, flight, plan).await;
            }
        }
        self.opinion(Instant::now())
    }

    /// Asks everything anew: [`Validation::validated_since`] now.
    pub async fn refresh(&self) -> Opinion {
        self.validated_since(Instant::now()).await
    }

    /// The service is ready for the first time: from now on checks report, and gate only where they always do.
    pub fn ready(&self) {
        self.inner.board.send_modify(Board::ready);
    }

    /// The service starts anew: what was seen before is history, and every critical check gates again. What is
    /// being asked is let go.
    pub fn begin_again(&self) {
        self.inner.board.send_modify(|board| board.begin_again(Instant::now()));
    }

    /// A client arrives: what is too old is asked again by [`Validation::keep`], once for all who come
    /// meanwhile.
    pub fn arrival(&self, now: Instant) {
        if self.inner.board.borrow().is_stale(now) {
            self.inner.board.send_if_modified(|board| board.want_fresh(now));
        }
    }
}

impl Inner {
    /// When whatever is asked now must be decided. A budget beyond what the clock can count is cut to a day.
    fn end_of_turn(&self, now: Instant) -> Instant {
        let day = std::time::Duration::from_secs(24 * 3_600);
        now.checked_add(self.factors.validation.value).unwrap_or(now + day)
    }
}

#[cfg(test)]
mod tests;
