//! Breaks the passes with ten thousand random schedules. The seed of each is printed when it breaks a promise;
//! put it into `schedule` to see it alone.

use std::sync::Mutex as Lock;

use super::*;
use crate::backoff::Backoff;
use crate::check::{ATTEMPTS_MAX, Criticality, Group, Outcome, Skipped};

const SCHEDULES: u64 = 10_000;

/// A check that does something else at each try, and notes what it really did.
struct Random {
    chance: Lock<fastrand::Rng>,
    truth: Lock<Truth>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Truth {
    asked: u32,
    /// Whether the try that was asked for last has answered well.
    answered_well: bool,
}

impl Check for Random {
    fn try_once<'a>(&'a self, stage: &'a Stage) -> CheckFuture<'a, Result<Saw, Trouble>> {
        let (kind, after) = {
            let mut chance = self.chance.lock().unwrap();
            (chance.u8(0..12), ms(chance.u64(0..4_000)))
        };
        let asked = {
            let mut truth = self.truth.lock().unwrap();
            *truth = Truth { asked: truth.asked + 1, answered_well: false };
            truth.asked
        };
        if kind == 0 {
            panics();
        }
        Box::pin(async move {
            stage.waits(Reason::Silent, "its answer");
            let _guard = PanicsWhenDropped(kind == 1);
            match kind {
                // At once, late, or in small steps.
                2..=4 => {}
                5 | 6 => pause(after).await,
                7 => {
                    for _ in 0..3 {
                        pause(after / 2).await;
                    }
                }
                8 => return Err(Trouble::new(Reason::Refused, "no")),
                9 => {
                    pause(after / 8).await;
                    let reasons = [Reason::Overloaded, Reason::WrongCredentials, Reason::Reset];
                    return Err(Trouble::new(reasons[after.as_millis() as usize % 3], "no"));
                }
                10 => {
                    tokio::task::yield_now().await;
                    panics();
                }
                _ => std::future::pending().await,
            }
            let mut truth = self.truth.lock().unwrap();
            assert_eq!(truth.asked, asked, "two tries beside each other");
            truth.answered_well = kind != 1;
            Ok(Saw::new("pong"))
        })
    }
}

/// Time is paused in every schedule: this takes none of ours.
async fn pause(time: Duration) {
    tokio::time::sleep_until(Instant::now() + time).await;
}

fn spec(name: usize, chance: &mut fastrand::Rng) -> Spec {
    let base = ms(chance.u64(0..400));
    Spec {
        group: Group::ALL[chance.usize(0..3)],
        timeout: ms([0, 300, 1_000, 2_000, 20_000][chance.usize(0..5)]),
        attempts: [0, 1, 2, 3, 5, 99][chance.usize(0..6)],
        backoff: Backoff::new(base, base * 4),
        criticality: [Criticality::Critical, Criticality::Degradable][chance.usize(0..2)],
        ..Spec::new(format!("check {name}"))
    }
}

async fn schedule(seed: u64) {
    let mut chance = fastrand::Rng::with_seed(seed);
    let checks: Vec<_> = (0..chance.usize(1..6))
        .map(|name| {
            let script = Lock::new(chance.fork());
            let random = Arc::new(Random { chance: script, truth: Lock::default() });
            (spec(name, &mut chance), random)
        })
        .collect();
    let checked = |(spec, check): &(Spec, Arc<Random>)| {
        Checked::new(spec.clone(), Arc::<Random>::clone(check))
    };
    let mut factors = factors();
    let budget = ms(chance.u64(0..8_000));
    factors.validation.value = budget;
    let validation = Validation::new(checks.iter().map(checked).collect(), factors);
    let mode = [Mode::Gate, Mode::Survey][chance.usize(0..2)];
    let began = Instant::now();
    let opinion = validation.pass(mode).await;
    let at = format!("seed {seed}");
    assert!(began.elapsed() <= budget + ms(50), "{at}: {:?}", began.elapsed());
    holds(&validation, &checks, mode, &at);
    assert_eq!(opinion.is_ready(), validation.board().missing().is_empty(), "{at}");
    if chance.u8(0..8) == 0 {
        keep_for(&validation, 20.0).await;
        assert!(validation.board().last_pass().unwrap().took <= budget + ms(50), "{at}");
    }
}

fn holds(validation: &Validation, checks: &[(Spec, Arc<Random>)], mode: Mode, at: &str) {
    let board = validation.board();
    for ((spec, check), standing) in checks.iter().zip(board.standings()) {
        let truth = *check.truth.lock().unwrap();
        let at = format!("{at}, {}, {truth:?}, {:?}", spec.name, standing.last);
        let outcome = &standing.last.as_ref().expect(&at).outcome;
        assert!(truth.asked <= spec.attempts.clamp(1, ATTEMPTS_MAX), "{at}");
        assert!(!outcome.is_passed() || truth.answered_well, "{at}");
        assert_eq!(outcome.is_passed(), !standing.down, "{at}");
        assert_eq!(standing.counts.passed, u64::from(outcome.is_passed()), "{at}");
        assert!(!standing.is_asked(), "{at}");
        if truth.asked == 0 {
            assert!(matches!(outcome, Outcome::Skipped(_)), "{at}");
        }
        let failed = |other: &Group| {
            let mut of = board.standings().iter().filter(|one| one.spec.group == *other);
            *other < spec.group && of.any(|one| one.is_critical() && one.down)
        };
        let barred = mode == Mode::Gate && Group::ALL.iter().any(failed);
        if barred {
            assert_eq!(truth.asked, 0, "{at}");
            assert_eq!(*outcome, Outcome::Skipped(Skipped::EarlierGroup), "{at}");
        }
    }
}

#[test]
fn ten_thousand_random_schedules_end_in_time_and_call_nothing_passed_that_did_not_pass() {
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_time().start_paused(true).build().unwrap()
    };
    for block in 0..SCHEDULES / 100 {
        runtime().block_on(async {
            for seed in block * 100..(block + 1) * 100 {
                schedule(seed).await;
            }
        });
    }
}
