//! The race itself, on any machine: many clients over the moment at which the service becomes ready.
//!
//! Breaks the clients with each way in which services are not ready yet: accepted and closed with 1011, refused,
//! answered with 503. First they dial the service, and some are lost; then the door, and none is.
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

use stage::race::{CLIENTS, Racer, all_are_served, count};
use stage::service::Setup;
use stage::watched;
use vestibule_race::report::Run;
use vestibule_race::{Address, Seen, Target};

/// Without the door clients see `failure`, and every one behind it is served.
async fn is_reproduced_and_gone(change: impl Fn(Setup) -> Setup, failure: Seen) {
    let racer = Racer::new().await;
    let is_there = |outcome: &_| count(outcome, failure) > 0;
    let (without, cold_start) = racer.alone(&change, None, is_there).await;
    let tally = Run::judged(&without).tally;
    // Whoever comes before the process has opened its port is refused in any case.
    let others = if failure == Seen::Refused { 0 } else { count(&without, Seen::Refused) };
    assert_eq!(tally.ok + tally.of(failure) + others, CLIENTS, "{:?}", tally.seen);
    assert!(tally.ok > 0, "the service never got ready: {:?}", tally.seen);
    // The door listens before the first client comes, as an instance does before it is routed to.
    let door = change(racer.setup(cold_start)).behind_the_door().await;
    let (host, port) = door.address.split_once(':').unwrap();
    let address = Address { host: host.to_owned(), port: port.parse().unwrap() };
    all_are_served(&racer.race(Target::Address(address), cold_start, None).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_accepted_too_early_are_closed_with_1011_and_served_behind_the_door() {
    let play = is_reproduced_and_gone(|setup| setup, Seen::Closed(1011));
    watched("accepted, then 1011", play).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_before_the_port_is_open_are_refused_and_served_behind_the_door() {
    let play = is_reproduced_and_gone(|setup| setup.with("BIND_LATE", "1"), Seen::Refused);
    watched("refused", play).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_of_a_service_that_says_503_are_turned_away_and_served_behind_the_door() {
    let play = is_reproduced_and_gone(|setup| setup.with("EARLY", "503"), Seen::Status(503));
    watched("503", play).await;
}
