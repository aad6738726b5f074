//! Breaks the promises of a start: steps back, failures spoken over, publishers that vanish or run wild, and
//! random schedules of all of these. Paused time.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::readiness::State;

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn start() -> (Publisher, Watch) {
    channel("the start of chat", Phases::default())
}

#[tokio::test(start_paused = true)]
async fn durations_are_recorded_and_a_phase_passed_over_is_not_called_done() {
    let began = Instant::now();
    let mut timeline =
        Timeline::new(Phases::new([Phase::INIT, Phase::DATABASE, Phase::CACHE]), began);
    assert_eq!(timeline.enter(Phase::CACHE, began + ms(30)), Ok(true));
    assert_eq!(timeline.enter(Phase::CACHE, began + ms(40)), Ok(false));
    let plain = |report: Vec<PhaseReport>| -> Vec<_> {
        report.iter().map(|one| (one.phase.as_str(), one.state.as_str(), one.duration)).collect()
    };
    assert_eq!(
        plain(timeline.report(began + ms(100))),
        [
            ("init", "done", Some(ms(30))),
            ("database", "skipped", None),
            ("cache", "current", Some(ms(70))),
            ("complete", "pending", None),
        ]
    );
    assert_eq!(timeline.enter(Phase::COMPLETE, began + ms(130)), Ok(true));
    assert_eq!(
        plain(timeline.report(began + ms(999)))[2..],
        [("cache", "done", Some(ms(100))), ("complete", "done", None),]
    );
    assert_eq!(timeline.elapsed(began + ms(999)), ms(130));
}

#[tokio::test(start_paused = true)]
async fn invariant_5_phases_never_go_back() {
    let (startup, watch) = start();
    startup.enter(Phase::SERVICES).unwrap();
    let backwards = StepError::Backwards { from: Phase::SERVICES, to: Phase::DATABASE };
    assert_eq!(startup.enter(Phase::DATABASE), Err(backwards));
    let unknown = Phase::named("models");
    assert_eq!(startup.enter(unknown), Err(StepError::Unknown(unknown)));
    assert_eq!(watch.timeline().current(), Phase::SERVICES);
    startup.complete().unwrap();
    assert_eq!(startup.fail("too late"), Err(StepError::Complete));
    assert!(watch.timeline().is_complete());
}

#[tokio::test(start_paused = true)]
async fn a_failure_latches_with_phase_and_reason_until_a_restart() {
    let (startup, mut watch) = start();
    let began = Instant::now();
    startup.enter(Phase::DATABASE).unwrap();
    tokio::time::advance(ms(250)).await;
    startup.fail("no route to the pool").unwrap();
    let failure = PhaseFailure { phase: Phase::DATABASE, reason: "no route to the pool".into() };
    for step in [startup.enter(Phase::CACHE), startup.complete(), startup.fail("another")] {
        assert_eq!(step, Err(StepError::Latched(failure.clone())));
    }
    let waited = watch.wait_for(Phase::INIT, began + ms(300)).await;
    assert_eq!(waited, Err(NotReached::Failed(failure)));
    let timeline = watch.timeline();
    let report = timeline.report(Instant::now() + ms(900));
    assert_eq!((report[2].state, report[2].duration), (PhaseState::Failed, Some(ms(250))));
    let State::Failed(said) = timeline.readiness() else { panic!("{}", timeline.readiness()) };
    assert_eq!(said.reason(), "database: no route to the pool");

    startup.restart();
    let timeline = watch.timeline();
    assert_eq!((timeline.run(), timeline.current(), timeline.failure()), (2, Phase::INIT, None));
    assert_eq!(startup.complete(), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_start_dropped_without_deciding_means_failed_with_its_name() {
    let (startup, mut watch) = start();
    startup.enter(Phase::CACHE).unwrap();
    drop(startup);
    let answer = watch.wait_for(Phase::COMPLETE, Instant::now() + ms(1)).await;
    let Err(NotReached::Failed(failure)) = answer else { panic!("{answer:?}") };
    assert_eq!(failure.to_string(), "cache: the start of chat was dropped without deciding");

    let (startup, watch) = start();
    startup.complete().unwrap();
    drop(startup);
    assert!(watch.timeline().is_complete());
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_when_its_phase_is_reached_and_not_later_than_its_deadline() {
    let (startup, mut watch) = start();
    let began = Instant::now();
    let late = watch.wait_for(Phase::DATABASE, began + ms(700)).await;
    assert_eq!(late, Err(NotReached::Deadline { at: Phase::INIT }));
    assert_eq!(began.elapsed(), ms(700));
    let mut other = startup.watch();
    let waiting = tokio::spawn(async move {
        let answer = other.wait_for(Phase::DATABASE, began + ms(5_000)).await;
        (answer, began.elapsed())
    });
    tokio::time::sleep(ms(200)).await;
    startup.enter(Phase::CACHE).unwrap();
    assert_eq!(waiting.await.unwrap(), (Ok(()), ms(900)));
    let none = Phase::named("models");
    let unknown = watch.wait_for(none, began + ms(5_000)).await;
    assert_eq!(unknown, Err(NotReached::Unknown(none)));
}

#[tokio::test]
async fn invariant_6_a_publisher_gone_wild_ends_the_wait() {
    let (startup, mut watch) = start();
    let wild = tokio::spawn(async move {
        for _ in 0..10 * WAKE_UPS_MAX {
            startup.restart();
            tokio::task::yield_now().await;
        }
        startup
    });
    let answer = watch.wait_for(Phase::COMPLETE, Instant::now() + Duration::from_secs(60)).await;
    assert_eq!(answer, Err(NotReached::Wild { at: Phase::INIT, wake_ups: WAKE_UPS_MAX }));
    wild.abort();
}

#[test]
fn readiness_follows_the_phases_and_own_lists_are_ready_only_when_complete() {
    let now = Instant::now();
    let mut timeline = Timeline::new(Phases::default(), now);
    let mut seen = Vec::new();
    for phase in Phases::default().iter() {
        timeline.enter(phase, now).unwrap();
        seen.push(timeline.readiness());
    }
    let (starting, dependencies) = (State::Initializing, State::DependenciesReady);
    let services = State::ServicesReady;
    assert_eq!(seen[..4], [const { State::Initializing }; 4]);
    assert_eq!(seen[4..], [dependencies, services.clone(), services, State::WebsocketReady]);

    let own = Phase::named("models");
    let mut timeline = Timeline::new(Phases::new([own, Phase::COMPLETE, own]), now);
    assert_eq!(timeline.readiness(), starting);
    timeline.enter(Phase::COMPLETE, now).unwrap();
    assert_eq!(timeline.readiness(), State::WebsocketReady);
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Enter(usize),
    Fail,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![8 => (0..8_usize).prop_map(Step::Enter), 1 => Just(Step::Fail), 1 => Just(Step::Restart)]
}

proptest! {
    #[test]
    fn invariant_5_no_schedule_takes_a_start_back_or_past_its_failure(
        steps in proptest::collection::vec((step(), 0..1_000_u64), 0..60),
    ) {
        let phases: Vec<_> = Phases::default().iter().collect();
        let mut now = Instant::now();
        let mut timeline = Timeline::new(Phases::default(), now);
        for (step, pause) in steps {
            now += ms(pause);
            let before = timeline.clone();
            match step {
                Step::Enter(position) => drop(timeline.enter(phases[position], now)),
                Step::Fail => drop(timeline.fail("no", now)),
                Step::Restart => timeline.restart(now),
            }
            let at = |timeline: &Timeline| {
                (timeline.run(), phases.iter().position(|phase| *phase == timeline.current()))
            };
            prop_assert!(at(&timeline) >= at(&before));
            if timeline.run() == before.run() && before.failure().is_some() {
                prop_assert_eq!(&timeline, &before);
            }
            let spent: Duration = timeline.report(now).iter().filter_map(|one| one.duration).sum();
            prop_assert_eq!(spent, timeline.elapsed(now));
            let ready = timeline.readiness().is_ready();
            prop_assert_eq!(ready, timeline.is_complete() && timeline.failure().is_none());
        }
    }
}
