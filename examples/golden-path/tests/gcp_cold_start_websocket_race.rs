//! The incident on the platform that it happened on: clients of a cold start on Cloud Run.
//!
//! Breaks the service as Cloud Run does: the platform of `vestibule race` starts it for the first client, takes
//! an open port for a started instance, and routes. First without the door, then behind it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    dead_code,
    reason = "tests say what they expect by unwrapping; the stage is that of other plays, too"
)]

#[path = "stage/stage.rs"]
mod stage;

use std::time::Duration;

use stage::race::{CLIENTS, COLD_STARTS, Racer, all_are_served, count};
use stage::watched;
use vestibule_race::report::{Note, Run};
use vestibule_race::{Outcome, Seen};

const INCIDENT: Seen = Seen::Closed(1011);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn race_condition_reproduction_during_cold_start() {
    watched("the race is there without the door, and gone behind it", async {
        let racer = Racer::new().await;
        let is_there = |outcome: &Outcome| count(outcome, INCIDENT) > 0;
        let (without, cold_start) = racer.alone(|setup| setup, Some("tcp"), is_there).await;
        // The incident: accepted before readiness, and closed. Nothing else, and nobody after readiness.
        let tally = Run::judged(&without).tally;
        assert_eq!(tally.lost, count(&without, INCIDENT), "{:?}", tally.seen);
        assert!((1..=tally.lost).contains(&tally.accepted_early), "{tally:?}");
        // Behind the door nobody is lost, though the platform routes even earlier.
        let door = racer.behind_the_door(racer.setup(cold_start), &[]);
        let with = racer.race(door, cold_start, Some("tcp")).await;
        all_are_served(&with);
        let routed = with.routing.as_ref().unwrap().routed_from.unwrap();
        assert!(
            routed < with.ready.unwrap().at,
            "the door took clients before its service was ready"
        );
    })
    .await;
}

// The strongest rival: the platform itself waits for the app's word. It loses nobody, and asks once a second.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_http_startup_probe_loses_nobody_and_waits_for_its_period() {
    watched("the platform's own best is met fairly", async {
        let racer = Racer::new().await;
        let has_waited = |outcome: &Outcome| outcome.routing.as_ref().unwrap().probe_failures > 0;
        let (probed, cold_start) =
            racer.alone(|setup| setup, Some("http:/health"), has_waited).await;
        let both = racer.behind_the_door(racer.setup(cold_start), &["--public-health", "/up"]);
        let both = racer.race(both, cold_start, Some("http:/up")).await;
        for outcome in [&probed, &both] {
            all_are_served(outcome);
        }
        // What a period costs: whoever came before the attempt that succeeds waits for it.
        let routing = probed.routing.as_ref().unwrap();
        let routed = routing.routed_from.unwrap();
        assert!(routed - routing.started.unwrap() >= Duration::from_secs(1), "{routing:?}");
        let answered = probed.clients.iter().filter_map(|client| client.at_101);
        assert!(answered.min().unwrap() >= routed, "answered before the platform routed");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_instance_is_told_where_it_runs() {
    watched("the platform's variables are set", async {
        let racer = Racer::new().await;
        let scratch = tempfile::tempdir().unwrap();
        let file = scratch.path().join("env").to_str().unwrap().to_owned();
        let cold_start = COLD_STARTS[0];
        let mut launch = racer.setup(cold_start).launch();
        let script = "env > \"$0\"; exec \"$@\"";
        launch.argv.splice(..0, ["sh", "-c", script, &file].map(str::to_owned));
        let outcome =
            racer.race(vestibule_race::Target::Bare(launch), cold_start, Some("tcp")).await;
        let said = std::fs::read_to_string(&file).unwrap();
        for (name, value) in vestibule_race::platform::VARIABLES {
            assert!(said.contains(&format!("{name}={value}\n")), "{said}");
        }
        assert!(said.lines().any(|line| line.starts_with("PORT=")), "{said}");
        assert!(outcome.routing.unwrap().started.is_some());
    })
    .await;
}

// A start that never succeeds: the platform ends the instance, and everybody is told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_probe_that_fails_for_good_ends_the_instance_and_all_are_told() {
    watched("a failed start is not waited for", async {
        let racer = Racer::new().await;
        // Longer than any machine takes to start it: the first attempt is to fail.
        let cold_start = COLD_STARTS[1];
        let target = racer.bare(racer.setup(cold_start));
        let outcome = racer.race(target, cold_start, Some("http:/health,failures=1")).await;
        assert_eq!(count(&outcome, Seen::Status(503)), CLIENTS);
        let notes = Note::of(&Run::judged(&outcome));
        assert!(notes.contains(&Note::ProbeGaveUp { failures: 1 }), "{notes:?}");
    })
    .await;
}
