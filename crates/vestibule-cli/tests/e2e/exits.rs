//! Exit statuses as a table of real runs, as the first process of a namespace and not.
//!
//! Breaks them with every way a command can end, or never begin.

use std::net::TcpListener;
use std::time::Duration;

use tokio::time::Instant;

use crate::door::Door;
use crate::stage::{AS_PID_1, Stage, can_be_pid_1, shell, words};

/// Flags, what is run with them, and the status it ends with.
type Row = (&'static [&'static str], Vec<String>, i32);

fn table() -> Vec<Row> {
    let soon: &[&str] = &["--startup-timeout", "300ms", "--child-grace", "300ms"];
    vec![
        (&[], shell("exit 0"), 0),
        (&[], shell("exit 3"), 3),
        (&[], shell("exit 255"), 255),
        (&[], shell("kill -KILL $$"), 137),
        (&[], shell("kill -TERM $$"), 143),
        (&[], words(&["/etc/passwd"]), 126),
        (&[], words(&["no-such-command-anywhere"]), 127),
        (&[], words(&["/etc/passwd/nowhere"]), 127),
        (soon, shell("exec sleep 1000"), 69),
        (soon, shell("trap '' TERM; while :; do sleep 1; done"), 69),
    ]
}

async fn each_run_ends_as_the_table_says(before: &[&str]) {
    for (flags, command, status) in table() {
        let stage = Stage::new();
        let mut door = stage.start(before, flags, &command);
        assert_eq!(door.exit().await, status, "{command:?}: {:#?}", door.log());
        stage.nothing_is_left(&format!("{command:?}")).await;
    }
}

#[tokio::test]
async fn f40_the_status_is_the_childs_or_a_shells() {
    each_run_ends_as_the_table_says(&[]).await;
}

#[tokio::test]
async fn f44_the_status_is_the_same_as_pid_1() {
    if can_be_pid_1().await {
        each_run_ends_as_the_table_says(AS_PID_1).await;
    }
}

/// The pauses between its ten runs grow: this takes up to 25 s, and little of the machine.
#[tokio::test]
async fn f04_a_crash_loop_ends_with_the_childs_status_and_those_held_are_told() {
    let stage = Stage::new();
    let flags = ["--restart", "on-failure", "--hold", "50s"];
    let count = format!("echo run >> {}; exit 4", stage.path("runs"));
    let mut door = stage.run(&flags, &shell(&count)).await;
    let mut client = door.client().await;
    client.answer().await.is_refusal("failed");
    drop(client);
    assert_eq!(door.exit().await, 4);
    assert_eq!(std::fs::read_to_string(stage.path("runs")).unwrap().lines().count(), 10);
}

#[tokio::test]
async fn wrong_settings_end_with_78_before_anything_starts() {
    let stage = Stage::new();
    let touch = format!("touch {}", stage.path("started"));
    let rows: &[&[&str]] = &[
        &["--nonsense"],
        &["--hold", "0"],
        &["--hold", "5"],
        &["--ready", "grpc"],
        &["--listen", "nowhere"],
        &["--drain", "1s", "--child-grace", "2s"],
        &["--drain-code", "1006"],
        &["--ready", "tcp", "--ready-path", "/health"],
    ];
    for flags in rows {
        let mut line = words(&["run"]);
        line.extend(words(flags));
        line.extend(words(&["--", "sh", "-c", &touch]));
        let mut door = Door::start(&stage, &[], &line);
        assert_eq!(door.exit().await, 78, "{flags:?}: {:#?}", door.log());
        door.logs("error: ").await;
    }
    let line = words(&["run", "--", "sh", "-c", &touch]);
    let mut command = Door::command(&stage, &[], &line);
    let mut door =
        Door::spawn(command.env("PORT", "http").stderr(std::process::Stdio::piped()), false);
    assert_eq!(door.exit().await, 78);
    let mut door =
        Door::start(&stage, &[], &words(&["serve", "--upstream", "1", "--ready", "notify"]));
    assert_eq!(door.exit().await, 78);
    assert!(!std::path::Path::new(&stage.path("started")).exists());
}

#[tokio::test]
async fn a_taken_port_is_71_with_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let stage = Stage::new();
    for line in [
        words(&["run", "--listen", &address, "--", "touch", &stage.path("started")]),
        words(&["serve", "--listen", &address, "--upstream", "127.0.0.1:9"]),
    ] {
        let mut door = Door::start(&stage, &[], &line);
        assert_eq!(door.exit().await, 71);
        assert!(door.logs("error: ").await.contains(&address));
        door.logs("hint: ").await;
        stage.nothing_is_left("a taken port").await;
    }
    assert!(!std::path::Path::new(&stage.path("started")).exists());
}

/// A short drain alone is no mistake: the child's part of it shrinks with it.
#[tokio::test]
async fn a_short_drain_is_taken_as_it_is() {
    let stage = Stage::new();
    let begun = Instant::now();
    let mut door = stage.start(&[], &["--drain", "1s"], &shell("exit 5"));
    assert_eq!(door.exit().await, 5);
    assert!(begun.elapsed() < Duration::from_secs(10));
}
