//! How many retries a crowd may make.
//!
//! Owns a token bucket that admissions fill and retries drain. A budget bounds the load that retries add to a
//! service in trouble, which a count for each client does not: a thousand clients with three tries each are
//! three thousand tries. Must never read a clock.

use super::Limits;

/// Retries that a small crowd may always make after a release.
const FLOOR: u64 = 10;

/// Admissions that the bucket remembers at most: what a quiet day saved must not become one burst.
const MEMORY: u64 = 1_024;

/// One retry, in the bucket's unit, so that shares add up without rounding.
const RETRY: u64 = 1_000;

/// The bucket.
#[derive(Debug)]
pub(super) struct RetryBudget {
    tokens: u64,
    deposit: u64,
}

impl RetryBudget {
    /// A bucket with its floor, filled by `limits.retry_share` of one retry for each admission.
    pub(super) fn new(limits: &Limits) -> Self {
        Self { tokens: FLOOR * RETRY, deposit: deposit(limits) }
    }

    /// Another share from now on; what is in the bucket stays in it.
    pub(super) fn set_share(&mut self, limits: &Limits) {
        self.deposit = deposit(limits);
    }

    /// A client was admitted for the first time.
    pub(super) fn deposit(&mut self) {
        let full = FLOOR * RETRY + MEMORY * self.deposit;
        self.tokens = (self.tokens + self.deposit).min(full);
    }

    /// A release begins: a small crowd may retry again.
    pub(super) fn refill(&mut self) {
        self.tokens = self.tokens.max(FLOOR * RETRY);
    }

    /// Pays for one retry if it can.
    pub(super) fn take(&mut self) -> bool {
        match self.tokens.checked_sub(RETRY) {
            Some(rest) => {
                self.tokens = rest;
                true
            }
            None => false,
        }
    }
}

/// What one admission adds.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a share within 0..=1 of a thousand fits"
)]
fn deposit(limits: &Limits) -> u64 {
    let share = if limits.retry_share.is_nan() { 0.0 } else { limits.retry_share.clamp(0.0, 1.0) };
    (share * RETRY as f64).round() as u64
}

#[cfg(test)]
mod tests {
    //! Breaks the bound: drains the bucket after few, many and very many admissions.

    use super::*;

    fn retries_left(budget: &mut RetryBudget) -> u64 {
        (0..100_000).take_while(|_| budget.take()).count() as u64
    }

    fn with_share(retry_share: f64) -> RetryBudget {
        RetryBudget::new(&Limits { retry_share, ..Limits::default() })
    }

    #[test]
    fn a_fifth_of_admissions_above_a_floor_of_ten() {
        let mut budget = with_share(0.2);
        assert_eq!(retries_left(&mut budget), 10);
        (0..100).for_each(|_| budget.deposit());
        assert_eq!(retries_left(&mut budget), 20);
        budget.refill();
        assert_eq!(retries_left(&mut budget), 10);
    }

    #[test]
    fn a_quiet_day_does_not_become_one_burst() {
        let mut budget = with_share(0.2);
        (0..1_000_000).for_each(|_| budget.deposit());
        assert_eq!(retries_left(&mut budget), 10 + 204);
    }

    #[test]
    fn nonsense_shares_are_brought_into_range() {
        for (share, after_hundred) in [(f64::NAN, 10), (-3.0, 10), (f64::INFINITY, 110)] {
            let mut budget = with_share(share);
            (0..100).for_each(|_| budget.deposit());
            assert_eq!(retries_left(&mut budget), after_hundred);
        }
    }
}
