//! Breaks the passes with checks that fail, hang and panic, with any order of these, with crowds that want the
//! same thing, and with a clock that jumps. Paused time.

mod crowds;
mod passes;
mod schedules;
mod sources;
mod steady;

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

use super::*;
use crate::check::{Check, CheckFuture, Reason, Saw, Spec, Stage, Trouble};
use crate::environment::{Name, Platform};

/// What a scripted check does when it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Passes,
    Fails(Reason),
    Hangs,
    Panics,
    /// Hangs, and panics when it is dropped.
    PanicsWhenDropped,
    /// Panics before it has made its future.
    PanicsWhenMade,
}

/// A check that takes a time and then acts, and counts how often it was asked.
struct Scripted {
    act: std::sync::Mutex<(Duration, Act)>,
    asked: AtomicU32,
    says: Notify,
}

impl Scripted {
    fn new(after: Duration, act: Act) -> Arc<Self> {
        let act = std::sync::Mutex::new((after, act));
        Arc::new(Self { act, asked: AtomicU32::new(0), says: Notify::new() })
    }

    fn now(act: Act) -> Arc<Self> {
        Self::new(Duration::ZERO, act)
    }

    fn becomes(&self, act: Act) {
        self.act.lock().unwrap().1 = act;
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Check for Scripted {
    fn try_once<'a>(&'a self, stage: &'a Stage) -> CheckFuture<'a, Result<Saw, Trouble>> {
        let (after, act) = *self.act.lock().unwrap();
        self.asked.fetch_add(1, Ordering::SeqCst);
        if act == Act::PanicsWhenMade {
            panics();
        }
        Box::pin(async move {
            stage.waits(Reason::Silent, "its answer");
            let _guard = PanicsWhenDropped(act == Act::PanicsWhenDropped);
            if !after.is_zero() {
                tokio::time::sleep_until(Instant::now() + after).await;
            }
            match act {
                Act::Passes => Ok(Saw::new("pong")),
                Act::Fails(reason) => Err(Trouble::new(reason, "no")),
                Act::Panics => panics(),
                _ => std::future::pending().await,
            }
        })
    }

    fn changed(&self) -> CheckFuture<'_, ()> {
        Box::pin(self.says.notified())
    }
}

struct PanicsWhenDropped(bool);

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        if self.0 {
            panics();
        }
    }
}

/// A panic that does not fill the test's output.
fn panics() -> ! {
    std::panic::resume_unwind(Box::new("on purpose"))
}

fn factors() -> Factors {
    Factors::derive(Name::Production, Platform::CloudRun)
}

fn validation<'a>(checks: impl IntoIterator<Item = (Spec, &'a Arc<Scripted>)>) -> Validation {
    let checked =
        |(spec, check): (Spec, &Arc<Scripted>)| Checked::new(spec, Arc::<Scripted>::clone(check));
    Validation::new(checks.into_iter().map(checked).collect(), factors())
}

/// Lets `seconds` pass while the checks are kept asked.
async fn keep_for(validation: &Validation, seconds: f64) {
    let _ = tokio::time::timeout(Duration::from_secs_f64(seconds), validation.keep()).await;
}

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn outcomes(validation: &Validation) -> Vec<String> {
    let word = |one: &Standing| match &one.last {
        None => "none".to_owned(),
        Some(last) => last.outcome.reason().unwrap_or("passed").to_owned(),
    };
    validation.board().standings().iter().map(word).collect()
}
