//! Breaks the target's life: what it is given, how its end is told, and that nothing is left.

use std::path::Path;

use super::*;
use tokio::time::timeout;

const PORTS: Ports = Ports { dialled: 20_001, app: 20_002 };

fn shell(script: &str) -> Prepared {
    Prepared { argv: vec!["sh".into(), "-c".into(), script.into()], env: Vec::new() }
}

fn start(prepared: &Prepared) -> Result<Running, RaceError> {
    Running::start(prepared, Path::new("/dev/null"), Output::KeepLastLines)
}

/// Waits for what must come, with a bound that only a broken build meets.
async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let waiting = async {
        while !condition() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(10), waiting).await.unwrap_or_else(|_| panic!("never: {what}"));
}

fn group_is_gone(group: Pid) -> bool {
    rustix::process::test_kill_process_group(group).is_err()
}

#[test]
fn a_bare_command_gets_its_port_in_every_way_run_gives_it() {
    let launch = Launch {
        argv: vec!["app".into(), "--port={port}".into(), "{port}".into()],
        env: vec![("A".into(), "b".into())],
    };
    let prepared = Prepared::bare(&launch, PORTS);
    assert_eq!(prepared.argv, ["app", "--port=20002", "20002"]);
    for name in ["PORT", "UVICORN_PORT", "FLASK_RUN_PORT"] {
        assert!(prepared.env.contains(&(name.into(), "20002".into())));
    }
    assert!(prepared.env.contains(&("A".into(), "b".into())));
}

#[test]
fn a_door_fills_in_the_port_itself() {
    let door = Door {
        front: vec!["vestibule".into(), "run".into()],
        command: Launch { argv: vec!["app".into(), "{port}".into()], env: Vec::new() },
    };
    assert_eq!(
        Prepared::door(&door, PORTS, false).argv.join(" "),
        "vestibule run --listen 127.0.0.1:20001 -- app {port}"
    );
    assert_eq!(
        Prepared::door(&door, PORTS, true).argv.join(" "),
        "vestibule run --listen 127.0.0.1:20001 --child-port 20002 -- app {port}"
    );
}

#[tokio::test]
async fn a_missing_program_is_named() {
    let missing = Prepared { argv: vec!["no-such-program-here".into()], env: Vec::new() };
    let error = start(&missing).unwrap_err();
    assert_eq!(error.to_string(), "no-such-program-here: not found");
}

#[tokio::test]
async fn an_early_end_is_told_with_its_status_and_last_lines() {
    let running = start(&shell("echo to stdout; echo to stderr >&2; exit 3")).unwrap();
    until("the exit", || running.exited().is_some()).await;
    assert_eq!(running.exited(), Some(Exit::Status(3)));
    until("both lines", || running.last_lines().len() == 2).await;
    running.stop().await;
}

#[tokio::test]
async fn a_death_by_signal_is_told_as_one() {
    let running = start(&shell("kill -9 $$")).unwrap();
    until("the exit", || running.exited().is_some()).await;
    assert_eq!(running.exited(), Some(Exit::Signal(9)));
}

#[tokio::test]
async fn stopping_ends_the_whole_group() {
    let running = start(&shell("sleep 100 & sleep 100")).unwrap();
    let group = running.group;
    assert!(!group_is_gone(group));
    running.stop().await;
    until("the end of the group", || group_is_gone(group)).await;
}

// The grandchild ignores SIGTERM, and its parent leaves it behind.
#[tokio::test]
async fn stopping_ends_a_grandchild_that_ignores_sigterm() {
    let script = "(trap '' TERM; echo up; sleep 100; sleep 100) & wait";
    let running = start(&shell(script)).unwrap();
    until("the grandchild", || !running.last_lines().is_empty()).await;
    let group = running.group;
    running.stop().await;
    until("the end of the group", || group_is_gone(group)).await;
}

#[tokio::test]
async fn dropping_ends_the_whole_group() {
    let running = start(&shell("(trap '' TERM; echo up; sleep 100) & wait")).unwrap();
    until("the grandchild", || !running.last_lines().is_empty()).await;
    let group = running.group;
    drop(running);
    until("the end of the group", || group_is_gone(group)).await;
}
