//! Thousands of connections that take and give nothing, against the real binary.
//!
//! Breaks the door if silent, slow, ghostly or greedy clients may take what honest ones need: places in the
//! queue, descriptors, memory. How much it cost stands in the output (`--nocapture`).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    dead_code,
    reason = "tests say what they expect by unwrapping; not every test needs all of the stage"
)]

#[path = "exhaustion/attackers.rs"]
mod attackers;
#[path = "e2e/client.rs"]
mod client;
#[path = "e2e/door.rs"]
mod door;
#[path = "exhaustion/ledger.rs"]
mod ledger;
#[path = "e2e/stage.rs"]
mod stage;

use std::net::Ipv4Addr;

use rustix::process::Signal;

use crate::attackers::{Greedy, Silent, from, ghosts};
use crate::client::Client;
use crate::ledger::{Ledger, Scale};
use crate::stage::Stage;

/// Places in the queue.
const HELD_MAX: usize = 400;
/// Places that one client may have.
const SHARE: usize = 40;
/// Honest clients, ten from each of ten addresses.
const HONEST: usize = 100;

const SILENT_FROM: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const GHOSTS_FROM: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);
const GREEDY_FROM: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 4);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a17_a19_a20_thousands_that_give_nothing_leave_room_for_honest_clients() {
    let scale = Scale::for_this_machine();
    let stage = Stage::new();
    let app = stage.app(&["ready"]);
    let (held_max, share) = (HELD_MAX.to_string(), SHARE.to_string());
    let flags = [
        &["--ready-path", "/health", "--hold", "60s", "--head-timeout", "8s"][..],
        &["--admin", "127.0.0.1:0"],
        &["--max-held", &held_max, "--max-held-per-client", &share],
    ];
    let few = format!("ulimit -n {} && exec \"$@\"", scale.door);
    let door = stage.start(&["sh", "-c", &few, "sh"], &flags.concat(), &app);
    let address: std::net::SocketAddr = door.listening().await.parse().unwrap();
    // What is allocated once, is allocated now.
    warm(address).await;
    let before = Ledger::of(&door).await;

    let mut silent = Silent::come(SILENT_FROM, address, scale.silent).await;
    ghosts(GHOSTS_FROM, address, scale.ghosts).await;
    let greedy = Greedy::come(GREEDY_FROM, address, 10 * HELD_MAX).await;
    assert_eq!(greedy.refused("client_share"), 10 * HELD_MAX - SHARE);
    let mut honest = honest(address).await;
    silent.dribble().await;
    let during = Ledger::of(&door).await;
    ledger::print(&scale, &before, &during);
    for client in &mut honest {
        assert!(client.is_held().await, "an honest client was answered before readiness");
    }

    stage.touch("ready");
    for client in &mut honest {
        client.is_served().await;
    }
    greedy.all_held_are_served().await;

    // Their heads' deadline ends them; nobody has to give up first.
    silent.are_all_ended().await;
    drop(honest);
    ledger::is_back(&door, &before, &during).await;
    door.signal(Signal::TERM).await;
}

async fn honest(address: std::net::SocketAddr) -> Vec<Client> {
    let mut clients = Vec::new();
    for index in 0..HONEST {
        let own = Ipv4Addr::new(127, 0, 0, 50 + u8::try_from(index % 10).unwrap());
        let mut client = Client::over(from(own, address).await.unwrap());
        client.ask_for_a_websocket("").await.unwrap();
        clients.push(client);
    }
    clients
}

/// One client of each kind that is to come.
async fn warm(address: std::net::SocketAddr) {
    ghosts(GHOSTS_FROM, address, 10).await;
    let silent = Silent::come(SILENT_FROM, address, 10).await;
    drop(silent);
}
