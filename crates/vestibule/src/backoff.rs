//! Retry schedules.
//!
//! Owns the arithmetic of waiting between tries: exponential growth, a cap, full jitter. Must never sleep,
//! read a clock or draw a random number: the caller brings the number, so that tests need no luck.

use std::time::Duration;

/// An exponential schedule with full jitter over a floor.
///
/// The delay before try `n` is drawn evenly from `floor ..= min(cap, base · 2ⁿ)`. Full jitter spreads a crowd
/// that failed together better than a fixed share of noise does (AWS Architecture Blog, "Exponential Backoff
/// And Jitter").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// No delay is shorter; wins over `cap` if it is longer.
    pub floor: Duration,
    /// The longest first delay.
    pub base: Duration,
    /// No delay is longer.
    pub cap: Duration,
}

impl Backoff {
    /// A schedule that may begin with no delay at all.
    #[must_use]
    pub const fn new(base: Duration, cap: Duration) -> Self {
        Self { floor: Duration::ZERO, base, cap }
    }

    /// The same schedule with a shortest delay.
    #[must_use]
    pub const fn with_floor(self, floor: Duration) -> Self {
        Self { floor, ..self }
    }

    /// The longest delay before retry number `attempt`, which counts from 0.
    #[must_use]
    pub fn ceiling(&self, attempt: u32) -> Duration {
        let doublings = attempt.min(31);
        self.base.saturating_mul(1 << doublings).min(self.cap).max(self.floor)
    }

    /// The delay before retry number `attempt`, which counts from 0.
    ///
    /// `random` is drawn evenly from `[0, 1)`; what lies outside is brought to the nearest end, and no number
    /// at all counts as 1, the patient end.
    #[must_use]
    pub fn delay(&self, attempt: u32, random: f64) -> Duration {
        let share = if random.is_nan() { 1.0 } else { random.clamp(0.0, 1.0) };
        let ceiling = self.ceiling(attempt);
        let room = ceiling.saturating_sub(self.floor);
        let drawn = Duration::try_from_secs_f64(room.as_secs_f64() * share).unwrap_or(room);
        self.floor.saturating_add(drawn).min(ceiling)
    }
}

#[cfg(test)]
mod tests {
    //! Breaks the schedule with every attempt number and every float, which must neither overflow nor leave
    //! the promised range.

    use proptest::prelude::*;

    use super::*;

    const fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn it_doubles_from_the_base_to_the_cap() {
        let backoff = Backoff::new(ms(100), ms(1_000));
        let ceilings: Vec<_> = (0..6).map(|attempt| backoff.ceiling(attempt)).collect();
        assert_eq!(ceilings, [ms(100), ms(200), ms(400), ms(800), ms(1_000), ms(1_000)]);
    }

    #[test]
    fn jitter_spans_the_whole_range_from_the_floor() {
        let backoff = Backoff::new(ms(50), ms(100)).with_floor(ms(25));
        assert_eq!(backoff.delay(0, 0.0), ms(25));
        assert_eq!(backoff.delay(1, 0.0), ms(25));
        assert_eq!(backoff.delay(0, 1.0), ms(50));
        assert_eq!(backoff.delay(1, 1.0), ms(100));
        assert_eq!(backoff.delay(0, 0.5), Duration::from_micros(37_500));
        assert_eq!(Backoff::new(ms(80), ms(80)).delay(0, 0.5), ms(40));
    }

    #[test]
    fn a_floor_above_the_cap_wins() {
        let backoff = Backoff::new(ms(1), ms(10)).with_floor(ms(30));
        assert_eq!(backoff.delay(9, 0.7), ms(30));
    }

    #[test]
    fn no_number_is_the_patient_end() {
        assert_eq!(Backoff::new(ms(8), ms(8)).delay(0, f64::NAN), ms(8));
    }

    proptest! {
        #[test]
        fn every_delay_lies_in_its_range(
            floor: Duration, base: Duration, cap: Duration, attempt: u32, random in proptest::num::f64::ANY,
        ) {
            let backoff = Backoff { floor, base, cap };
            let delay = backoff.delay(attempt, random);
            prop_assert!(delay >= floor);
            prop_assert!(delay <= cap.max(floor));
        }

        #[test]
        fn ceilings_never_shrink(base: Duration, cap: Duration, attempt in 0..u32::MAX) {
            let backoff = Backoff::new(base, cap);
            prop_assert!(backoff.ceiling(attempt) <= backoff.ceiling(attempt + 1));
        }
    }
}
