//! One run of a startup.
//!
//! Owns its end: complete, failed by its own words, by a panic, or by the end of its budget. Must never end
//! without one of these.

use std::error::Error;
use std::sync::Arc;

use tokio::time::{self, Instant};

use crate::readiness::State;

use super::{Inner, StartupError};

/// How many causes of an error are told.
const CAUSES_MAX: usize = 8;

/// Runs the startup's own work, and lets readiness follow its phases.
pub(super) async fn run<W>(inner: Arc<Inner>, work: W)
where
    W: Future<Output = Result<(), StartupError>>,
{
    // The first to be made is the last to be dropped: after the work with all that it holds, and also if it
    // panics, or the runtime drops this task.
    let _conclusion = Conclusion { inner: &inner };
    let budget = inner.settings.startup;
    let end = Instant::now().checked_add(budget);
    let mut phases = inner.startup.watch();
    let mut work = std::pin::pin!(work);
    inner.publish(State::Initializing);
    let ended = loop {
        tokio::select! {
            biased;
            done = &mut work => break done.map_err(|error| reason(error.as_ref())),
            timeline = phases.changed() => inner.publish(timeline.readiness()),
            () = until(end) => break Err(format!("the startup budget of {budget:?} ended")),
        }
    };
    match ended {
        // It has been decided before only if the work itself said complete.
        Ok(()) => drop(inner.startup.complete()),
        Err(reason) => {
            if let Err(error) = inner.startup.fail(reason.as_str()) {
                tracing::error!(reason, %error, "the startup failed too late: clients are admitted");
            }
        }
    }
}

/// What a start ends with is published once, and last.
struct Conclusion<'a> {
    inner: &'a Inner,
}

impl Drop for Conclusion<'_> {
    fn drop(&mut self) {
        self.inner.startup.abandon();
        self.inner.publish(self.inner.startup.timeline().readiness());
    }
}

async fn until(end: Option<Instant>) {
    match end {
        Some(end) => time::sleep_until(end).await,
        None => std::future::pending().await,
    }
}

/// An error and its causes, as one line.
fn reason(error: &(dyn Error + Send + Sync + 'static)) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    for _ in 0..CAUSES_MAX {
        let Some(error) = cause else { break };
        line.push_str(": ");
        line.push_str(&error.to_string());
        cause = error.source();
    }
    line
}
