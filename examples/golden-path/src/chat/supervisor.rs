//! The supervisor of an instance's runs.
//!
//! Owns leases: renews ours, and takes over what other instances left behind. Must never take over more runs at one
//! beat than [`RUNS_OF_OTHERS`].

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};

use super::Shared;
use crate::bus::{Heard, Signal, Subscription};
use crate::clock::now_ms;
use crate::log::Step;
use crate::store::{Claim, StoreError};

/// How many runs are taken over at one beat; those left are taken at the next beat, here or elsewhere.
const RUNS_OF_OTHERS: i64 = 16;

/// Supervises until the chat is dropped.
pub(super) async fn supervise(shared: Arc<Shared>, mut heard: Subscription) {
    let mut beat = interval(shared.parts.lease / 3);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = beat.tick() => match round(&shared).await {
                Ok(()) => shared.beaten(Instant::now()),
                Err(error) => tracing::warn!(reason = %error, "leases can't be renewed now"),
            },
            heard = heard.next() => {
                // What a gap may have hidden, the next beat reads in the store.
                if let Heard::Signal(signal) = heard && let Signal::Cancel { run } = &*signal {
                    shared.cancel(*run);
                }
            }
        }
    }
}

async fn round(shared: &Arc<Shared>) -> Result<(), StoreError> {
    let parts = &shared.parts;
    let runs = shared.runs();
    if !runs.is_empty() {
        let until_ms = shared.lease_until_ms();
        for run in parts.store.renew(&parts.instance, &runs, until_ms).await? {
            shared.cancel(run);
        }
    }
    let _beginning = shared.beginning.read().await;
    if shared.is_closing() {
        return Ok(());
    }
    let claim = Claim {
        instance: &parts.instance,
        now_ms: now_ms(),
        until_ms: shared.lease_until_ms(),
        at_most: RUNS_OF_OTHERS,
    };
    for lease in parts.store.take_over(claim).await? {
        Step::TakenOver.log(&lease.correlation);
        shared.begin(lease);
    }
    Ok(())
}

/// How old the last renewal may be before something is wrong.
pub(super) fn patience(lease: Duration) -> Duration {
    lease * 2
}
