//! Passes for as long as somebody wants them.
//!
//! Owns the one loop: it waits until a check is due, somebody wants it asked, or it says that it changed; then
//! it leads a pass. Must never run two passes at a time, nor make up for those that were missed: what is
//! overdue after the process was suspended is asked once.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::board::{Board, What};
use super::pass::{self, Plan};
use super::source::Sources;
use super::{Inner, Mode};

/// Never resolves. Dropping it ends what is being asked.
pub(super) async fn keep(inner: &Arc<Inner>) {
    let _stop = Stop(inner);
    let mut sources = Sources::new(&inner.checks);
    let mut board = inner.board.subscribe();
    loop {
        until_due(inner, &mut board, &mut sources).await;
        let flight = inner.flight.lock().await;
        // Whoever led before may have asked already.
        if inner.is_due(Instant::now()) {
            pass::lead(inner, flight, Plan { what: What::Due, mode: Mode::Gate, whole: false })
                .await;
        }
    }
}

/// Waits until a check is due.
async fn until_due(
    inner: &Arc<Inner>,
    board: &mut watch::Receiver<Board>,
    sources: &mut Sources<'_>,
) {
    loop {
        let now = Instant::now();
        let due = board.borrow_and_update().due_at(now);
        let due_now = async {
            match due {
                Some(at) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        if due.is_some_and(|at| at <= now) {
            return;
        }
        tokio::select! {
            biased;
            at = sources.next() => inner.board.send_modify(|board| board.want(at)),
            () = due_now => {}
            // The sender is ours, and never gone.
            _ = board.changed() => {}
        }
    }
}

/// What nobody waits for is not asked on.
struct Stop<'a>(&'a Inner);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        // If somebody else leads a pass, it is theirs.
        if let Ok(mut flight) = self.0.flight.try_lock() {
            flight.abort_all();
        }
    }
}

impl Inner {
    fn is_due(&self, now: Instant) -> bool {
        self.board.borrow().due_at(now).is_some_and(|at| at <= now)
    }
}
