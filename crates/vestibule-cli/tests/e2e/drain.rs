//! SIGTERM with many tunnels open.
//!
//! Breaks the order of leaving on services that cut every socket at their own SIGTERM: each client must have its
//! Close before, and not all of them at once.

use std::path::Path;

use rustix::process::Signal;
use tokio::task::JoinSet;

use crate::client::Client;
use crate::stage::{Stage, backend, monotonic_ns};

const TUNNELS: usize = 200;
/// Closes in one tenth of a second, where an even pace has 10 and a busy machine some more.
const AT_ONCE_MAX: usize = 40;

async fn every_client_has_its_close_before_the_child_its_sigterm(service: &str) {
    let stage = Stage::new();
    // A process beside the service, in its group, notes when the signal comes.
    let mut witness = stage.app(&["wait", "term=ignore"]);
    witness.extend(["&", "exec"].map(Into::into));
    witness.extend(backend(service));
    let flags = ["--ready-path", "/health", "--hold", "25s"];
    let mut door = stage.run(&flags, &crate::stage::shell(&witness.join(" "))).await;
    stage.notes("started").await;
    let mut tunnels = Vec::new();
    for _ in 0..TUNNELS {
        let mut client = door.client().await;
        assert_eq!(client.answer().await.status, 101);
        tunnels.push(client);
    }
    let mut closing = JoinSet::new();
    for client in tunnels {
        closing.spawn(closed_at(client));
    }
    let begun = monotonic_ns();
    door.signal(Signal::TERM).await;
    let mut tenths = vec![0; 100];
    let mut last = 0;
    while let Some(closed) = closing.join_next().await {
        let (code, at) = closed.unwrap();
        assert_eq!(code, 1012);
        tenths[usize::try_from((at - begun) / 100_000_000).unwrap()] += 1;
        last = last.max(at);
    }
    door.exit().await;
    let signalled = stage.noted().into_iter().find(|(word, _)| word == "SIGTERM").unwrap().1;
    assert!(
        last < signalled,
        "the last Close came {} ms after the signal",
        (last - signalled) / 1_000_000
    );
    assert!(tenths.iter().all(|count| *count <= AT_ONCE_MAX), "{tenths:?}");
    assert!(!Path::new(&stage.path("wait")).exists());
    stage.nothing_is_left(service).await;
}

/// The code of the Close, and when it came.
async fn closed_at(mut client: Client) -> (u16, i128) {
    let (opcode, payload) = client.frame().await.unwrap();
    let at = monotonic_ns();
    assert_eq!(opcode, 8, "no Close: {payload:?}");
    (u16::from_be_bytes([payload[0], payload[1]]), at)
}

#[tokio::test]
async fn uvicorn_under_sigterm() {
    every_client_has_its_close_before_the_child_its_sigterm("fastapi").await;
}

#[tokio::test]
async fn node_under_sigterm() {
    every_client_has_its_close_before_the_child_its_sigterm("node").await;
}

/// For a service that closes its own sockets well: it is told before any tunnel is closed.
#[tokio::test]
async fn the_child_goes_first_where_it_is_told_to() {
    let stage = Stage::new();
    let app = stage.app(&["term=5"]);
    let mut door = stage.run(&["--child-term", "first"], &app).await;
    let mut client = door.client().await;
    client.is_served().await;
    door.signal(Signal::TERM).await;
    // Its end is an end of the upstream to us, and a Close to the client.
    assert_eq!(client.close().await, 1012);
    assert_eq!(door.exit().await, 5);
}

#[tokio::test]
async fn the_code_of_a_drain_can_be_chosen() {
    let stage = Stage::new();
    let mut door = stage.run(&["--drain-code", "4001"], &stage.app(&["term=5"])).await;
    let mut client = door.client().await;
    client.is_served().await;
    door.signal(Signal::TERM).await;
    assert_eq!(client.close().await, 4001);
    assert_eq!(door.exit().await, 5);
}

/// While newcomers are still admitted, readiness is already gone.
#[tokio::test]
async fn a_lame_duck_admits_newcomers_and_is_not_ready() {
    let stage = Stage::new();
    let flags = ["--lame-duck", "20s", "--public-health", "/up"];
    let mut door = stage.run(&flags, &stage.app(&["term=5"])).await;
    door.client().await.is_served().await;
    door.signal(Signal::TERM).await;
    door.logs("draining").await;
    let mut probe = Client::connect(&door.listening().await).await.unwrap();
    probe.send("GET /up HTTP/1.1\r\nHost: door\r\n\r\n").await;
    assert_eq!(probe.answer().await.status, 503);
    door.client().await.is_served().await;
    door.signal(Signal::TERM).await;
    assert_eq!(door.exit().await, 5);
}
