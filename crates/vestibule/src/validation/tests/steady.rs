//! Breaks what comes after the first ready: hysteresis, intervals, age, a process that was suspended.

use super::*;
use crate::check::Group;

const HOUR: Duration = Duration::from_secs(3_600);

fn always(name: &str) -> Spec {
    Spec::new(name).within(ms(500), 1).gating_always()
}

/// Checks that have all passed, for a service that is ready.
async fn ready<const N: usize>(checks: [(Spec, &Arc<Scripted>); N]) -> Validation {
    let validation = validation(checks);
    keep_for(&validation, 1.0).await;
    assert!(validation.opinion(Instant::now()).is_ready());
    validation.ready();
    validation
}

#[tokio::test(start_paused = true)]
async fn one_failure_is_none_and_three_in_a_row_are_down_until_two_successes() {
    let check = Scripted::now(Act::Passes);
    let spec = Spec { attempts: 1, ..Spec::new("mail").degradable() };
    let validation = ready([(spec, &check)]).await;
    let mut seen = Vec::new();
    check.becomes(Act::Fails(Reason::Refused));
    for n in 0..5 {
        tokio::time::sleep(ms(1)).await;
        if n == 3 {
            check.becomes(Act::Passes);
        }
        seen.push(validation.refresh().await.as_str());
    }
    assert_eq!(seen, ["ready", "ready", "degraded", "degraded", "ready"]);
    assert_eq!(validation.board().standings()[0].in_a_row(), (true, 2));
}

#[tokio::test(start_paused = true)]
async fn what_does_not_gate_always_reports_and_what_does_holds_then_refuses_then_admits() {
    let (reports, gates) = (Scripted::now(Act::Passes), Scripted::now(Act::Passes));
    let validation = ready([(Spec::new("db"), &reports), (always("auth"), &gates)]).await;
    reports.becomes(Act::Fails(Reason::Refused));
    keep_for(&validation, 60.0).await;
    let opinion = validation.opinion(Instant::now());
    assert_eq!(opinion, Opinion::Ready { degraded: vec!["db".into()] });
    reports.becomes(Act::Passes);
    gates.becomes(Act::Fails(Reason::Refused));
    let mut words = Vec::new();
    for _ in 0..600 {
        keep_for(&validation, 0.1).await;
        let word = validation.opinion(Instant::now()).as_str();
        if words.last() != Some(&word) {
            words.push(word);
        }
    }
    assert_eq!(words.last(), Some(&"refuse"), "{words:?}");
    assert!(words.contains(&"hold"), "{words:?}");
    gates.becomes(Act::Passes);
    keep_for(&validation, 20.0).await;
    assert!(validation.opinion(Instant::now()).is_ready());
    let gone = validation.board().standings()[1].breaker.transitions();
    assert!(gone.closed_to_open == 1 && gone.half_open_to_closed == 1, "{gone:?}");
}

#[tokio::test(start_paused = true)]
async fn each_check_has_its_own_interval_and_is_asked_when_it_is_due() {
    let checks: [_; 3] = std::array::from_fn(|_| Scripted::now(Act::Passes));
    let spec = |name: &str, seconds| Spec {
        interval: Duration::from_secs(seconds),
        ..Spec::new(name).in_group(Group::Services)
    };
    let validation = ready([
        (spec("often", 2), &checks[0]),
        (spec("seldom", 60), &checks[1]),
        (Spec { interval: Duration::MAX, ..spec("never", 1) }, &checks[2]),
    ])
    .await;
    let before: Vec<_> = checks.iter().map(|check| check.asked()).collect();
    keep_for(&validation, 600.0).await;
    let asked: Vec<_> = checks.iter().zip(before).map(|(check, n)| check.asked() - n).collect();
    assert!((290..=310).contains(&asked[0]) && (9..=11).contains(&asked[1]), "{asked:?}");
    assert_eq!(asked[2], 0);
}

#[tokio::test(start_paused = true)]
async fn what_fell_is_asked_sooner() {
    let check = Scripted::now(Act::Passes);
    let spec =
        Spec { attempts: 1, interval: Duration::from_secs(20), ..Spec::new("mail").degradable() };
    let validation = ready([(spec, &check)]).await;
    let up = check.asked();
    keep_for(&validation, 200.0).await;
    let (up, before) = (check.asked() - up, check.asked());
    check.becomes(Act::Fails(Reason::StartingUp));
    keep_for(&validation, 200.0).await;
    let down = check.asked() - before;
    assert!((9..=12).contains(&up) && (14..=22).contains(&down), "{up} {down}");
}

#[tokio::test(start_paused = true)]
async fn f20_f48_after_an_hour_of_suspension_all_is_asked_once_and_what_gates_holds_until_then() {
    let (gates, other) = (Scripted::new(ms(100), Act::Passes), Scripted::new(ms(100), Act::Passes));
    let validation = ready([(always("auth"), &gates), (Spec::new("db"), &other)]).await;
    let kept = {
        let validation = validation.clone();
        tokio::spawn(async move { validation.keep().await })
    };
    tokio::time::sleep(Duration::from_secs(5)).await;
    let before = (gates.asked(), other.asked());
    tokio::time::advance(HOUR).await;
    let now = Instant::now();
    // Whoever arrives first finds an outcome that is an hour old.
    validation.arrival(now);
    assert_eq!(validation.opinion(now), Opinion::Hold { by: "auth".into() });
    tokio::time::sleep(ms(150)).await;
    assert!(validation.opinion(Instant::now()).is_ready());
    tokio::time::sleep(ms(3_000)).await;
    assert_eq!((gates.asked(), other.asked()), (before.0 + 1, before.1 + 1));
    kept.abort();
}

#[tokio::test(start_paused = true)]
async fn invariant_5_an_old_success_admits_nobody_while_only_failures_are_fresh() {
    let gates = Scripted::now(Act::Passes);
    let validation = ready([(Spec { fall: 1_000, ..always("auth") }, &gates)]).await;
    gates.becomes(Act::Fails(Reason::NotServing));
    keep_for(&validation, 80.0).await;
    assert!(validation.opinion(Instant::now()).is_ready());
    keep_for(&validation, 15.0).await;
    assert!(!validation.opinion(Instant::now()).is_ready());
}

#[tokio::test(start_paused = true)]
async fn what_has_passed_is_asked_calmly_while_the_service_itself_is_not_ready() {
    let check = Scripted::now(Act::Passes);
    let validation = validation([(Spec::new("db"), &check)]);
    keep_for(&validation, 100.0).await;
    assert!((9..=13).contains(&check.asked()), "{}", check.asked());
}

#[tokio::test(start_paused = true)]
async fn whoever_stops_keeping_leaves_nothing_that_asks() {
    let check = Scripted::now(Act::Hangs);
    let validation = validation([(Spec::new("db"), &check)]);
    keep_for(&validation, 0.5).await;
    tokio::task::yield_now().await;
    assert!(!validation.board().standings()[0].is_asked());
    assert_eq!(validation.board().passing_since(), None);
}

/// Its source says something while its last try still blocks a thread: that must not make it due for ever.
#[tokio::test(start_paused = true)]
async fn what_still_blocks_its_thread_is_not_wanted_without_a_rest() {
    let check = Scripted::now(Act::Passes);
    let now = Instant::now();
    let mut board = Board::new(&[Checked::new(Spec::new("db"), check)], &factors(), now);
    for is_ready in [false, true] {
        if is_ready {
            board.ready();
        }
        board.want(0);
        assert_eq!(board.due_at(now), Some(now));
        board.pass_begins(now);
        board.is_stuck(0, now, 0.5);
        board.pass_ends(now, 0.5);
        assert!(board.due_at(now).is_some_and(|due| due > now), "ready: {is_ready}");
    }
}
