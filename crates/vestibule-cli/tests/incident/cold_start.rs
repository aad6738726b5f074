//! The incident's service with a short cold start, and races over it.
//!
//! Owns the demo's own backend: it takes WebSockets half a second before it is ready, and closes them with 1011.

use std::time::Duration;

use tokio::sync::Mutex;
use vestibule_race::report::Run;
use vestibule_race::{CloudRun, Door, Launch, Outcome, Scenario, Seen, Target};

const VESTIBULE: &str = env!("CARGO_BIN_EXE_vestibule");
/// From the start of the process to readiness. On a machine that is busy with something else, the start of a process
/// alone may take as long: whoever finds that nothing was to be seen takes the next.
pub(crate) const COLD_STARTS: [Duration; 3] =
    [Duration::from_millis(600), Duration::from_millis(1200), Duration::from_millis(2400)];

/// One race at a time: those of one machine are to measure the service and not each other.
static ALONE: Mutex<()> = Mutex::const_new(());

/// The service: its port opens after 0.1 s.
pub(crate) fn service(cold_start: Duration) -> Launch {
    let line = [VESTIBULE, "demo-backend", "--port={port}", "--bind-after=100ms"];
    let ready = format!("--ready-after={}ms", cold_start.as_millis());
    Launch { argv: line.map(str::to_owned).into_iter().chain([ready]).collect(), env: Vec::new() }
}

/// The service alone.
pub(crate) fn bare(cold_start: Duration) -> Target {
    Target::Bare(service(cold_start))
}

/// The service behind the door, with these flags.
pub(crate) fn behind_the_door(cold_start: Duration, flags: &[&str]) -> Target {
    let front = [VESTIBULE, "run", "--ready-path", "/health"].iter().chain(flags);
    let front = front.map(|word| (*word).to_owned()).collect();
    Target::Door(Door { front, command: service(cold_start) })
}

/// Sixty clients over twice the cold start, on Cloud Run with this probe.
pub(crate) async fn on_cloud_run(target: Target, cold_start: Duration, probe: &str) -> Outcome {
    let _alone = ALONE.lock().await;
    let scenario = Scenario {
        platform: Some(CloudRun::new(probe.parse().unwrap())),
        clients: 60,
        head_start: Duration::ZERO,
        spread: cold_start * 2,
        settle: Duration::from_millis(150),
        timeout: Duration::from_secs(20),
        ..Scenario::new(target)
    };
    let outcome = vestibule_race::run(&scenario, |_| {}).await;
    outcome.unwrap_or_else(|error| panic!("{error}: {:#?}", error.last_lines()))
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
