//! Ends of stdin, stdout and stderr that lead nowhere.
//!
//! Breaks it with closed ones, full ones, readers that leave and readers that never read.

use std::fs::{self, OpenOptions};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::Signal;
use tokio::io::AsyncReadExt;
use tokio::time::timeout;

use crate::door::Door;
use crate::machine::{self, BACKEND};
use crate::stage::{BOUND, Stage, eventually, words};

fn race<'a>(flags: &[&'a str]) -> Vec<&'a str> {
    let small = ["race", "--clients", "5", "--spread", "100ms"];
    [&small[..], flags, &["--"], &BACKEND[..]].concat()
}

/// Each command that prints, as short as it can be.
fn printing() -> Vec<Vec<&'static str>> {
    vec![
        vec!["--help"],
        vec!["--version"],
        vec!["run", "--help"],
        race(&[]),
        race(&["--json"]),
        vec!["demo"],
        vec!["check-config", "--schema"],
        vec!["check-config", "run", "--", "true"],
        vec!["doctor"],
        vec!["doctor", "--json"],
        vec!["man"],
        vec!["completions", "bash"],
        vec!["--version", "--verbose"],
    ]
}

#[tokio::test]
async fn f22_a_full_stdout_is_said_and_ends_with_71() {
    for line in printing() {
        let stage = Stage::new();
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = machine::command(&stage, &words(&["env"]), &line, &[]);
        let mut door = Door::spawn(command.stdout(full).stderr(Stdio::piped()), false);
        assert_eq!(door.exit().await, 71, "{line:?}: {:?}", door.log());
        let said = door.logs("error: ").await;
        assert!(said.contains("stdout") && said.contains("No space left"), "{line:?}: {said}");
        door.logs("hint: ").await;
        stage.nothing_is_left(&format!("{line:?}")).await;
    }
}

/// A reader that has seen enough is no failure: no word, no trace, and the status that it would have been.
#[tokio::test]
async fn f21_a_reader_that_leaves_is_no_failure() {
    for line in printing() {
        let stage = Stage::new();
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = machine::command(&stage, &words(&["env"]), &line, &[]);
        let mut door = Door::spawn(command.stdout(writer).stderr(Stdio::piped()), false);
        assert_eq!(door.exit().await, 0, "{line:?}: {:?}", door.log());
        let log = door.log();
        assert!(!log.iter().any(|said| said.contains("rror") || said.contains("panic")), "{log:?}");
        stage.nothing_is_left(&format!("{line:?}")).await;
    }
}

#[tokio::test]
async fn f21_the_first_line_can_be_had_alone() {
    let stage = Stage::new();
    let mut command = machine::command(&stage, &words(&["env"]), &["demo"], &[]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = [0; 14];
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"vestibule demo");
    drop(stdout);
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).await.unwrap();
    let status = timeout(BOUND, child.wait()).await.unwrap().unwrap();
    assert!(status.success() && !said.contains("panic") && !said.contains("error"), "{said}");
}

/// More than a pipe holds, for a reader that never reads: SIGTERM still ends it.
#[tokio::test]
async fn f22_a_race_whose_reader_never_reads_can_be_stopped() {
    let stage = Stage::new();
    let (reader, writer) = std::io::pipe().unwrap();
    let line = ["race", "--json", "--clients", "1500", "--spread", "50ms", "--"];
    let mut command =
        machine::command(&stage, &words(&["env"]), &[&line[..], &BACKEND[..]].concat(), &[]);
    let mut door = Door::spawn(command.stdout(writer).stderr(Stdio::piped()), false);
    drop(command);
    // When it has ended its target it writes, and waits.
    let pid = door.pid().await;
    eventually("the pipe is full", || is_stuck_in_write(pid)).await;
    door.signal(Signal::TERM).await;
    assert_eq!(door.exit().await, 143);
    assert!(door.logs("error: ").await.contains("stopped"));
    drop(reader);
    stage.nothing_is_left("a race that nobody read").await;
}

/// Whether one of its threads waits for room in a pipe.
fn is_stuck_in_write(pid: u32) -> bool {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return false };
    threads.flatten().any(|thread| {
        let waits = fs::read_to_string(thread.path().join("wchan")).unwrap_or_default();
        waits.contains("pipe_write")
    })
}

/// What was closed when it started is nobody's afterwards: a socket with the number of stdout would
/// get what a child prints.
#[tokio::test]
async fn f21_closed_ends_are_never_taken_by_sockets() {
    let stage = Stage::new();
    let address = format!("unix:{}", stage.path("door"));
    let shell = words(&["sh", "-c", "exec \"$@\" <&- >&- 2>&-", "sh"]);
    let line = ["run", "--listen", &address, "--"];
    let mut command = machine::command(&stage, &shell, &line, &stage.app(&["term=6"]));
    let mut door = Door::spawn(command.stdout(Stdio::null()).stderr(Stdio::null()), false);
    eventually("it listens", || std::path::Path::new(&stage.path("door")).exists()).await;
    let mut client = crate::client::Client::handshake(&address).await;
    client.is_served().await;
    for number in 0..3 {
        let end = fs::read_link(format!("/proc/{}/fd/{number}", door.pid().await)).unwrap();
        assert_eq!(end.to_str(), Some("/dev/null"), "{number}");
    }
    door.signal(Signal::TERM).await;
    assert_eq!(client.close().await, 1012);
    assert_eq!(door.exit().await, 6);
}

/// A command that only prints does so into nothing, and is not held up by it.
#[tokio::test]
async fn f21_with_every_end_closed_help_and_races_end() {
    let stage = Stage::new();
    let shell = words(&["sh", "-c", "exec \"$@\" <&- >&- 2>&-", "sh"]);
    for line in [&["--help"][..], &race(&["--json"]), &["run", "--nonsense"]] {
        let mut command = machine::command(&stage, &shell, line, &[]);
        let mut door = Door::spawn(command.stdout(Stdio::null()).stderr(Stdio::null()), false);
        let wanted = if line[0] == "run" { 78 } else { 0 };
        let status = timeout(Duration::from_secs(20), door.exit()).await.unwrap();
        assert_eq!(status, wanted, "{line:?}");
    }
}
