//! The one clock of a race: tokio's instants, and the kernel's monotonic clock that the target
//! writes its readiness in.
//!
//! Owns the conversion. Must never read a wall clock, which jumps.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokio::time::Instant;

/// Both clocks, read in one moment: the start of the race.
///
/// `CLOCK_MONOTONIC` is what Python's `time.monotonic_ns()`, Node's `process.hrtime.bigint()` and
/// Rust's `Instant` read on Linux, so that a number written by the target and a moment seen by a
/// client can be subtracted. Where the two run from different origins, only the difference
/// from the start counts.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
    start_monotonic_ns: i128,
}

impl Clock {
    /// Takes both readings now.
    #[must_use]
    pub fn start() -> Self {
        let start = Instant::now();
        let reading = clock_gettime(ClockId::Monotonic);
        let start_monotonic_ns =
            i128::from(reading.tv_sec) * 1_000_000_000 + i128::from(reading.tv_nsec);
        Self { start, start_monotonic_ns }
    }

    /// A clock whose start had the given reading of `CLOCK_MONOTONIC`, in nanoseconds.
    #[must_use]
    pub fn at(start: Instant, start_monotonic_ns: i128) -> Self {
        Self { start, start_monotonic_ns }
    }

    /// The instant of the start.
    #[must_use]
    pub fn origin(&self) -> Instant {
        self.start
    }

    /// How long after the start `moment` was; zero when it was before.
    #[must_use]
    pub fn since_start(&self, moment: Instant) -> Duration {
        moment.saturating_duration_since(self.start)
    }

    /// How long after the start the monotonic clock read `monotonic_ns`.
    ///
    /// `None` for a reading before the start, which cannot belong to this race, and for one more
    /// than a day after it, which is no reading of this clock.
    #[must_use]
    pub fn since_start_of_reading(&self, monotonic_ns: i128) -> Option<Duration> {
        const DAY_NS: i128 = 86_400 * 1_000_000_000;
        let after_ns = monotonic_ns.checked_sub(self.start_monotonic_ns)?;
        if !(0..=DAY_NS).contains(&after_ns) {
            return None;
        }
        u64::try_from(after_ns).ok().map(Duration::from_nanos)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Breaks the conversion: a reading before the start, at it, after it, and of another clock.
    #[test]
    fn a_reading_counts_from_the_start() {
        let clock = Clock::at(Instant::now(), 5_000_000_000);
        assert_eq!(clock.since_start_of_reading(4_999_999_999), None);
        assert_eq!(clock.since_start_of_reading(5_000_000_000), Some(Duration::ZERO));
        assert_eq!(clock.since_start_of_reading(7_500_000_000), Some(Duration::from_millis(2500)));
        // A wall clock's nanoseconds, written by mistake.
        assert_eq!(clock.since_start_of_reading(1_790_000_000_000_000_000), None);
        assert_eq!(clock.since_start_of_reading(i128::MIN), None);
    }

    // Both clocks are one on Linux: a reading taken now is now, within a scheduling delay.
    #[test]
    fn the_kernels_clock_and_tokios_agree() {
        let clock = Clock::start();
        let reading = clock_gettime(ClockId::Monotonic);
        let ns = i128::from(reading.tv_sec) * 1_000_000_000 + i128::from(reading.tv_nsec);
        let by_kernel = clock.since_start_of_reading(ns).unwrap();
        let by_tokio = clock.since_start(Instant::now());
        assert!(by_kernel <= by_tokio);
    }
}
