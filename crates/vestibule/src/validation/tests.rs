//! Breaks the passes with checks that fail, hang and panic.

use std::time::Duration;

use super::*;
use crate::check::{Check, CheckFuture, Reason, Saw, Spec, Stage, Trouble};
use crate::environment::{Name, Platform};

enum Scripted {
    Passes,
    Fails,
    Hangs,
    Panics,
}

impl Check for Scripted {
    fn try_once<'a>(&'a self, _: &'a Stage) -> CheckFuture<'a, Result<Saw, Trouble>> {
        Box::pin(async move {
            match self {
                Self::Passes => Ok(Saw::new("pong")),
                Self::Fails => Err(Trouble::new(Reason::Refused, "nobody")),
                Self::Hangs => std::future::pending().await,
                Self::Panics => panic!("on purpose"),
            }
        })
    }
}

fn validation(checks: Vec<(Spec, Scripted)>) -> Validation {
    let checks = checks.into_iter().map(|(spec, check)| Checked::new(spec, Arc::new(check)));
    Validation::new(checks.collect(), Factors::derive(Name::Production, Platform::CloudRun))
}

#[tokio::test(start_paused = true)]
async fn a_pass_ends_within_its_budget_and_never_calls_a_hanging_check_passed() {
    let validation = validation(vec![
        (Spec::new("db").within(Duration::from_secs(3), 5), Scripted::Hangs),
        (Spec::new("cache"), Scripted::Passes),
        (Spec::new("broken").degradable(), Scripted::Panics),
        (Spec::new("bus"), Scripted::Fails),
    ]);
    let began = Instant::now();
    assert_eq!(validation.pass(Mode::Gate).await, Opinion::Waiting { passed: None });
    assert!(began.elapsed() <= Duration::from_millis(8_050));
    let board = validation.board();
    let words: Vec<_> =
        board.standings().iter().map(|one| one.last.as_ref().unwrap().outcome.as_str()).collect();
    assert_eq!(words, ["failed", "passed", "failed", "failed"]);
    assert_eq!(board.standings()[3].tries.len(), 3);
}
