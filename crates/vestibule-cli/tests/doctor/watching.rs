//! Looking again and again: what is said, and what it ends with.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

/// Starts it, waits for its first whole look, sends the signal, and tells its status.
fn watched(line: &[&str], variables: &[(&str, &str)], until: &str, signal: Signal) -> i32 {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
    command.args(["doctor", "--watch"]).args(line).env_clear().envs(variables.iter().copied());
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut read = String::new();
    while !read.contains(until) {
        assert!(lines.read_line(&mut read).unwrap() > 0, "it ended: {read}");
    }
    assert!(!read.contains('\u{1b}'), "{read}");
    kill_process(Pid::from_child(&child), signal).unwrap();
    child.wait().unwrap().code().unwrap()
}

#[test]
fn a_watch_ends_at_sigint_with_the_last_status() {
    assert_eq!(watched(&[], &[], "status: ok", Signal::INT), 0);
    let torn = [("K_SERVICE", "chat"), ("ENVIRONMENT", "test")];
    assert_eq!(watched(&[], &torn, "status: warnings", Signal::INT), 1);
    assert_eq!(watched(&["--json"], &torn, "\"status\":\"warnings\"", Signal::INT), 1);
    assert_eq!(watched(&[], &[], "status: ok", Signal::TERM), 143);
}
