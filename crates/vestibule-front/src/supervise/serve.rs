//! `serve`: a front before a process that we do not own.
//!
//! Owns probing it for as long as we live. Must never give up: a service that failed may
//! recover, and then so do we.

use std::convert::Infallible;
use std::sync::Arc;

use tokio::time::{Instant, timeout};

use crate::front::{Shared, accept, shut};
use crate::listener::Listener;
use crate::process::signals::{Signal, Signals};
use crate::service::Stage;
use crate::supervise::Outcome;
use crate::supervise::budget::never_ready;
use crate::supervise::learn::learn;
use crate::supervise::leave::leave;
use crate::supervise::validate::validate;
use crate::upstream::dial::Dial;
use crate::upstream::probe::Readiness;

/// Serves until we are asked to leave.
pub async fn serve<L: Listener, D: Dial>(
    front: Arc<Shared<D>>,
    listener: L,
    readiness: Readiness,
    mut signals: Signals,
) -> Outcome {
    let accepting = tokio::spawn(accept(Arc::clone(&front), listener));
    let serving = async {
        tokio::select! {
            never = learn(&front, readiness.clone()) => match never {},
            never = keep_budget(&front, &readiness) => match never {},
            () = until_asked_to_leave(&mut signals) => {}
        }
        let patience = front.settings().patience;
        leave(&front, &patience, &mut signals).await;
    };
    tokio::select! {
        () = serving => {}
        never = validate(&front) => match never {},
    }
    shut(accepting).await;
    Outcome::Left
}

async fn until_asked_to_leave(signals: &mut Signals) {
    loop {
        match signals.next().await {
            Signal::Terminate | Signal::Interrupt => return,
            // Who has a file to read again listens, too.
            Signal::Hangup => {}
            other => tracing::debug!(signal = other.name(), "ignored"),
        }
    }
}

/// Says that the service failed at the end of each start's budget; it may still get ready. Never resolves.
async fn keep_budget<D: Dial>(front: &Arc<Shared<D>>, readiness: &Readiness) -> Infallible {
    loop {
        let startup = front.settings().patience.startup;
        if timeout(startup, until_decided(front)).await.is_err() {
            let failed = never_ready(front, readiness, startup);
            front.service.failed_quietly(&failed.failure, &failed.to_clients, Instant::now());
        }
        let decided = until_decided(front).await;
        front.service.beyond(decided).await;
    }
}

/// Resolves when nobody waits for this start any more, with how it ended.
async fn until_decided<D: Dial>(front: &Arc<Shared<D>>) -> Stage {
    let mut stage = front.service.stage();
    while matches!(stage, Stage::Sought | Stage::Found) {
        stage = front.service.beyond(stage).await;
    }
    stage
}
