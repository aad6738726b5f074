//! The incident on the platform that it happened on: clients of a cold start on Cloud Run.
//!
//! Breaks the service as Cloud Run does: the platform of `vestibule race` starts it for the first client, takes
//! an open port for a started instance, and routes. First without the door, then behind it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    dead_code,
    reason = "tests say what they expect by unwrapping; the stage is that of other plays, too"
)]

#[path = "incident/cold_start.rs"]
mod cold_start;
#[path = "incident/watchdog.rs"]
mod watchdog;

use std::time::Duration;

use cold_start::{COLD_START, all_are_served, bare, behind_the_door, count, on_cloud_run, service};
use vestibule_race::report::{Note, Run};
use vestibule_race::{Launch, Seen, Target};
use watchdog::watched;

const INCIDENT: Seen = Seen::Closed(1011);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn race_condition_reproduction_during_cold_start() {
    watched("the race is there without the door, and gone behind it", async {
        let (without, with) =
            tokio::join!(on_cloud_run(bare(), "tcp"), on_cloud_run(behind_the_door(&[]), "tcp"));
        // The incident: accepted long before readiness, and closed.
        let closed = count(&without, INCIDENT);
        assert!(closed > 0, "{:?}", Run::judged(&without).tally.seen);
        assert_eq!(Run::judged(&without).tally.accepted_early, closed);
        assert_eq!(count(&without, Seen::Refused), 0, "the platform queues until the port is open");
        let ready = without.ready.unwrap().at;
        let after = without.clients.iter().filter(|client| client.arrived > ready);
        assert!(
            after.clone().count() > 0 && after.into_iter().all(|client| client.seen == Seen::Ok)
        );
        // Behind the door nobody is lost, though the platform routes even earlier.
        all_are_served(&with);
        let routing = with.routing.as_ref().unwrap();
        assert!(routing.routed_from.unwrap() < with.ready.unwrap().at);
    })
    .await;
}

// The strongest rival: the platform itself waits for the app's word. It loses nobody, and asks once a second.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_http_startup_probe_loses_nobody_and_waits_for_its_period() {
    watched("the platform's own best is met fairly", async {
        let health = ["--public-health", "/up"];
        let (probed, door, both) = tokio::join!(
            on_cloud_run(bare(), "http:/health"),
            on_cloud_run(behind_the_door(&[]), "tcp"),
            on_cloud_run(behind_the_door(&health), "http:/up"),
        );
        for outcome in [&probed, &door, &both] {
            all_are_served(outcome);
        }
        for outcome in [&probed, &both] {
            let routing = outcome.routing.as_ref().unwrap();
            let waited = routing.routed_from.unwrap() - routing.started.unwrap();
            assert!(waited >= Duration::from_secs(1) && waited > COLD_START, "{waited:?}");
            assert!(routing.probe_failures >= 1);
        }
        // What a period costs: those who came first wait for the next attempt.
        let lag = |outcome| Run::judged(outcome).tally.lag_early.unwrap().p50_us;
        assert!(lag(&door) < lag(&probed), "{} µs, {} µs", lag(&door), lag(&probed));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_instance_is_told_where_it_runs() {
    watched("the platform's variables are set", async {
        let scratch = tempfile::tempdir().unwrap();
        let file = scratch.path().join("env").to_str().unwrap().to_owned();
        let Launch { argv, env } = service();
        let script = "env > \"$0\"; exec \"$@\"";
        let line = ["sh", "-c", script, &file].map(str::to_owned).into_iter().chain(argv);
        let outcome = on_cloud_run(Target::Bare(Launch { argv: line.collect(), env }), "tcp").await;
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
        let outcome = on_cloud_run(bare(), "http:/health,failures=1").await;
        assert_eq!(count(&outcome, Seen::Status(503)), 60);
        let notes = Note::of(&Run::judged(&outcome));
        assert!(notes.contains(&Note::ProbeGaveUp { failures: 1 }), "{notes:?}");
    })
    .await;
}
