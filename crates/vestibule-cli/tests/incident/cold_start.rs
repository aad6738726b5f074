//! The incident's service with a short cold start, and races over it.
//!
//! Owns the demo's own backend: it takes WebSockets half a second before it is ready, and closes them with 1011.

use std::time::Duration;

use vestibule_race::report::Run;
use vestibule_race::{CloudRun, Door, Launch, Outcome, Probe, Scenario, Seen, Target};

const VESTIBULE: &str = env!("CARGO_BIN_EXE_vestibule");
/// From the start of the process to readiness.
pub(crate) const COLD_START: Duration = Duration::from_millis(600);

/// The service: its port opens after 0.1 s, and it is ready 0.5 s later.
pub(crate) fn service() -> Launch {
    let line = [VESTIBULE, "demo-backend", "--port={port}", "--bind-after=100ms"];
    let ready = format!("--ready-after={}ms", COLD_START.as_millis());
    Launch { argv: line.map(str::to_owned).into_iter().chain([ready]).collect(), env: Vec::new() }
}

/// The service alone.
pub(crate) fn bare() -> Target {
    Target::Bare(service())
}

/// The service behind the door, with these flags.
pub(crate) fn behind_the_door(flags: &[&str]) -> Target {
    let front = [VESTIBULE, "run", "--ready-path", "/health"].iter().chain(flags);
    Target::Door(Door { front: front.map(|word| (*word).to_owned()).collect(), command: service() })
}

/// Sixty clients over the cold start and a little longer, on Cloud Run with this probe.
pub(crate) async fn on_cloud_run(target: Target, probe: &str) -> Outcome {
    let probe: Probe = probe.parse().unwrap();
    let scenario = Scenario {
        platform: Some(CloudRun::new(probe)),
        clients: 60,
        head_start: Duration::ZERO,
        spread: Duration::from_millis(1200),
        settle: Duration::from_millis(150),
        timeout: Duration::from_secs(20),
        ..Scenario::new(target)
    };
    vestibule_race::run(&scenario, |_| {}).await.unwrap()
}

/// How many clients saw this.
pub(crate) fn count(outcome: &Outcome, seen: Seen) -> usize {
    Run::judged(outcome).tally.of(seen)
}

/// Fails unless every client was served, and none before readiness.
pub(crate) fn all_are_served(outcome: &Outcome) {
    let tally = Run::judged(outcome).tally;
    assert_eq!((tally.lost, tally.accepted_early), (0, 0), "{:?}", tally.seen);
    assert_eq!(tally.ok, 60);
}
