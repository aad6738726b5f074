//! The race itself, on any machine: many clients over the moment at which a service becomes ready.
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

#[path = "e2e/client.rs"]
mod client;
#[path = "e2e/door.rs"]
mod door;
#[path = "incident/premature.rs"]
mod premature;
#[path = "e2e/stage.rs"]
mod stage;
#[path = "incident/watchdog.rs"]
mod watchdog;

use std::net::SocketAddr;
use std::time::Duration;

use premature::{READY_AFTER, Unready, free_address, serve};
use stage::Stage;
use tokio::time::Instant;
use vestibule_race::report::Run;
use vestibule_race::tally::Tally;
use vestibule_race::{Address, Scenario, Seen, Target};
use watchdog::watched;

/// A hundred clients over twice the cold start, each of whom wants an answer to its first message: that is what
/// failed in the incident.
async fn clients_of(address: SocketAddr) -> Tally {
    let target = Address { host: address.ip().to_string(), port: address.port() };
    let scenario = Scenario {
        clients: 100,
        head_start: Duration::ZERO,
        spread: READY_AFTER * 2,
        require_reply: true,
        settle: Duration::from_millis(100),
        timeout: Duration::from_secs(20),
        ..Scenario::new(Target::Address(target))
    };
    let outcome = vestibule_race::run(&scenario, |_| {}).await.unwrap();
    Run::judged(&outcome).tally
}

/// The same service twice, dialled itself and through the door.
async fn played(unready: Unready) -> [Tally; 2] {
    let stage = Stage::new();
    let [alone, behind] = [free_address(), free_address()];
    let door = stage.serve(&["--upstream", &behind.to_string()]).await;
    let at_the_door: SocketAddr = door.listening().await.parse().unwrap();
    let ready = Instant::now() + READY_AFTER;
    let tallies = async { tokio::join!(clients_of(alone), clients_of(at_the_door)).into() };
    tokio::select! {
        tallies = tallies => tallies,
        () = serve(alone, unready, ready) => panic!("the service ended"),
        () = serve(behind, unready, ready) => panic!("the service ended"),
    }
}

/// Without the door clients see `failure`, and every one behind it is served.
async fn is_reproduced_and_gone(unready: Unready, failure: Seen) {
    let [without, with] = played(unready).await;
    assert!(without.of(failure) > 0, "not reproduced: {:?}", without.seen);
    assert_eq!(without.ok + without.of(failure), 100, "{:?}", without.seen);
    assert!(without.ok > 0, "the service never got ready: {:?}", without.seen);
    assert_eq!((with.ok, with.lost), (100, 0), "behind the door: {:?}", with.seen);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_accepted_too_early_are_closed_with_1011_and_served_behind_the_door() {
    let play = is_reproduced_and_gone(Unready::Closes, Seen::Closed(1011));
    watched("accepted, then 1011", play).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_before_the_port_is_open_are_refused_and_served_behind_the_door() {
    watched("refused", is_reproduced_and_gone(Unready::Refuses, Seen::Refused)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_of_a_service_that_says_503_are_turned_away_and_served_behind_the_door() {
    watched("503", is_reproduced_and_gone(Unready::Answers503, Seen::Status(503))).await;
}
