//! Is everything there that the service needs?
//!
//! Owns the passes over the checks: one at a time for everybody, groups in order, each pass within its budget
//! whatever a dependency does; and the [`Board`] on which everybody reads what was seen. Must never call a
//! check passed that was not seen to pass, and must never admit or refuse: [`Opinion`] is acted upon elsewhere.

mod board;
mod pass;
mod tries;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep};

use crate::backoff::Backoff;
use crate::check::Checked;
use crate::timeouts::Factors;

pub use self::board::{Board, Counts, Opinion, Standing, Tried};

/// From one failed pass to the next, before the first ready.
const BETWEEN_PASSES: Backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2))
    .with_floor(Duration::from_millis(20));

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
    wake: Notify,
}

impl Validation {
    /// Checks that nobody has asked yet, and the factors that stretch their timeouts.
    #[must_use]
    pub fn new(checks: Vec<Checked>, factors: Factors) -> Self {
        let board = Board::new(&checks, &factors, Instant::now());
        let (board, _) = watch::channel(board);
        Self { inner: Arc::new(Inner { checks, factors, board, wake: Notify::new() }) }
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

    /// Passes for as long as it is polled: at once until the first ready, calmly afterwards. Never resolves.
    pub async fn keep(&self) {
        let mut failed = 0_u32;
        loop {
            let opinion = self.pass(Mode::Gate).await;
            let pause = match opinion {
                Opinion::Waiting { .. } => {
                    let pause = BETWEEN_PASSES.delay(failed, fastrand::f64());
                    failed = failed.saturating_add(1);
                    pause.min(self.inner.patience(Instant::now()))
                }
                _ => {
                    failed = 0;
                    self.inner.interval()
                }
            };
            tokio::select! {
                () = sleep(pause) => {}
                () = self.inner.wake.notified() => {}
            }
        }
    }

    /// One pass.
    pub async fn pass(&self, mode: Mode) -> Opinion {
        pass::pass(&self.inner, mode).await;
        self.opinion(Instant::now())
    }

    /// The service is ready for the first time: from now on checks report, and gate only where they always do.
    pub fn ready(&self) {
        self.inner.board.send_modify(Board::ready);
    }

    /// The service starts anew: what was seen before is history, and every critical check gates again.
    pub fn begin_again(&self) {
        self.inner.board.send_modify(|board| board.begin_again(Instant::now()));
        self.inner.wake.notify_one();
    }

    /// A client arrives: what is too old is asked again, once for all who come meanwhile.
    pub fn arrival(&self, now: Instant) {
        if self.inner.board.borrow().is_stale(now) {
            self.inner.wake.notify_one();
        }
    }
}

impl Inner {
    /// How long a start that has taken so long already may rest: a twentieth more is not felt.
    fn patience(&self, now: Instant) -> Duration {
        let waited = now.saturating_duration_since(self.board.borrow().began());
        (waited / 20).clamp(Duration::from_millis(100), Duration::from_secs(2))
    }

    fn interval(&self) -> Duration {
        let intervals = self.checks.iter().map(|checked| checked.spec.interval);
        intervals.min().unwrap_or(Duration::from_secs(3600))
    }
}

#[cfg(test)]
mod tests;
