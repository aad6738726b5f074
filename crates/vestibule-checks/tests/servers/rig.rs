//! What the tests of `postgres` and `redis` read of a check that is asked.
//!
//! Owns their patience. No text that they read may hold a canary: users, passwords and queries are called so.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use vestibule::check::Reason;
use vestibule::validation::Standing;

use crate::asked::Asked;
use crate::daemon::LONG;

/// A try's time where nothing hinders it, on a machine that is busy with other tests.
pub(crate) const PATIENT: Duration = Duration::from_secs(5);
/// A try's time where it is to be cut off.
pub(crate) const SHORT: Duration = Duration::from_millis(400);

/// One pass that passes; what was seen.
pub(crate) async fn passes(asked: &Asked) -> String {
    let saw = asked.passes().await;
    holds_no_canary(&asked.standing());
    saw
}

/// One pass that fails: why, in which words, and after how many tries.
pub(crate) async fn fails(asked: &Asked) -> (Reason, String, u64) {
    let failed = asked.fails().await;
    holds_no_canary(&asked.standing());
    failed
}

fn holds_no_canary(standing: &Standing) {
    let text = format!("{standing:?}");
    assert!(!text.contains("canary"), "{text}");
}

/// Passes over and over in the background, as in a front, until the end of the test's runtime.
pub(crate) fn keep(asked: &Asked) {
    let validation = asked.validation.clone();
    tokio::spawn(async move { validation.keep().await });
}

/// How often it has failed with this reason.
pub(crate) fn failed(standing: &Standing, reason: Reason) -> u64 {
    let mut counts = standing.counts.failed.iter();
    counts.find(|(known, _)| *known == reason).map_or(0, |(_, count)| *count)
}

/// Whether it passed in its last pass.
pub(crate) fn passed(standing: &Standing) -> bool {
    standing.last.as_ref().is_some_and(|last| last.outcome.is_passed())
}

/// Waits until this is so.
pub(crate) async fn until(what: &str, is: impl Fn() -> bool) {
    let end = Instant::now() + LONG;
    while !is() {
        assert!(Instant::now() < end, "never: {what}");
        sleep(Duration::from_millis(5)).await;
    }
}
