//! Breaks a door with dependencies that come late, never, or go away, and with a process that was suspended.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::check::{self, Checked, Reason, Spec, Trouble};

/// A dependency that can be there or not.
#[derive(Clone, Default)]
struct Dependency(Arc<AtomicBool>);

impl Dependency {
    fn is(&self, there: bool) {
        self.0.store(there, Ordering::SeqCst);
    }

    fn asked(&self, spec: Spec) -> Checked {
        let there = Arc::clone(&self.0);
        let ask = move || {
            let there = there.load(Ordering::SeqCst);
            async move { if there { Ok("pong") } else { Err(Trouble::new(Reason::Refused, "nobody")) } }
        };
        Checked::new(spec, check::from_fn(ask))
    }
}

fn with(checks: Vec<Checked>) -> Settings {
    Settings { checks, ..settings() }
}

async fn seconds(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn invariant_1_nobody_is_admitted_before_the_work_is_done_and_the_checks_have_passed() {
    // The work is over first, then the checks, then the other way round, then both at once.
    for (work, check) in [(1, 3), (3, 1), (2, 2)] {
        let database = Dependency::default();
        let checks = vec![database.asked(Spec::new("db"))];
        let began = Instant::now();
        let door = Door::start_with(with(checks), async move |_startup| {
            seconds(work).await;
            Ok(())
        });
        let comes = async {
            seconds(check).await;
            database.is(true);
        };
        let (admitted, ()) = tokio::join!(admit(&door), comes);
        assert_eq!(admitted, Ok(()));
        let late = began.elapsed() - Duration::from_secs(work.max(check));
        // A twentieth of the wait, at least 100 ms.
        assert!(late <= Duration::from_millis(250), "{late:?}");
        assert!(door.timeline().is_complete());
    }
}

#[tokio::test(start_paused = true)]
async fn a_start_that_calls_itself_complete_is_so_only_with_its_checks() {
    let database = Dependency::default();
    let door = Door::start_with(with(vec![database.asked(Spec::new("db"))]), async |startup| {
        startup.enter(Phase::COMPLETE)?;
        std::future::pending().await
    });
    seconds(5).await;
    assert!(!door.readiness().state().is_ready() && !door.timeline().is_complete());
    database.is(true);
    assert_eq!(admit(&door).await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn the_states_of_a_start_follow_the_groups_that_have_passed() {
    let (database, own) = (Dependency::default(), Dependency::default());
    let checks = vec![
        database.asked(Spec::new("db")),
        own.asked(Spec::new("self").in_group(Group::Services)),
    ];
    let door = Door::start_with(with(checks), async |startup| {
        // The phases alone would say that all is up.
        startup.enter(Phase::WEBSOCKET)?;
        seconds(9).await;
        Ok(())
    });
    let mut states = Vec::new();
    for turn in [None, Some(&database), Some(&own), None] {
        turn.inspect(|dependency| dependency.is(true));
        seconds(3).await;
        states.push(door.readiness().state().as_str());
    }
    assert_eq!(states, ["initializing", "dependencies_ready", "services_ready", "websocket_ready"]);
}

#[tokio::test(start_paused = true)]
async fn at_the_end_of_the_budget_the_reason_names_what_was_missing_and_why() {
    let (database, mail) = (Dependency::default(), Dependency::default());
    let checks = vec![database.asked(Spec::new("db")), mail.asked(Spec::new("mail").degradable())];
    let began = Instant::now();
    let door = Door::start_with(with(checks.clone()), async |_startup| Ok(()));
    let said = failure(&door).await;
    assert!(said.starts_with("init: the startup budget of 60s ended without check db ("), "{said}");
    assert!(said.contains("refused") && !said.contains("mail"), "{said}");
    assert_eq!(began.elapsed(), Duration::from_secs(60));
    // Nobody asks for a service that has failed.
    let passes = door.validation().board().passes();
    seconds(100).await;
    assert_eq!(door.validation().board().passes(), passes);

    database.is(true);
    door.recover(async |_startup| Ok(())).unwrap();
    assert_eq!(admit(&door).await, Ok(()));
    let door = Door::start_with(with(checks), async |_startup| std::future::pending().await);
    assert_eq!(failure(&door).await, "init: the startup budget of 60s ended");
}

#[tokio::test(start_paused = true)]
async fn after_the_first_ready_a_check_reports_and_one_that_gates_always_gates() {
    let (database, auth) = (Dependency::default(), Dependency::default());
    database.is(true);
    auth.is(true);
    let checks =
        vec![database.asked(Spec::new("db")), auth.asked(Spec::new("auth").gating_always())];
    let door = Door::start_with(with(checks), async |_startup| Ok(()));
    assert_eq!(admit(&door).await, Ok(()));
    database.is(false);
    seconds(60).await;
    let opinion = door.validation().opinion(Instant::now());
    assert_eq!(opinion, Opinion::Ready { degraded: vec!["db".into()] });
    assert_eq!(admit(&door).await, Ok(()));
    auth.is(false);
    seconds(60).await;
    assert_eq!(admit(&door).await, Err(Refusal::BreakerOpen));
    // Whoever follows the state hears it, too, and neither starts nor fails because of it.
    assert_eq!(door.readiness().state(), State::Initializing);
    assert!(door.timeline().is_complete());
    auth.is(true);
    seconds(20).await;
    assert_eq!(admit(&door).await, Ok(()));
    assert!(door.readiness().state().is_ready());
}

#[tokio::test(start_paused = true)]
async fn f48_the_first_client_after_a_suspension_waits_for_what_is_seen_now() {
    let auth = Dependency::default();
    auth.is(true);
    let door = Door::start_with(
        with(vec![auth.asked(Spec::new("auth").gating_always())]),
        async |_startup| Ok(()),
    );
    assert_eq!(admit(&door).await, Ok(()));
    let passes = door.validation().board().passes();
    auth.is(false);
    tokio::time::advance(Duration::from_secs(3_600)).await;
    // As the layer does, before it brings the client to the gate.
    door.inner.arrival(Instant::now());
    assert_eq!(door.gate().stance(), Stance::Hold);
    auth.is(true);
    assert_eq!(admit(&door).await, Ok(()));
    assert!(door.validation().board().passes() <= passes + 2);
}

#[tokio::test(start_paused = true)]
async fn checks_do_not_keep_a_door_alive_that_nobody_kept() {
    let database = Dependency::default();
    database.is(true);
    let door = Door::start_with(with(vec![database.asked(Spec::new("db"))]), async |_| Ok(()));
    assert_eq!(admit(&door).await, Ok(()));
    let (readiness, validation) = (door.readiness(), door.validation().clone());
    drop(door);
    assert_eq!(readiness.state().as_str(), "failed");
    let passes = validation.board().passes();
    seconds(100).await;
    assert_eq!(validation.board().passes(), passes);
}
