//! One pass over the checks.
//!
//! Owns the order of groups and the end of the pass: when its critical checks are decided, and never later
//! than its budget. What only degrades goes on behind it, within the same budget, and is not asked a second
//! time meanwhile. Must never run beside another pass.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::MutexGuard;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout_at};

use crate::check::{Group, Skipped};

use super::asking;
use super::board::{Board, What};
use super::{Inner, Mode};

/// What ends with its budget ends by itself; whatever does not is cut off so much later.
const GRACE: Duration = Duration::from_millis(25);

/// The tasks that ask, one for each check at most.
#[derive(Debug, Default)]
pub(super) struct Flight {
    epoch: u64,
    tasks: Vec<Option<Task>>,
}

#[derive(Debug)]
struct Task {
    handle: AbortHandle,
    /// It was cut off after its time. Unless it ends then, it blocks its thread.
    cut: bool,
}

/// How a pass goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) what: What,
    pub(super) mode: Mode,
    /// Whether it ends with its last check, and not with its last critical one.
    pub(super) whole: bool,
}

/// Leads one pass to its end. Whoever drops it leaves what was asked to go on for the next who leads.
pub(super) async fn lead(inner: &Arc<Inner>, mut flight: MutexGuard<'_, Flight>, plan: Plan) {
    let began = Instant::now();
    let mut pass = Pass { inner, epoch: 0, end: inner.end_of_turn(began), over: false };
    let (mut chosen, mut cut) = (Vec::new(), Vec::new());
    inner.board.send_modify(|board| {
        // What went on behind an earlier pass, and beyond its own end.
        cut = board.cut_off(began, fastrand::f64());
        chosen = board.chosen(plan.what, began);
        board.pass_begins(began);
        pass.epoch = board.epoch();
    });
    flight.cut(&cut);
    flight.catch_up(pass.epoch, inner.checks.len());
    // Once a service was ready, nobody waits for groups: each check is asked when it is due.
    let by_group = plan.mode == Mode::Gate && !inner.board.borrow().was_ready();
    let mut barred = false;
    for group in Group::ALL {
        let of_group = chosen.iter().filter(|at| inner.checks[**at].spec.group == group);
        of_group.for_each(|at| pass.ask(&mut flight, *at, barred));
        if by_group && !barred {
            pass.wait(|board| board.waits_for(group)).await;
            let board = inner.board.borrow();
            barred = board.has_failed(group) || board.waits_for(group);
        }
    }
    let whole = plan.whole;
    pass.wait(|board| {
        Group::ALL.into_iter().any(|group| board.waits_for(group))
            || whole && board.waits_for_anything()
    })
    .await;
    pass.end(&mut flight);
}

/// A pass under way; dropped before its end, it has decided nothing.
struct Pass<'a> {
    inner: &'a Arc<Inner>,
    epoch: u64,
    end: Instant,
    over: bool,
}

impl Pass<'_> {
    /// One check is asked, or skipped, or still blocks a thread.
    fn ask(&self, flight: &mut Flight, at: usize, barred: bool) {
        let (now, random) = (Instant::now(), fastrand::f64());
        let stuck = flight.is_stuck(at);
        let mut turn = None;
        self.inner.board.send_modify(|board| {
            // Another start has begun: whatever this pass wanted to know is history.
            if board.epoch() != self.epoch {
                return;
            }
            if barred {
                board.skip(at, Skipped::EarlierGroup, now, random);
            } else if now >= self.end {
                board.skip(at, Skipped::NoTimeLeft, now, random);
            } else if stuck {
                board.is_stuck(at, now, random);
            } else {
                turn = Some(board.begin_asking(at, now, self.end));
            }
        });
        if let Some(turn) = turn {
            let handle = asking::ask(self.inner, turn);
            flight.tasks[at] = Some(Task { handle, cut: false });
        }
    }

    /// Waits as long as `undecided`, at most to the end of the pass, and not for another start's sake.
    async fn wait(&self, undecided: impl Fn(&Board) -> bool) {
        let mut board = self.inner.board.subscribe();
        let done = board.wait_for(|board| board.epoch() != self.epoch || !undecided(board));
        // At its end it is cut off by the caller; the sender is ours, and never gone.
        let _ = timeout_at(self.end + GRACE, done).await;
    }

    fn end(mut self, flight: &mut Flight) {
        let now = Instant::now();
        let mut cut = Vec::new();
        let mut epoch = self.epoch;
        self.inner.board.send_modify(|board| {
            epoch = board.epoch();
            if epoch == self.epoch {
                cut = board.cut_off(now, fastrand::f64());
                board.pass_ends(now, fastrand::f64());
                self.over = true;
            }
        });
        flight.cut(&cut);
        flight.catch_up(epoch, self.inner.checks.len());
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if !self.over {
            self.inner.board.send_modify(Board::pass_abandoned);
        }
    }
}

impl Flight {
    /// What was asked for an earlier start is let go.
    fn catch_up(&mut self, epoch: u64, checks: usize) {
        self.tasks.resize_with(checks, || None);
        if self.epoch != epoch {
            self.epoch = epoch;
            self.abort_all();
        }
    }

    /// Nobody wants to know any more.
    pub(super) fn abort_all(&mut self) {
        for task in self.tasks.iter_mut().filter_map(Option::take) {
            task.handle.abort();
        }
    }

    fn cut(&mut self, late: &[usize]) {
        for at in late {
            if let Some(task) = self.tasks.get_mut(*at).and_then(Option::as_mut) {
                task.cut = true;
                task.handle.abort();
            }
        }
    }

    fn is_stuck(&self, at: usize) -> bool {
        let task = self.tasks.get(at).and_then(Option::as_ref);
        task.is_some_and(|task| task.cut && !task.handle.is_finished())
    }
}
