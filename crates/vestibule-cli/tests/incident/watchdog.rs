//! The end of every play of the incident, however it goes.
//!
//! Owns the bound. The suites of the incident once hung for minutes and were turned off for it.

use std::time::Duration;

/// Far above what any of these takes, and far below what a build server calls a hang.
pub(crate) const BOUND: Duration = Duration::from_secs(60);

/// Plays, and fails by name at the bound.
pub(crate) async fn watched<T>(promise: &str, play: impl Future<Output = T>) -> T {
    let played = tokio::time::timeout(BOUND, play).await;
    played.unwrap_or_else(|_| panic!("{promise}: not over within {BOUND:?}"))
}
