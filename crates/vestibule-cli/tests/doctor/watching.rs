//! Looking again and again: what is said, and what it ends with.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::checks::Closed;

/// Starts it, waits for its first whole look, sends the signal, and tells its status.
fn watched(line: &[&str], variables: &[(&str, &str)], until: &str, signal: Signal) -> i32 {
    seen(line, variables, until, signal).1
}

/// The same with all that it said.
fn seen(line: &[&str], variables: &[(&str, &str)], until: &str, signal: Signal) -> (String, i32) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
    command.args(["doctor", "--watch"]).args(line).env_clear().envs(variables.iter().copied());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut read = String::new();
    while !read.contains(until) {
        assert!(lines.read_line(&mut read).unwrap() > 0, "it ended: {read}");
    }
    assert!(!read.contains('\u{1b}'), "{read}");
    kill_process(Pid::from_child(&child), signal).unwrap();
    lines.read_to_string(&mut read).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut read).unwrap();
    (read, child.wait().unwrap().code().unwrap())
}

#[test]
fn a_watch_ends_at_sigint_with_the_last_status() {
    assert_eq!(watched(&[], &[], "status: ok", Signal::INT), 0);
    let torn = [("K_SERVICE", "chat"), ("ENVIRONMENT", "test")];
    assert_eq!(watched(&[], &torn, "status: warnings", Signal::INT), 1);
    assert_eq!(watched(&["--json"], &torn, "\"status\":\"warnings\"", Signal::INT), 1);
    assert_eq!(watched(&[], &[], "status: ok", Signal::TERM), 143);
}

#[test]
fn a32_a_watch_shows_no_secret_and_ends_with_2_for_a_critical_check() {
    let closed = Closed::new();
    let flag = format!("db=postgres://me:cn80c3aa4417de@{}/chat", closed.address);
    for (form, until) in [(&[][..], "status: failed"), (&["--json"], "\"status\":\"failed\"")] {
        let line = [form, &["--check", &flag]].concat();
        let (said, status) = seen(&line, &[], until, Signal::INT);
        assert_eq!(status, 2, "{said}");
        assert!(said.contains("refused") && !said.contains("cn80c3aa4417de"), "{said}");
    }
}
