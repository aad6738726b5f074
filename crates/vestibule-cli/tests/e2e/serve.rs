//! `vestibule serve`: before a service that it does not own.
//!
//! Breaks it with upstreams that come late, go, come again, or never come, over TCP and Unix sockets.

use std::process::Stdio;

use rustix::process::Signal;
use tokio::process::{Child, Command};

use crate::client::Client;
use crate::door::Door;
use crate::stage::{BOUND, Stage, words};

/// A service on an address of its own.
fn upstream(stage: &Stage, place: &str, args: &[&str]) -> Child {
    let line = stage.app(&[&[place], args].concat());
    let (mark, value) = stage.mark();
    let mut command = Command::new(&line[0]);
    command.args(&line[1..]).env(mark, value).stdin(Stdio::null()).kill_on_drop(true);
    command.spawn().unwrap()
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[tokio::test]
async fn tcp_and_unix_sockets_on_either_side() {
    for (door_is_unix, upstream_is_unix) in
        [(false, false), (false, true), (true, false), (true, true)]
    {
        let stage = Stage::new();
        let port = free_port();
        let (place, address) = match upstream_is_unix {
            true => (format!("unix={}", stage.path("up")), format!("unix:{}", stage.path("up"))),
            false => (format!("port={port}"), format!("127.0.0.1:{port}")),
        };
        let listen = if door_is_unix {
            format!("unix:{}", stage.path("door"))
        } else {
            "127.0.0.1:0".into()
        };
        let flags = ["serve", "--listen", &listen, "--upstream", &address, "--hold", "25s"];
        let mut door = Door::start(&stage, &[], &words(&flags));
        // Held first: the upstream comes later.
        let mut early = door.client().await;
        assert!(early.is_held().await);
        let _service = upstream(&stage, &place, &[]);
        early.is_served().await;
        let mut later = door.client().await;
        later.is_served().await;
        door.signal(Signal::TERM).await;
        for client in [early, later] {
            assert_eq!(client.close().await, 1012);
        }
        assert_eq!(door.exit().await, 0);
        assert!(!std::path::Path::new(&stage.path("door")).exists(), "its socket file is left");
    }
}

/// Breaks if those held may take every descriptor: no probe and no hand-over is possible then, and all
/// are held to their deadlines before a service that is ready.
#[tokio::test]
async fn f15_a_door_short_of_descriptors_loses_nobody() {
    let stage = Stage::new();
    let port = free_port();
    let few = ["sh", "-c", "ulimit -n 64 && exec \"$@\"", "sh"];
    let flags = ["serve", "--listen", "127.0.0.1:0", "--upstream", &port.to_string()];
    let door = Door::start(&stage, &few, &words(&[&flags[..], &["--hold", "25s"]].concat()));
    let mut clients = door.clients(80).await;
    assert!(clients[0].is_held().await);
    door.logs("newcomers wait in the kernel").await;
    let _service = upstream(&stage, &format!("port={port}"), &[]);
    // Each leaves when it was served, and one of those in the kernel takes its place.
    for mut client in clients {
        client.is_served().await;
    }
}

#[tokio::test]
async fn f37_an_upstream_that_stops_and_comes_again_loses_nobody() {
    let stage = Stage::new();
    let (port, place) = {
        let port = free_port();
        (port.to_string(), format!("port={port}"))
    };
    let mut door = stage.serve(&["--upstream", &port, "--hold", "25s"]).await;
    let mut service = upstream(&stage, &place, &[]);
    let mut tunnel = door.client().await;
    tunnel.is_served().await;
    service.kill().await.unwrap();
    assert_eq!(tunnel.close().await, 1012);
    let mut newcomers = door.clients(5).await;
    door.logs("not ready any more: holding").await;
    for client in &mut newcomers {
        assert!(client.is_held().await);
    }
    let _service = upstream(&stage, &place, &[]);
    for client in &mut newcomers {
        client.is_served().await;
    }
    door.signal(Signal::TERM).await;
    assert_eq!(door.exit().await, 0);
}

#[tokio::test]
async fn an_upstream_that_comes_too_late_is_refused_and_then_recovers() {
    let stage = Stage::new();
    let (port, place) = {
        let port = free_port();
        (port.to_string(), format!("port={port}"))
    };
    let mut door =
        stage.serve(&["--upstream", &port, "--startup-timeout", "1s", "--hold", "25s"]).await;
    let mut held = door.client().await;
    let answer = held.answer().await;
    answer.is_refusal("failed");
    assert!(answer.body.contains("not ready within 1 s"), "{}", answer.body);
    door.client().await.answer().await.is_refusal("failed");
    let _service = upstream(&stage, &place, &[]);
    door.logs("ready after_ms").await;
    door.client().await.is_served().await;
    door.signal(Signal::TERM).await;
    assert_eq!(door.exit().await, 0);
}

#[tokio::test]
async fn asked_to_leave_before_there_is_an_upstream_it_refuses_those_held() {
    let stage = Stage::new();
    let port = free_port().to_string();
    let mut door = stage.serve(&["--upstream", &port, "--hold", "25s"]).await;
    let mut held = door.clients(3).await;
    for client in &mut held {
        assert!(client.is_held().await);
    }
    let begun = tokio::time::Instant::now();
    door.signal(Signal::TERM).await;
    for client in &mut held {
        client.answer().await.is_refusal("draining");
    }
    drop(held);
    assert_eq!(door.exit().await, 0);
    assert!(begun.elapsed() < BOUND / 4);
    assert!(Client::connect(&door.listening().await).await.is_err());
}
