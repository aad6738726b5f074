//! Where the suites play: the real service, bare or behind the real door, and its users.
//!
//! Owns the end of everything that a suite started, and the bound of every play.

pub(crate) mod account;
pub(crate) mod door;
pub(crate) mod ports;
pub(crate) mod process;
pub(crate) mod race;
pub(crate) mod service;
pub(crate) mod talk;

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

/// Far above what any play takes, and far below what a build server calls a hang.
pub(crate) const BOUND: Duration = Duration::from_secs(90);

/// Plays, and fails by name at the bound.
pub(crate) async fn watched<T>(promise: &str, play: impl Future<Output = T>) -> T {
    let played = timeout(BOUND, play).await;
    played.unwrap_or_else(|_| panic!("{promise}: not over within {BOUND:?}"))
}

/// Waits until something is so, or fails with its name.
pub(crate) async fn eventually(what: &str, within: Duration, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + within;
    while !is_so() {
        assert!(Instant::now() < deadline, "not within {within:?}: {what}");
        sleep(Duration::from_millis(10)).await;
    }
}
