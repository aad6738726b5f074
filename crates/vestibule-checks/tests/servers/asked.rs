//! A check as a validation asks it.
//!
//! Owns how patient the tests are. Each answer is the board's: state, reason, text and number of tries.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout};
use vestibule::backoff::Backoff;
use vestibule::check::{Check, Checked, Outcome, Reason, Spec};
use vestibule::environment::{Name, Platform};
use vestibule::timeouts::Factors;
use vestibule::validation::{Mode, Opinion, Standing, Validation};
use vestibule_checks::{Kind, Options, Value, build};

use crate::daemon::LONG;

/// No timer of a validation ends a test.
const NEVER: Duration = Duration::from_secs(3600);

/// One check in a validation of its own.
#[derive(Clone)]
pub(crate) struct Asked {
    pub(crate) validation: Validation,
}

impl Asked {
    /// Three tries of 2 s in a pass.
    pub(crate) fn new(check: Arc<dyn Check>) -> Self {
        Self::within(check, Duration::from_secs(2), 3)
    }

    /// So many tries of this length in a pass; afterwards no pass by itself for an hour.
    pub(crate) fn within(check: Arc<dyn Check>, time: Duration, tries: u32) -> Self {
        // A fifth more time for each try, and 8 s for a pass.
        let factors = Factors::derive(Name::Production, Platform::LocalHost);
        let backoff = Backoff::new(Duration::from_millis(5), Duration::from_millis(50));
        let spec = Spec { backoff, interval: NEVER, ..Spec::new("asked").within(time, tries) };
        Self { validation: Validation::new(vec![Checked::new(spec, check)], factors) }
    }

    /// What the board holds now.
    pub(crate) fn standing(&self) -> Standing {
        self.validation.board().standings()[0].clone()
    }

    /// One pass that passes; what was seen.
    pub(crate) async fn passes(&self) -> String {
        let opinion = self.validation.pass(Mode::Gate).await;
        match self.outcome() {
            Outcome::Passed(saw) => {
                assert!(matches!(opinion, Opinion::Ready { .. }), "{opinion:?}");
                saw.as_str().to_owned()
            }
            other => panic!("{other:?}, {:?}", self.standing().tries),
        }
    }

    /// One pass that fails before the first ready; why, its words, and after how many tries.
    pub(crate) async fn fails(&self) -> (Reason, String, u64) {
        let before = self.tried();
        let opinion = self.validation.pass(Mode::Gate).await;
        assert!(!matches!(opinion, Opinion::Ready { .. }), "{opinion:?}");
        match self.outcome() {
            Outcome::Failed(trouble) => {
                (trouble.reason(), trouble.detail().to_owned(), self.tried() - before)
            }
            other => panic!("{other:?}, {:?}", self.standing().tries),
        }
    }

    /// How often it was tried in all.
    pub(crate) fn tried(&self) -> u64 {
        let counts = self.standing().counts;
        counts.passed + counts.failed.iter().map(|(_, count)| count).sum::<u64>()
    }

    /// Waits until the board shows this.
    pub(crate) async fn shows(&self, what: &str, is_so: impl Fn(&Standing) -> bool) {
        let mut board = self.validation.watch();
        let waits = async {
            while !is_so(&board.borrow_and_update().standings()[0]) {
                board.changed().await.unwrap();
            }
        };
        let shown = timeout(LONG, waits).await;
        assert!(shown.is_ok(), "never {what}: {:?}", self.standing());
    }

    /// Waits until tries have failed for at least this time.
    pub(crate) async fn waits_for(&self, time: Duration) {
        let began = Instant::now();
        let failed_long_enough =
            |standing: &Standing| began.elapsed() >= time && has_failed(standing);
        self.shows("a failure", failed_long_enough).await;
    }

    fn outcome(&self) -> Outcome {
        self.standing().last.expect("an outcome").outcome
    }
}

fn has_failed(standing: &Standing) -> bool {
    standing.last.as_ref().is_some_and(|last| !last.outcome.is_passed())
}

/// The check of this kind that was declared so.
pub(crate) fn check(kind: Kind, options: &Options) -> Arc<dyn Check> {
    build(kind, options).unwrap()
}

/// A text, as a value.
pub(crate) fn text(text: impl Into<String>) -> Value {
    Value::Text(text.into())
}
