//! One check under a validation of its own, as a front has it.
//!
//! Owns its making and what is read of its board. Whatever is read, no text of it may hold a canary: users,
//! passwords and queries of all tests are called so.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use vestibule::check::{Checked, Outcome, Reason, Spec};
use vestibule::timeouts::{Factors, Sourced};
use vestibule::validation::{Mode, Standing, Validation};
use vestibule_checks::{Kind, Options, build};

use crate::daemon::LONG;

/// A try's time where nothing hinders it, on a machine that is busy with other tests.
pub(crate) const PATIENT: Duration = Duration::from_secs(5);
/// A try's time where it is to be cut off.
pub(crate) const SHORT: Duration = Duration::from_millis(400);

/// One check.
pub(crate) struct Rig {
    /// Its validation.
    pub(crate) validation: Validation,
}

impl Rig {
    /// A check with this time for a try, and as many tries in a pass.
    pub(crate) fn new(kind: Kind, options: &Options, timeout: Duration, attempts: u32) -> Self {
        let check = build(kind, options).unwrap();
        let factors = Factors {
            multiplier: Sourced::new(1.0, "test"),
            margin: Sourced::new(1.0, "test"),
            validation: Sourced::new(Duration::from_secs(12), "test"),
            floor: Sourced::new(Duration::ZERO, "test"),
        };
        let spec = Spec::new("dependency").within(timeout, attempts);
        Self { validation: Validation::new(vec![Checked::new(spec, check)], factors) }
    }

    /// One pass; its outcome.
    pub(crate) async fn pass(&self) -> Outcome {
        self.validation.pass(Mode::Gate).await;
        self.standing().last.unwrap().outcome
    }

    /// One pass, which must fail; with which reason, in which words, and with how many tries.
    pub(crate) async fn fails(&self) -> (Reason, String, u64) {
        let before = self.tries();
        match self.pass().await {
            Outcome::Failed(trouble) => {
                (trouble.reason(), trouble.detail().to_owned(), self.tries() - before)
            }
            other => panic!("{other:?}"),
        }
    }

    /// One pass, which must succeed; what was seen.
    pub(crate) async fn passes(&self) -> String {
        match self.pass().await {
            Outcome::Passed(saw) => saw.as_str().to_owned(),
            other => panic!("{other:?}"),
        }
    }

    /// What the board says of it, free of canaries.
    pub(crate) fn standing(&self) -> Standing {
        let standing = self.validation.board().standings()[0].clone();
        let text = format!("{standing:?}");
        assert!(!text.contains("canary"), "{text}");
        standing
    }

    /// How often it was tried.
    pub(crate) fn tries(&self) -> u64 {
        let counts = self.standing().counts;
        counts.passed + counts.failed.iter().map(|(_, count)| count).sum::<u64>()
    }

    /// How often it has failed with this reason.
    pub(crate) fn failed(&self, reason: Reason) -> u64 {
        let counts = self.standing().counts.failed;
        counts.iter().find(|(known, _)| *known == reason).map_or(0, |(_, count)| *count)
    }

    /// Passes over and over in the background, as a front does, until the end of the test's runtime.
    pub(crate) fn keep(&self) {
        let validation = self.validation.clone();
        tokio::spawn(async move { validation.keep().await });
    }

    /// Waits until the board shows this.
    pub(crate) async fn until(&self, what: &str, shows: impl Fn(&Self) -> bool) {
        until(what, || shows(self)).await;
    }
}

/// Waits until this is so.
pub(crate) async fn until(what: &str, is: impl Fn() -> bool) {
    let end = Instant::now() + LONG;
    while !is() {
        assert!(Instant::now() < end, "never: {what}");
        sleep(Duration::from_millis(5)).await;
    }
}

/// Whether it passed in its last pass.
pub(crate) fn passed(rig: &Rig) -> bool {
    rig.standing().last.is_some_and(|last| last.outcome.is_passed())
}
