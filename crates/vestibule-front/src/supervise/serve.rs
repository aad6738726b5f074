//! `serve`: a front before a process that we do not own.
//!
//! Owns probing it for as long as we live. Must never give up: a service that failed may
//! recover, and then so do we.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout};
use vestibule::readiness::Failure;

use crate::front::{Shared, accept};
use crate::journal::{Journal, millis};
use crate::listener::Listener;
use crate::process::signals::{Signal, Signals};
use crate::supervise::Outcome;
use crate::supervise::leave::leave;
use crate::upstream::dial::Dial;
use crate::upstream::probe::{Readiness, until_ready};

/// Serves until we are asked to leave.
pub async fn serve<L: Listener, D: Dial>(
    front: Arc<Shared<D>>,
    listener: L,
    readiness: Readiness,
    mut signals: Signals,
) -> Outcome {
    let accepting = tokio::spawn(accept(Arc::clone(&front), listener));
    let probing = keep_probing(&front, &readiness);
    tokio::pin!(probing);
    loop {
        tokio::select! {
            () = &mut probing => {}
            signal = signals.next() => match signal {
                Signal::Terminate | Signal::Interrupt => break,
                // Who has a file to read again listens, too.
                Signal::Hangup => {}
                other => tracing::debug!(signal = other.name(), "ignored"),
            },
        }
    }
    let patience = front.settings().patience;
    leave(&front, &patience, &mut signals).await;
    accepting.abort();
    Outcome::Left
}

/// Probes whenever the service is not known to be ready; never resolves.
async fn keep_probing<D: Dial>(front: &Arc<Shared<D>>, readiness: &Readiness) {
    loop {
        let settings = front.settings();
        let (try_timeout, startup) = (settings.try_timeout, settings.patience.startup);
        let held = || front.gate.counts().held;
        front.dial.clear();
        front.service.started(Instant::now());
        front.journal.probing(readiness);
        let (requests, tell) = (&front.upstream_requests, |seen| front.journal.probed(seen));
        let asking = until_ready(&front.dial, held, readiness, try_timeout, requests, tell);
        let mut probing = Box::pin(asking);
        let evidence = match timeout(startup, &mut probing).await {
            Ok(evidence) => evidence,
            Err(_elapsed) => {
                tell_never_ready(readiness, &front.journal);
                let failure = never_ready(startup).reason().to_owned();
                front.service.failed(&Failure::retryable(failure), Instant::now());
                probing.await
            }
        };
        front.service.ready(evidence, Instant::now());
        front.service.until_lost().await;
    }
}

/// Tells the operator what was seen last, and what to do.
pub fn tell_never_ready(readiness: &Readiness, journal: &Journal) {
    let seen = journal.how_probed().last_seen;
    tracing::error!(
        awaited = %readiness,
        last_seen = %seen,
        "not ready in time: see what the service says, or give it longer with --startup-timeout",
    );
}

/// Why clients are refused once the startup budget is over.
pub fn never_ready(startup: Duration) -> Failure {
    let seconds = millis(startup) as f64 / 1000.0;
    Failure::new(format!("the service was not ready within {seconds} s"))
}
