//! `--restart on-failure`.
//!
//! Breaks it with children that crash once, always, or under open tunnels.

use rustix::process::{Signal, kill_process};

use crate::stage::{Stage, eventually, pid_of, shell};

#[tokio::test]
async fn f02_clients_of_both_sides_of_a_crash_are_held_and_served() {
    let stage = Stage::new();
    let flags = ["--restart", "on-failure", "--ready-path", "/health", "--hold", "25s"];
    let mut door = stage.run(&flags, &stage.app(&["wait", "crash", "term=0"])).await;
    let mut clients = door.clients(3).await;
    stage.touch("wait");
    door.logs("starting it again").await;
    clients.extend(door.clients(3).await);
    for client in &mut clients {
        client.is_served().await;
    }
    drop(clients);
    door.signal(Signal::TERM).await;
    assert_eq!(door.exit().await, 0);
    stage.nothing_is_left("a restart").await;
}

#[tokio::test]
async fn a_success_is_not_a_failure() {
    let stage = Stage::new();
    let mut door = stage.start(&[], &["--restart", "on-failure"], &shell("exit 0"));
    assert_eq!(door.exit().await, 0);
}

/// The pause between two runs can be long: whoever asks us to leave does not wait for its end.
#[tokio::test]
async fn asked_to_leave_between_two_runs_it_does() {
    let stage = Stage::new();
    let mut door = stage.run(&["--restart", "on-failure"], &shell("exit 4")).await;
    let mut client = door.client().await;
    eventually("some restarts", || {
        door.log().iter().filter(|line| line.contains("starting it again")).count() >= 4
    })
    .await;
    door.signal(Signal::TERM).await;
    client.answer().await.is_refusal("draining");
    drop(client);
    assert!([4, 143].contains(&door.exit().await));
    stage.nothing_is_left("SIGTERM between two runs").await;
}

#[tokio::test]
async fn f37_killed_under_open_tunnels_it_comes_again_and_nobody_is_lost() {
    let stage = Stage::new();
    let flags = ["--restart", "on-failure", "--hold", "25s"];
    let mut door = stage.run(&flags, &stage.app(&["ready", "term=0"])).await;
    stage.touch("ready");
    let mut tunnels = door.clients(5).await;
    for client in &mut tunnels {
        client.is_served().await;
    }
    let child = door.child_pid().await;
    kill_process(pid_of(child), Signal::KILL).unwrap();
    for client in tunnels {
        assert_eq!(client.close().await, 1012);
    }
    let mut newcomers = door.clients(5).await;
    for client in &mut newcomers {
        client.is_served().await;
    }
    drop(newcomers);
    door.signal(Signal::TERM).await;
    assert_eq!(door.exit().await, 0);
    stage.nothing_is_left("a killed child").await;
}
