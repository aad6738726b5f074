//! One run of a startup.
//!
//! Owns its end: complete, when the work is done and the checks have passed; failed by the work's own words, by
//! a panic, or by the end of the budget that bounds both. Must never end without one of these, and never call a
//! pass that failed a start that failed.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{self, Instant};

use crate::check::with_causes;
use crate::readiness::State;

use super::{Inner, StartupError};

/// Runs the startup's own work beside the checks, and lets readiness follow both.
pub(super) async fn run<W>(inner: Arc<Inner>, work: W)
where
    W: Future<Output = Result<(), StartupError>>,
{
    // The first to be made is the last to be dropped: after the work with all that it holds, and also if it
    // panics, or the runtime drops this task.
    let _conclusion = Conclusion { inner: &inner };
    let budget = inner.settings.startup;
    let end = Instant::now().checked_add(budget);
    let (mut phases, mut board) = (inner.startup.watch(), inner.validation.watch());
    let mut said = inner.said_complete.subscribe();
    let (mut work, mut done) = (std::pin::pin!(work), false);
    inner.publish(State::Initializing);
    let ended = loop {
        let over = inner.conclude(done);
        if over && done {
            break Ok(());
        }
        inner.publish(inner.state());
        tokio::select! {
            biased;
            answer = &mut work, if !done => match answer {
                Ok(()) => done = true,
                Err(error) => break Err(with_causes(error.as_ref())),
            },
            _ = phases.changed() => {}
            // Their senders are in `inner`, and never gone.
            _ = board.changed() => {}
            _ = said.changed() => {}
            () = until(end) => break Err(inner.overdue(budget, done)),
        }
    };
    if let Err(reason) = ended
        && let Err(error) = inner.startup.fail(reason.as_str())
    {
        tracing::error!(reason, %error, "the startup failed too late: clients are admitted");
    }
}

impl Inner {
    /// Completes the start once the work says so, at its end or before it, and the checks have passed. Answers
    /// whether it is complete.
    fn conclude(&self, done: bool) -> bool {
        let said = done || *self.said_complete.borrow();
        let complete = self.startup.timeline().is_complete();
        if said && !complete && self.validation.opinion(Instant::now()).is_ready() {
            // Refused only if it has failed, which this run alone decides.
            return self.startup.complete().is_ok();
        }
        complete
    }

    /// Why a start that has used up its budget was not over.
    fn overdue(&self, budget: Duration, done: bool) -> String {
        let missing = self.validation.board().missing();
        let mut line = format!("the startup budget of {budget:?} ended");
        for (nth, (name, why)) in missing.iter().enumerate() {
            let before = if nth == 0 { " without check " } else { ", " };
            line.push_str(&format!("{before}{name} ({why})"));
        }
        if !missing.is_empty() && !done {
            line.push_str(", and before the startup's own work was done");
        }
        line
    }
}

/// What a start ends with is published once, and last.
struct Conclusion<'a> {
    inner: &'a Inner,
}

impl Drop for Conclusion<'_> {
    fn drop(&mut self) {
        self.inner.startup.abandon();
        self.inner.publish(self.inner.state());
    }
}

async fn until(end: Option<Instant>) {
    match end {
        Some(end) => time::sleep_until(end).await,
        None => std::future::pending().await,
    }
}
