//! Following a value that somebody else publishes.
//!
//! Owns the one loop in which this library waits for a published value: no polling, a deadline, and a bound on
//! wake-ups as circuit breaker against a publisher gone wild. Must never know what the value means.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{self, Instant};

/// How often one wait may wake before it calls its publisher wild.
///
/// A start publishes a handful of values; recoveries under `serve` a few more. A thousand is a loop.
pub(crate) const WAKE_UPS_MAX: u32 = 1_000;

/// Why a wait ended without a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// The deadline came first.
    Deadline,
    /// Nobody publishes any more.
    Gone,
    /// The value changed without end.
    Wild {
        /// How often the wait woke.
        wake_ups: u32,
        /// How long it lasted.
        elapsed: Duration,
    },
}

/// Waits until `decide` has an answer to the newest value, at most until `deadline`.
pub(crate) async fn until<T, A>(
    seen: &mut watch::Receiver<T>,
    deadline: Instant,
    mut decide: impl FnMut(&T) -> Option<A>,
) -> Result<A, Stopped> {
    let began = Instant::now();
    for _ in 0..WAKE_UPS_MAX {
        let decided = decide(&seen.borrow_and_update());
        if let Some(answer) = decided {
            return Ok(answer);
        }
        match time::timeout_at(deadline, seen.changed()).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return Err(Stopped::Gone),
            Err(_) => return Err(Stopped::Deadline),
        }
    }
    Err(Stopped::Wild { wake_ups: WAKE_UPS_MAX, elapsed: began.elapsed() })
}
