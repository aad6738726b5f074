//! Breaks the waiting with checks that come late, never, or one after the other.

use std::sync::Arc;

use vestibule::check::{Check, CheckFuture, Checked, Saw, Spec, Stage, Trouble};
use vestibule::environment::{Name, Platform};
use vestibule::timeouts::Factors;

use super::*;

/// Passes from this moment on.
struct From(Instant);

impl Check for From {
    fn try_once<'a>(&'a self, _: &'a Stage) -> CheckFuture<'a, Result<Saw, Trouble>> {
        Box::pin(async move {
            if Instant::now() < self.0 {
                return Err(Trouble::new(Reason::Refused, "nobody"));
            }
            Ok(Saw::new("pong"))
        })
    }
}

fn waiting(needs: Needs, from: &[(Spec, u64)]) -> Waiting {
    let checks = from.iter().map(|(spec, seconds)| {
        let from = From(Instant::now() + Duration::from_secs(*seconds));
        Checked::new(spec.clone(), Arc::new(from))
    });
    Waiting {
        validation: Validation::new(
            checks.collect(),
            Factors::derive(Name::Test, Platform::LocalHost),
        ),
        needs,
        interval: None,
        progress: Progress::new(false, true),
    }
}

#[tokio::test(start_paused = true)]
async fn waiting_ends_when_every_critical_check_has_passed_and_not_before() {
    let never = 10_000;
    let rows = [
        (Needs::EveryCritical, [(Spec::new("a"), 3), (Spec::new("b"), 7)], Some(7)),
        (
            Needs::EveryCritical,
            [(Spec::new("a"), 3), (Spec::new("b").degradable(), never)],
            Some(3),
        ),
        (Needs::EveryCritical, [(Spec::new("a"), 3), (Spec::new("b"), never)], None),
        (Needs::Any, [(Spec::new("a"), never), (Spec::new("b"), 5)], Some(5)),
        (Needs::Any, [(Spec::new("a"), never), (Spec::new("b"), never)], None),
    ];
    for (needs, checks, met) in rows {
        let began = Instant::now();
        let ended = waiting(needs, &checks).until(Duration::from_secs(60)).await;
        let took = began.elapsed();
        assert_eq!(ended.is_ok(), met.is_some(), "{needs:?} {checks:?}: {ended:?}");
        let due = Duration::from_secs(met.unwrap_or(60));
        assert!(took >= due && took <= due + Duration::from_millis(2_500), "{checks:?}: {took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_missing_is_named_with_its_reason_and_what_to_do() {
    let waiting = waiting(Needs::EveryCritical, &[(Spec::new("db"), 0), (Spec::new("bus"), 90)]);
    let error = waiting.until(Duration::from_secs(5)).await.unwrap_err().to_string();
    assert!(error.contains("not ready within 5s: 1 of 2 missing"), "{error}");
    assert!(error.contains("custom bus: refused: nobody"), "{error}");
    assert!(error.contains("hint: bus: nobody listens there"), "{error}");
    assert!(!error.contains("db"), "{error}");
}
