//! Accepting that goes on whatever fails.
//!
//! Owns which failures are skipped and which are rested over. Must never end, nor spin.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::io::Errno;
use tokio::time::{Instant, sleep};

use super::pauses::Pauses;
use crate::journal::millis;

/// How long accepting rests when the process is out of descriptors or memory; doubled each time.
const EXHAUSTED_PAUSE_MIN: Duration = Duration::from_millis(10);
/// And at most: a freed descriptor should not stay unused for longer than anybody would notice.
const EXHAUSTED_PAUSE_MAX: Duration = Duration::from_millis(100);
/// So many peers may be gone before they were accepted, one after the other, until we take it for a fault of ours
/// (a sandbox that forbids accepting) and rest.
const GONE_IN_A_ROW_MAX: u32 = 64;

/// Accepts until it succeeds.
pub(super) async fn until_accepted<T, F>(exhausted: &mut Exhausted, accept: impl Fn() -> F) -> T
where
    F: Future<Output = io::Result<T>>,
{
    let (mut gone, mut failed) = (0, 0);
    loop {
        let accepted = tokio::select! {
            accepted = accept() => accepted,
            () = exhausted.pauses.over() => {
                exhausted.over(Instant::now());
                continue;
            }
        };
        match accepted {
            Ok(accepted) => {
                exhausted.pauses.go_on(Instant::now());
                return accepted;
            }
            Err(error) if peer_is_gone(&error) && gone < GONE_IN_A_ROW_MAX => gone += 1,
            Err(error) => {
                exhausted.met(&error, Instant::now());
                sleep(pause_after(failed)).await;
                failed += 1;
            }
        }
    }
}

/// Says that the process is out of descriptors or memory, and that it is so no more.
#[derive(Debug, Default)]
pub(super) struct Exhausted {
    pauses: Pauses,
    total: Arc<AtomicU64>,
}

impl Exhausted {
    /// How often accepting failed so far; it goes on counting.
    pub(super) fn total(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.total)
    }

    fn met(&mut self, error: &io::Error, now: Instant) {
        self.total.fetch_add(1, Ordering::Relaxed);
        if let Some(spell) = self.pauses.begin(now) {
            let pauses = spell.pauses;
            tracing::error!(%error, pauses, "accepting paused: new connections wait in the kernel");
        }
    }

    fn over(&mut self, now: Instant) {
        if let Some(spell) = self.pauses.end() {
            let (lasted_ms, pauses) = (millis(spell.lasted(now)), spell.pauses);
            tracing::info!(lasted_ms, pauses, "accepting goes on");
        }
    }
}

/// The pause after so many failures in a row.
fn pause_after(failed: u32) -> Duration {
    EXHAUSTED_PAUSE_MIN.saturating_mul(1 << failed.min(8)).min(EXHAUSTED_PAUSE_MAX)
}

/// Errors of one connection that died before it was accepted; accept(2) asks to go on.
fn peer_is_gone(error: &io::Error) -> bool {
    let Some(code) = error.raw_os_error() else { return false };
    matches!(
        Errno::from_raw_os_error(code),
        Errno::CONNABORTED
            | Errno::CONNRESET
            | Errno::INTR
            | Errno::PROTO
            | Errno::NETDOWN
            | Errno::NOPROTOOPT
            | Errno::HOSTDOWN
            | Errno::NONET
            | Errno::HOSTUNREACH
            | Errno::OPNOTSUPP
            | Errno::NETUNREACH
            | Errno::PERM
    )
}

#[cfg(test)]
mod tests {
    //! Breaks accepting with processes out of descriptors or memory, and with peers that are gone.

    use super::*;

    /// How long accepting took that failed with each of these before it succeeded, and how often it paused.
    async fn accepted_after(errors: &[Errno]) -> (u64, u64) {
        let (mut exhausted, began) = (Exhausted::default(), Instant::now());
        let left = std::cell::RefCell::new(errors.iter());
        let accept = || {
            let next = left.borrow_mut().next();
            std::future::ready(next.map_or(Ok(()), |error| Err((*error).into())))
        };
        until_accepted(&mut exhausted, accept).await;
        let took = millis(began.elapsed());
        (took, exhausted.pauses.end().map_or(0, |spell| spell.pauses))
    }

    #[tokio::test(start_paused = true)]
    async fn f15_f16_a_process_out_of_descriptors_or_memory_rests_and_goes_on() {
        for error in [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM] {
            assert_eq!(accepted_after(&[error]).await, (10, 1), "{error}");
            assert_eq!(accepted_after(&[error; 7]).await, (10 + 20 + 40 + 80 + 300, 7), "{error}");
        }
    }

    /// Breaks if a peer that is gone makes others wait, or if a fault that looks like it makes us spin.
    #[tokio::test(start_paused = true)]
    async fn peers_that_are_gone_are_skipped_and_a_fault_that_never_ends_is_no_spin() {
        assert_eq!(accepted_after(&[Errno::CONNABORTED; 64]).await, (0, 0));
        assert_eq!(accepted_after(&[Errno::PERM; 66]).await, (10 + 20, 2));
    }
}
