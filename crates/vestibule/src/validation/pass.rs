//! One pass over the checks.
//!
//! Owns the order of groups, the end of the pass, and what becomes of a check that panics or never answers.
//! Must never outlast the validation budget.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use crate::check::{Check, Group, Reason, Saw, Skipped, Stage, Trouble};

use super::tries::{Next, Tries};
use super::{Inner, Mode};

/// Runs one pass to its end.
pub(super) async fn pass(inner: &Arc<Inner>, mode: Mode) {
    let end = Instant::now() + inner.factors.validation;
    inner.board.send_modify(|board| board.pass_begins(Instant::now()));
    let mut running = JoinSet::new();
    let mut barred = false;
    for group in Group::ALL {
        let of_group = (0..inner.checks.len()).filter(|at| inner.checks[*at].spec.group == group);
        for at in of_group {
            if barred {
                inner
                    .board
                    .send_modify(|board| board.skip(at, Skipped::EarlierGroup, Instant::now()));
            } else {
                running.spawn(check(Arc::clone(inner), at, end));
            }
        }
        let undecided = || inner.board.borrow().waits_for(group);
        while undecided()
            && let Ok(Some(_)) = timeout_at(end, running.join_next()).await
        {}
        barred = mode == Mode::Gate && inner.board.borrow().has_failed(group);
    }
    // What only degrades keeps nobody waiting, and may have what is left.
    while let Ok(Some(_)) = timeout_at(end, running.join_next()).await {}
    drop(running);
    inner.board.send_modify(|board| board.pass_ends(Instant::now()));
}

/// One check, to its outcome.
async fn check(inner: Arc<Inner>, at: usize, end: Instant) {
    let checked = &inner.checks[at];
    let mut tries = Tries::new(&checked.spec, &inner.factors, end);
    let outcome = loop {
        let now = Instant::now();
        match tries.next(now) {
            Next::Done(outcome) => break outcome,
            Next::Rest(until) => sleep_until(until).await,
            Next::Try(time) => {
                let mut asked = None;
                inner.board.send_if_modified(|board| {
                    asked = Some(board.ask(at, now, time));
                    false
                });
                let Some(Ok(leave)) = asked else {
                    tries.barred();
                    continue;
                };
                let result = try_once(checked.check.as_ref(), time).await;
                let (now, random) = (Instant::now(), fastrand::f64());
                let cap = inner.patience(now);
                let tried = result.clone();
                inner.board.send_modify(|board| board.tried(at, leave, tried, now, random, cap));
                tries.record(result, now, random, cap);
            }
        }
    };
    inner.board.send_modify(|board| board.decide(at, outcome, Instant::now()));
}

/// One try, within its time; a panic is a failed one.
async fn try_once(check: &dyn Check, time: Duration) -> Result<Saw, Trouble> {
    let stage = Stage::default();
    let mut future = match catch_unwind(AssertUnwindSafe(|| check.try_once(&stage))) {
        Ok(future) => future,
        Err(_panic) => return Err(panicked()),
    };
    let guarded = std::future::poll_fn(|context| {
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context)));
        polled.unwrap_or_else(|_panic| Poll::Ready(Err(panicked())))
    });
    timeout(time, guarded).await.unwrap_or_else(|_elapsed| Err(stage.cut_off()))
}

fn panicked() -> Trouble {
    Trouble::new(Reason::Panicked, "the check panicked")
}
