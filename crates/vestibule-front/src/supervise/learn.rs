//! Learning whether the service is there.
//!
//! Owns the order of probing, watching over what was found, and probing again. Must never judge the checks, and never
//! give up: whoever drops it does.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::service::Stage;
use crate::shared::Shared;
use crate::upstream::dial::Dial;
use crate::upstream::probe::{Evidence, Readiness, Seen, ask_once, until_ready};

/// While checks are missing, from one look at what was found to the next: what is lost meanwhile is noticed before
/// anybody is handed over to it.
const LOOKS_APART: Duration = Duration::from_secs(1);
/// As many looks in a row must fail: a service that is starting may be slow once.
const FAILED_LOOKS: u32 = 3;

/// Finds the service, and finds it again whenever it is lost; never resolves.
pub(super) async fn learn<D: Dial>(front: &Arc<Shared<D>>, mut readiness: Readiness) -> Infallible {
    loop {
        match front.service.stage() {
            Stage::Sought => {
                tokio::select! {
                    evidence = probe(front, &readiness) => {
                        front.service.found(evidence, Instant::now());
                    }
                    // It said so itself, or it failed.
                    _stage = front.service.beyond(Stage::Sought) => {}
                }
            }
            Stage::Found => {
                tokio::select! {
                    why = watch_over(front, &readiness) => front.service.unfound(why),
                    _stage = front.service.beyond(Stage::Found) => {}
                }
            }
            Stage::Ready => {
                front.service.until_lost().await;
                // Its word was given; whether its port is back only a dial can tell.
                if readiness == Readiness::Notify {
                    readiness = Readiness::Tcp;
                }
            }
            Stage::Broken => {
                tokio::select! {
                    () = until_back(front, &readiness) => front.service.restarting(Instant::now()),
                    _stage = front.service.beyond(Stage::Broken) => {}
                }
            }
            Stage::Leaving => {
                front.service.beyond(Stage::Leaving).await;
            }
        }
    }
}

/// Probes until the service says yes.
async fn probe<D: Dial>(front: &Arc<Shared<D>>, readiness: &Readiness) -> Evidence {
    // What was dialled for an earlier life leads nowhere.
    front.dial.clear();
    front.service.started(Instant::now());
    let held = || front.gate.counts().held;
    front.journal.probing(readiness);
    if *readiness == Readiness::Notify {
        // The child says it by itself.
        front.dial.keep_growing(held).await;
    }
    let try_timeout = front.settings().try_timeout;
    let (requests, tell) = (&front.upstream_requests, |seen| front.journal.probed(seen));
    until_ready(&front.dial, held, readiness, try_timeout, requests, tell).await
}

/// Resolves when what was found is there no more.
async fn watch_over<D: Dial>(front: &Arc<Shared<D>>, readiness: &Readiness) -> &'static str {
    if *readiness == Readiness::Notify {
        // Its word stands until it ends, or says otherwise.
        return std::future::pending().await;
    }
    let mut failed = 0;
    loop {
        sleep(LOOKS_APART).await;
        match look(front, readiness).await {
            Seen::Connection | Seen::Status(200..=399) => failed = 0,
            Seen::NobodyListens => return "it refuses connections",
            Seen::Status(_) => return "its ready path says no",
            Seen::NoAnswer => failed += 1,
            Seen::Short(_) | Seen::Nothing => {}
        }
        if failed == FAILED_LOOKS {
            return "it does not answer any more";
        }
    }
}

/// Resolves when nobody listened, and then somebody does: that is another start.
async fn until_back<D: Dial>(front: &Arc<Shared<D>>, readiness: &Readiness) {
    while look(front, readiness).await != Seen::NobodyListens {
        sleep(LOOKS_APART).await;
    }
    while !matches!(look(front, readiness).await, Seen::Connection | Seen::Status(_)) {
        sleep(LOOKS_APART).await;
    }
}

async fn look<D: Dial>(front: &Arc<Shared<D>>, readiness: &Readiness) -> Seen {
    let try_timeout = front.settings().try_timeout;
    let seen = ask_once(&front.dial, readiness, try_timeout, &front.upstream_requests).await;
    front.journal.probed(seen);
    seen
}
