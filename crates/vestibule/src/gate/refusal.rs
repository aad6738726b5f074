//! Why the gate refused.
//!
//! Owns the closed list of reasons and how long a refused client should stay away. Must never carry anything
//! of a request: an answer to a client is built from these values alone.

use std::time::Duration;

use crate::readiness::Failure;

/// The one answer of a client that was not admitted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The client's deadline came before its turn.
    #[error("the hold ended at its deadline")]
    Deadline,
    /// The gate already holds as many, or as many bytes, as it may.
    #[error("the gate holds as many as it may")]
    QueueFull,
    /// This client alone already has as many places as one client may.
    #[error("this client has its share of places")]
    ClientShare,
    /// The service failed. The reason reaches clients, too.
    #[error("the service failed: {0}")]
    Failed(Failure),
    /// A breaker that gates is open.
    #[error("a breaker is open")]
    BreakerOpen,
    /// The service is going away.
    #[error("draining")]
    Draining,
}

impl Refusal {
    /// Every code that [`Refusal::code`] may return, in the order of the variants.
    pub const CODES: [&'static str; 6] =
        ["deadline", "queue_full", "client_share", "failed", "breaker_open", "draining"];

    /// The reason's name in answers, logs and metrics.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        Self::CODES[self.index()]
    }

    /// The range from which a jittered `Retry-After` (RFC 9110, section 10.2.3) is drawn.
    ///
    /// Short where another try may meet a ready instance soon, long where trying again soon only adds load.
    #[must_use]
    pub const fn retry_after_range(&self) -> (Duration, Duration) {
        let (least, most) = match self {
            Self::Draining => (1, 3),
            Self::Deadline => (1, 5),
            Self::QueueFull | Self::ClientShare => (2, 10),
            Self::BreakerOpen => (5, 15),
            Self::Failed(failure) if failure.is_retryable() => (5, 15),
            Self::Failed(_) => (10, 30),
        };
        (Duration::from_secs(least), Duration::from_secs(most))
    }

    /// The place of this reason in [`Refusal::CODES`].
    pub(crate) const fn index(&self) -> usize {
        match self {
            Self::Deadline => 0,
            Self::QueueFull => 1,
            Self::ClientShare => 2,
            Self::Failed(_) => 3,
            Self::BreakerOpen => 4,
            Self::Draining => 5,
        }
    }
}

#[cfg(test)]
mod tests {
    //! Breaks the promise that each reason has its own snake_case code and a range to draw from.

    use super::*;

    #[test]
    fn each_reason_has_its_own_code_and_a_range() {
        let all = [
            Refusal::Deadline,
            Refusal::QueueFull,
            Refusal::ClientShare,
            Refusal::Failed(Failure::new("no database")),
            Refusal::BreakerOpen,
            Refusal::Draining,
        ];
        assert_eq!(all.each_ref().map(Refusal::code), Refusal::CODES);
        for refusal in &all {
            let (least, most) = refusal.retry_after_range();
            assert!(Duration::from_secs(1) <= least && least < most);
        }
    }
}
