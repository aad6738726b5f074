//! One check's turn: the task that asks it.
//!
//! Owns what becomes of a check that panics, hangs, or is left: each of its tries is over in time, and its turn
//! ends with an outcome or without any trace. Must never let a check's panic out, also not one of its `Drop`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until, timeout};

use crate::breaker::Trip;
use crate::check::{Check, CheckFuture, Outcome, Reason, Saw, Stage, Trouble};

use super::Inner;
use super::board::Turn;
use super::tries::{Next, Tries};

/// Asks one check, in a task of its own that ends not later than the turn.
pub(super) fn ask(inner: &Arc<Inner>, turn: Turn) -> AbortHandle {
    let asking = Asking { inner: Arc::clone(inner), turn };
    tokio::spawn(asking.run()).abort_handle()
}

/// A turn that is under way; dropped before its outcome, it is left.
struct Asking {
    inner: Arc<Inner>,
    turn: Turn,
}

impl Asking {
    async fn run(self) {
        let (inner, turn) = (&self.inner, self.turn);
        let checked = &inner.checks[turn.at];
        let rest = inner.board.borrow().rest_of(turn.at);
        let mut tries = Tries::new(&checked.spec, &inner.factors, rest, turn.end);
        let outcome = loop {
            let now = Instant::now();
            match tries.next(now) {
                Next::Done(outcome) => break outcome,
                Next::Rest(until) => sleep_until(until).await,
                Next::Try(time) => self.try_once(&mut tries, time).await,
            }
        };
        self.end(outcome, tries.rest_behind());
    }

    async fn try_once(&self, tries: &mut Tries<'_>, time: Duration) {
        let (inner, turn) = (&self.inner, self.turn);
        let mut leave = None;
        inner.board.send_if_modified(|board| {
            leave = board.begin_try(turn, Instant::now(), time);
            false
        });
        let Some(leave) = leave else {
            tries.barred();
            return;
        };
        let result = try_once(inner.checks[turn.at].check.as_ref(), time).await;
        let (now, random) = (Instant::now(), fastrand::f64());
        let cap = inner.board.borrow().patience(now);
        tries.record(result.clone(), now, random, cap);
        let reason = result.as_ref().err().map(Trouble::reason);
        let mut trip = None;
        inner.board.send_modify(|board| {
            trip = board.end_try(turn, leave, result, now, fastrand::f64());
        });
        if let (Some(trip), Some(reason)) = (trip, reason) {
            self.tell(trip, reason);
        }
    }

    fn end(&self, outcome: Outcome, rest: Option<Instant>) {
        let (now, random) = (Instant::now(), fastrand::f64());
        let turn = self.turn;
        self.inner.board.send_modify(|board| {
            board.end_asking(turn, outcome, rest, now, random);
        });
    }

    /// One line for each trip. Before the first ready a probe fails many times a second while a dependency is
    /// down: that is the same trip.
    fn tell(&self, trip: Trip, reason: Reason) {
        if trip.again {
            return;
        }
        let checked = &self.inner.checks[self.turn.at];
        tracing::warn!(
            check = %checked.spec.name,
            kind = checked.check.kind(),
            reason = reason.as_str(),
            failures = trip.failures,
            open_ms = u64::try_from(trip.open_for.as_millis()).unwrap_or(u64::MAX),
            advice = reason.advice(),
            "breaker opened: the check is not asked for a while"
        );
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        let (turn, now) = (self.turn, Instant::now());
        let broken = std::thread::panicking();
        self.inner.board.send_if_modified(|board| board.leave_off(turn, broken, now));
    }
}

/// One try, within its time; a panic is a failed one.
async fn try_once(check: &dyn Check, time: Duration) -> Result<Saw, Trouble> {
    let stage = Stage::default();
    let Ok(future) = catch_unwind(AssertUnwindSafe(|| check.try_once(&stage))) else {
        return Err(panicked());
    };
    let mut guarded = Guarded(Some(future));
    let answered = timeout(time, std::future::poll_fn(|context| guarded.poll(context))).await;
    let result = answered.unwrap_or_else(|_elapsed| Err(stage.cut_off()));
    if guarded.end() { result } else { Err(panicked()) }
}

/// A check's future, whose panics stay inside.
struct Guarded<'a>(Option<CheckFuture<'a, Result<Saw, Trouble>>>);

impl Guarded<'_> {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Saw, Trouble>> {
        let Some(future) = self.0.as_mut() else { return Poll::Ready(Err(panicked())) };
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context)));
        polled.unwrap_or_else(|_panic| Poll::Ready(Err(panicked())))
    }

    /// Lets the future go. Answers whether that went well.
    fn end(&mut self) -> bool {
        let future = self.0.take();
        catch_unwind(AssertUnwindSafe(|| drop(future))).is_ok()
    }
}

impl Drop for Guarded<'_> {
    fn drop(&mut self) {
        self.end();
    }
}

fn panicked() -> Trouble {
    Trouble::new(Reason::Panicked, "the check panicked")
}
