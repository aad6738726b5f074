//! Breaks the door with startups that fail, panic, hang, or end twice, and with drains and recoveries at the
//! wrong time. Paused time.

mod checks;

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use super::*;
use crate::gate::{Arrival, Kind};
use crate::readiness::NotReady;
use crate::startup::Phase;

fn settings() -> Settings {
    Settings::detect(&HashMap::<&str, &str>::new())
}

fn in_seconds(seconds: u64) -> Instant {
    Instant::now() + Duration::from_secs(seconds)
}

/// Why the door's service is not ready.
async fn failure(door: &Door) -> String {
    match door.readiness().wait_ready(in_seconds(600)).await {
        Err(NotReady::Failed(failure)) => failure.reason().to_owned(),
        other => panic!("{other:?}"),
    }
}

async fn admit(door: &Door) -> Result<(), Refusal> {
    let arrival = Arrival { kind: Kind::Plain, bytes: 1, deadline: in_seconds(30), client: None };
    door.gate().admit(arrival).await.map(drop)
}

#[tokio::test(start_paused = true)]
async fn invariant_1_nobody_is_admitted_before_the_startup_is_complete() {
    let began = Instant::now();
    let door = Door::start_with(settings(), async |startup| {
        for phase in [Phase::DATABASE, Phase::SERVICES, Phase::WEBSOCKET] {
            startup.enter(phase)?;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        Ok(())
    });
    let mut readiness = door.readiness();
    let mut states = vec![readiness.changed().await.as_str()];
    while states.last() != Some(&"websocket_ready") {
        states.push(readiness.changed().await.as_str());
        let admitted = tokio::time::timeout(Duration::ZERO, admit(&door)).await;
        assert_eq!(admitted.is_ok(), began.elapsed() >= Duration::from_secs(3));
    }
    let all = ["initializing", "dependencies_ready", "services_ready", "websocket_ready"];
    assert_eq!(states, all);
    assert_eq!(admit(&door).await, Ok(()));
    assert_eq!(door.timeline().elapsed(Instant::now()), Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn a_startup_that_fails_refuses_those_held_with_its_phase_and_reason_for_the_operator() {
    let door = Door::start_with(settings(), async |startup| {
        startup.enter(Phase::CACHE)?;
        tokio::time::sleep(Duration::from_secs(2)).await;
        Err("no route to the cache".into())
    });
    let began = Instant::now();
    let Err(Refusal::Failed(said)) = admit(&door).await else { panic!("admitted") };
    assert_eq!(said.reason(), "cache: no route to the cache");
    assert_eq!(began.elapsed(), Duration::from_secs(2));
    assert_eq!(failure(&door).await, "cache: no route to the cache");
}

#[tokio::test(start_paused = true)]
async fn a_step_back_fails_the_startup() {
    let door = Door::start_with(settings(), async |startup| {
        startup.enter(Phase::CACHE)?;
        startup.enter(Phase::DATABASE)?;
        Ok(())
    });
    let expected = "cache: phase database lies behind: the start is in cache";
    assert_eq!(failure(&door).await, expected);
}

#[tokio::test(start_paused = true)]
async fn a_startup_that_panics_or_hangs_has_failed() {
    let panics = Door::start_with(settings(), async |_startup| {
        tokio::task::yield_now().await;
        panic!("a test's own panic")
    });
    assert_eq!(failure(&panics).await, "init: the startup was dropped without deciding");

    let began = Instant::now();
    let hangs = Door::start_with(settings(), async |_startup| {
        std::future::pending::<()>().await;
        Ok(())
    });
    assert_eq!(failure(&hangs).await, "init: the startup budget of 60s ended");
    assert_eq!(began.elapsed(), Duration::from_secs(60));
}

#[tokio::test(start_paused = true)]
async fn a_layer_alone_keeps_the_door_alive_and_the_door_nobody_kept_has_failed() {
    let door = Door::start_with(settings(), async |_startup| Ok(()));
    let (layer, readiness) = (door.layer(), door.readiness());
    readiness.clone().wait_ready(in_seconds(1)).await.unwrap();
    drop(door);
    assert!(readiness.state().is_ready());
    drop(layer);
    assert_eq!(readiness.state().as_str(), "failed");
}

#[tokio::test(start_paused = true)]
async fn a_drain_is_the_last_word_whatever_the_startup_says_later() {
    let door = Door::start_with(settings(), async |_startup| {
        tokio::time::sleep(Duration::from_secs(2)).await;
        Ok(())
    });
    let (refused, ()) = tokio::join!(admit(&door), async { door.drain() });
    assert_eq!(refused, Err(Refusal::Draining));
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(door.timeline().is_complete());
    assert_eq!(admit(&door).await, Err(Refusal::Draining));
    let state = State::Draining;
    assert_eq!(door.recover(async |_startup| Ok(())), Err(NothingFailed { state }));
}

#[tokio::test(start_paused = true)]
async fn an_explicit_recovery_holds_again_and_then_admits() {
    let door = Door::start_with(settings(), async |_startup| Err("no".into()));
    assert_eq!(failure(&door).await, "init: no");
    let recovers = async |startup: Startup| {
        startup.enter(Phase::DATABASE)?;
        tokio::time::sleep(Duration::from_secs(3)).await;
        Ok(())
    };
    let began = Instant::now();
    door.recover(recovers).unwrap();
    assert!(door.recover(recovers).is_err());
    assert_eq!(admit(&door).await, Ok(()));
    assert_eq!(began.elapsed(), Duration::from_secs(3));
    assert_eq!(door.timeline().run(), 2);
}

#[test]
fn patience_follows_from_where_we_run() {
    let cloud = HashMap::from([("K_SERVICE", "chat"), ("ENVIRONMENT", "development")]);
    let settings = Settings::detect(&cloud);
    assert_eq!(settings.startup, Duration::from_secs(240));
    assert_eq!(settings.hold, Duration::from_secs(60));
    assert_eq!(settings.request_timeout, Some(Duration::from_secs(300)));
}

/// Notes, at its own end, what the service is by then.
struct Last {
    readiness: Arc<OnceLock<readiness::Watch>>,
    state: Arc<OnceLock<State>>,
}

impl Drop for Last {
    fn drop(&mut self) {
        let _ = self.state.set(self.readiness.get().unwrap().state());
    }
}

#[tokio::test(start_paused = true)]
async fn a_startup_has_let_everything_go_before_the_next_may_begin() {
    let (readiness, state) = <(Arc<OnceLock<_>>, Arc<OnceLock<_>>)>::default();
    let last = Last { readiness: Arc::clone(&readiness), state: Arc::clone(&state) };
    let settings = Settings { startup: Duration::from_secs(1), ..settings() };
    let door = Door::start_with(settings, async move |_startup| {
        let _last = last;
        std::future::pending().await
    });
    readiness.set(door.readiness()).unwrap();
    assert_eq!(failure(&door).await, "init: the startup budget of 1s ended");
    assert_eq!(state.get(), Some(&State::Initializing));
}
