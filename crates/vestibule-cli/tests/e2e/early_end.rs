//! Services that never get as far as readiness.
//!
//! Breaks the promise that a held client is answered as soon as it is certain that nobody will serve it.

use std::time::Duration;

use rustix::process::Signal;
use tokio::time::Instant;

use crate::client::Client;
use crate::stage::{Stage, words};

/// Far less than the hold, and far more than an answer takes.
const AT_ONCE: Duration = Duration::from_secs(4);

#[tokio::test]
async fn f04_a_child_that_ends_before_readiness_refuses_those_held_at_once() {
    let stage = Stage::new();
    let mut door = stage.run(&["--hold", "25s"], &stage.app(&["wait", "end", "code=3"])).await;
    let mut clients = door.clients(5).await;
    for client in &mut clients {
        assert!(client.is_held().await);
    }
    let begun = Instant::now();
    stage.touch("end");
    stage.touch("wait");
    for client in &mut clients {
        let answer = client.answer().await;
        answer.is_refusal("failed");
        assert!(answer.body.contains("exited with status 3"), "{}", answer.body);
    }
    drop(clients);
    assert_eq!(door.exit().await, 3);
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_child_that_never_gets_ready_is_stopped_and_those_held_are_told() {
    let stage = Stage::new();
    let flags = ["--ready-path", "/health", "--startup-timeout", "2s", "--hold", "25s"];
    let mut door = stage.run(&flags, &stage.app(&["ready", "term=0"])).await;
    let mut clients = door.clients(5).await;
    for client in &mut clients {
        let answer = client.answer().await;
        answer.is_refusal("failed");
        assert!(answer.body.contains("not ready within 2 s"), "{}", answer.body);
    }
    drop(clients);
    assert_eq!(door.exit().await, 69);
    stage.notes("SIGTERM").await;
    stage.nothing_is_left("never ready").await;
}

#[tokio::test]
async fn f01_those_held_are_refused_at_their_deadline_and_not_later() {
    let stage = Stage::new();
    let door = stage.run(&["--hold", "700ms"], &stage.app(&["wait"])).await;
    let begun = Instant::now();
    let mut client = door.client().await;
    client.answer().await.is_refusal("deadline");
    let waited = begun.elapsed();
    assert!(waited > Duration::from_millis(650) && waited < AT_ONCE, "{waited:?}");
}

#[tokio::test]
async fn a_child_that_listens_elsewhere_is_named_with_the_fix() {
    let stage = Stage::new();
    let elsewhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let port = format!("port={}", elsewhere.port());
    let door = stage.run(&[], &stage.app(&[&port])).await;
    let bound = stage.notes("bound@").await;
    let line = door.logs("listens elsewhere").await;
    assert!(line.contains(&elsewhere.to_string()), "{line}");
    assert!(
        line.contains("$PORT") && line.contains("{port}") && line.contains("--child-port"),
        "{line}"
    );
    // Both are the wall clock's: ours in the line, the service's in its note.
    let bound: f64 = bound.split('@').nth(1).unwrap().parse().unwrap();
    let said: jiff::Timestamp = line.split(' ').next().unwrap().parse().unwrap();
    let after = said.as_millisecond() as f64 / 1000.0 - bound;
    assert!((-0.1..1.0).contains(&after), "said {after} s after it was bound");
}

#[tokio::test]
async fn the_fix_works() {
    let stage = Stage::new();
    let elsewhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let port = elsewhere.port().to_string();
    let door = stage.run(&["--child-port", &port], &stage.app(&[&format!("port={port}")])).await;
    door.client().await.is_served().await;
    let door = stage.run(&[], &stage.app(&["port={port}"])).await;
    door.client().await.is_served().await;
}

#[tokio::test]
async fn a_command_that_cannot_be_started_refuses_and_says_why() {
    let stage = Stage::new();
    let mut door = stage.start(&[], &[], &words(&["no-such-command-anywhere"]));
    door.logs("no-such-command-anywhere was not found").await;
    // Whoever came in time was answered; afterwards nobody listens.
    assert_eq!(door.exit().await, 127);
    assert!(Client::connect(&door.listening().await).await.is_err());
}

/// Readiness comes first: 101 for nobody until the path says yes, however long the port is bound.
#[tokio::test]
async fn nobody_is_admitted_before_readiness_and_probes_are_never_held() {
    let stage = Stage::new();
    let flags = ["--ready-path", "/health", "--public-health", "/up", "--hold", "25s"];
    let mut door = stage.run(&flags, &stage.app(&["ready", "term=0"])).await;
    stage.notes("bound").await;
    let address = door.listening().await;
    let mut held = door.clients(3).await;
    for path in ["/up", "/health"] {
        let mut probe = Client::connect(&address).await.unwrap();
        probe.send(&format!("GET {path} HTTP/1.1\r\nHost: door\r\n\r\n")).await;
        assert_eq!(probe.answer().await.status, 503, "{path}");
    }
    for client in &mut held {
        assert!(client.is_held().await);
    }
    assert!(stage.noted().iter().all(|(word, _)| word != "opened"));
    stage.touch("ready");
    for client in &mut held {
        client.is_served().await;
    }
    for path in ["/up", "/health"] {
        let mut probe = Client::connect(&address).await.unwrap();
        probe.send(&format!("GET {path} HTTP/1.1\r\nHost: door\r\n\r\n")).await;
        assert_eq!(probe.answer().await.status, 200, "{path}");
    }
    door.signal(Signal::TERM).await;
    for client in held {
        assert_eq!(client.close().await, 1012);
    }
    assert_eq!(door.exit().await, 0);
}
