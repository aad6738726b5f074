//! What dependencies say by themselves.
//!
//! Owns the sources of changes that checks bring ([`Check::changed`]), and their bound: one that never rests
//! causes a pass each [`REST`], and is named once. Must never let a source's panic out.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::check::{Check, CheckFuture, Checked};

/// One source is heard at most once in this time.
pub(super) const REST: Duration = Duration::from_millis(100);

/// As often in a row without a rest, and it is called wild.
const WILD: u32 = 20;

/// The sources of all checks.
pub(super) struct Sources<'a> {
    each: Vec<Source<'a>>,
}

struct Source<'a> {
    checked: &'a Checked,
    state: State<'a>,
    pace: Pace,
}

enum State<'a> {
    Quiet,
    Listening(CheckFuture<'a, ()>),
    /// It panicked: nobody listens any more.
    Broken,
}

impl<'a> Sources<'a> {
    pub(super) fn new(checks: &'a [Checked]) -> Self {
        let source = |checked| Source { checked, state: State::Quiet, pace: Pace::default() };
        Self { each: checks.iter().map(source).collect() }
    }

    /// The next check that says that it changed. Cancel safe: what a source said is not lost.
    pub(super) async fn next(&mut self) -> usize {
        loop {
            let now = Instant::now();
            let resting = self.each.iter().filter_map(|source| source.pace.rests_until(now)).min();
            let changed = std::future::poll_fn(|context| self.poll(context, now));
            let Some(until) = resting else { return changed.await };
            tokio::select! {
                biased;
                at = changed => return at,
                () = sleep_until(until) => {}
            }
        }
    }

    fn poll(&mut self, context: &mut Context<'_>, now: Instant) -> Poll<usize> {
        for (at, source) in self.each.iter_mut().enumerate() {
            if source.pace.rests_until(now).is_none() && source.has_changed(context) {
                if source.pace.heard(now) {
                    tracing::warn!(
                        check = %source.checked.spec.name,
                        kind = source.checked.check.kind(),
                        "the check says without end that something changed: it is heard ten times a second at most"
                    );
                }
                return Poll::Ready(at);
            }
        }
        Poll::Pending
    }
}

impl Source<'_> {
    fn has_changed(&mut self, context: &mut Context<'_>) -> bool {
        let check: &dyn Check = self.checked.check.as_ref();
        let polled = catch_unwind(AssertUnwindSafe(|| {
            if matches!(self.state, State::Quiet) {
                self.state = State::Listening(check.changed());
            }
            let State::Listening(future) = &mut self.state else { return false };
            let changed = future.as_mut().poll(context).is_ready();
            if changed {
                self.state = State::Quiet;
            }
            changed
        }));
        polled.unwrap_or_else(|_panic| {
            let name = &self.checked.spec.name;
            tracing::error!(check = %name, "the check panicked while it was waited for: nobody listens to it any more");
            let broken = std::mem::replace(&mut self.state, State::Broken);
            // A panic of its drop is the same defect, told already.
            let _ = catch_unwind(AssertUnwindSafe(|| drop(broken)));
            false
        })
    }
}

impl Drop for Source<'_> {
    fn drop(&mut self) {
        let state = std::mem::replace(&mut self.state, State::Broken);
        let _ = catch_unwind(AssertUnwindSafe(|| drop(state)));
    }
}

/// How often a source is heard.
#[derive(Debug, Default)]
struct Pace {
    heard_at: Option<Instant>,
    in_a_row: u32,
    told: bool,
}

impl Pace {
    fn rests_until(&self, now: Instant) -> Option<Instant> {
        self.heard_at.map(|at| at + REST).filter(|until| now < *until)
    }

    /// Notes a change. Answers whether it is to be told that it never rests.
    fn heard(&mut self, now: Instant) -> bool {
        let restless = self.heard_at.is_some_and(|at| now < at + 2 * REST);
        self.in_a_row = if restless { self.in_a_row.saturating_add(1) } else { 0 };
        self.heard_at = Some(now);
        let tells = self.in_a_row >= WILD && !self.told;
        self.told |= tells;
        tells
    }
}
