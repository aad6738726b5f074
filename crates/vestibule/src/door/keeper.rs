//! The checks of a service in its own process.
//!
//! Owns the task beside the door that keeps them asked, lets the gate follow what they say after the first
//! ready, and tells the log. Must never keep the door alive, and must never ask for a service that has failed
//! or goes away.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use crate::check::Outcome;
use crate::readiness::{self, State};
use crate::validation::{Board, Opinion, Validation};

use super::Inner;

/// The task; it ends with the door.
#[derive(Debug)]
pub(super) struct Keeper(pub(super) JoinHandle<()>);

/// What the task does.
pub(super) fn tend(door: &Arc<Inner>) -> impl Future<Output = ()> + use<> {
    let (validation, readiness) = (door.validation.clone(), door.lock().watch());
    let follows = follow(validation.clone(), Arc::downgrade(door));
    async move {
        tokio::select! {
            () = keep(validation, readiness) => {}
            () = follows => {}
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Passes go on as long as there is something to get ready, or to stay so.
async fn keep(validation: Validation, mut readiness: readiness::Watch) {
    loop {
        if is_over(&readiness.state()) {
            readiness.changed().await;
            continue;
        }
        tokio::select! {
            () = validation.keep() => {}
            () = async { while !is_over(&readiness.changed().await) {} } => {}
        }
    }
}

const fn is_over(state: &State) -> bool {
    matches!(state, State::Failed(_) | State::Draining)
}

/// The gate follows the board: when it changes, and when it grows too old.
async fn follow(validation: Validation, door: Weak<Inner>) {
    let mut seen = validation.watch();
    let mut told = Told::default();
    loop {
        let old_at = {
            let board = seen.borrow_and_update();
            let now = Instant::now();
            told.tell(&board, now);
            board.holds_from(now)
        };
        match door.upgrade() {
            Some(door) => door.follow(),
            None => return,
        }
        let too_old = async {
            match old_at {
                // From the next moment on it holds.
                Some(at) => sleep_until(at + Duration::from_millis(1)).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            changed = seen.changed() => if changed.is_err() { return },
            () = too_old => {}
        }
    }
}

/// What the log knows already: it is told what changes.
#[derive(Debug, Default)]
struct Told {
    reasons: Vec<Option<&'static str>>,
    opinion: Option<Opinion>,
}

impl Told {
    fn tell(&mut self, board: &Board, now: Instant) {
        self.reasons.resize(board.standings().len(), Some(""));
        for (standing, known) in board.standings().iter().zip(&mut self.reasons) {
            let Some(outcome) = standing.last.as_ref().map(|last| &last.outcome) else { continue };
            if *known == outcome.reason() {
                continue;
            }
            *known = outcome.reason();
            let (check, kind, target) = (&standing.spec.name, standing.kind, &standing.target);
            match outcome {
                Outcome::Passed(saw) => {
                    tracing::info!(%check, kind, %target, saw = saw.as_str(), "a check passed");
                }
                Outcome::Failed(trouble) => tracing::warn!(
                    %check,
                    kind,
                    %target,
                    reason = trouble.reason().as_str(),
                    detail = trouble.detail(),
                    advice = trouble.reason().advice(),
                    "a check failed"
                ),
                Outcome::Skipped(why) => {
                    tracing::debug!(%check, kind, why = why.as_str(), "a check was not asked");
                }
            }
        }
        self.tell_opinion(board.opinion(now), board.was_ready());
    }

    fn tell_opinion(&mut self, opinion: Opinion, was_ready: bool) {
        if self.opinion.as_ref() == Some(&opinion) {
            return;
        }
        match &opinion {
            Opinion::Ready { degraded } if was_ready && !degraded.is_empty() => {
                tracing::warn!(degraded = degraded.join(", "), "ready, degraded");
            }
            Opinion::Hold { by } => {
                tracing::warn!(check = %by, "newcomers are held: the check is down, or was not seen to pass for too long");
            }
            Opinion::Refuse { by } => {
                tracing::warn!(check = %by, "newcomers are refused: the check's breaker is open");
            }
            Opinion::Ready { .. } if was_ready && self.opinion.is_some() => {
                tracing::info!("ready, and nothing is missing");
            }
            Opinion::Ready { .. } | Opinion::Waiting { .. } => {}
        }
        self.opinion = Some(opinion);
    }
}
