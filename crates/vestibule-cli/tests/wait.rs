//! `vestibule wait`, the real binary before real sockets.
//!
//! Broken with ports that open late or never, commands that aren't there, signals amid the waiting, and secrets
//! in every place that takes one. A port that is bound and does not listen yet refuses, and is nobody else's.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    dead_code,
    reason = "tests say what they expect by unwrapping; not all of a server is needed here"
)]

#[path = "../../vestibule-checks/tests/servers/daemon.rs"]
mod daemon;
#[path = "../../vestibule-checks/tests/servers/postgres_server.rs"]
mod postgres_server;

use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};
use std::os::fd::OwnedFd;
use std::process::{Child, ChildStderr, Command, Output, Stdio};

use rustix::net::{AddressFamily, SocketType, bind, getsockname, listen, socket};
use rustix::process::{Pid, Signal, kill_process};

const OWN: &str = env!("CARGO_BIN_EXE_vestibule");

/// A port of ours where nobody listens yet.
struct Closed {
    socket: OwnedFd,
    address: String,
}

impl Closed {
    fn new() -> Self {
        let socket = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
        bind(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0)).unwrap();
        let bound: SocketAddrV4 = getsockname(&socket).unwrap().try_into().unwrap();
        Self { socket, address: bound.to_string() }
    }

    fn open(&self) {
        listen(&self.socket, 16).unwrap();
    }
}

fn opened() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

fn command(line: &[&str]) -> Command {
    let mut command = Command::new(OWN);
    command.arg("wait").args(line).env_clear().env("PATH", "/usr/bin:/bin");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn wait(line: &[&str]) -> Output {
    command(line).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Starts it, and reads what it says until a line has this in it.
fn started(line: &[&str], until: &str) -> (Child, BufReader<ChildStderr>) {
    let mut child = command(line).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap());
    let mut read = String::new();
    while !read.contains(until) {
        assert!(lines.read_line(&mut read).unwrap() > 0, "it ended without {until}: {read}");
    }
    (child, lines)
}

#[test]
fn wait_becomes_the_command_with_its_own_pid_words_and_status() {
    let (_listener, address) = opened();
    let script = r#"echo $$; printf '<%s>' "$@"; exit 7"#;
    let mut line = vec![address.as_str(), "--", "sh", "-c", script, "sh"];
    line.extend(["a b", "", "*", "--timeout", "{port}", "$HOME"]);
    let child = command(&line).spawn().unwrap();
    let pid = child.id();
    let output = child.wait_with_output().unwrap();
    let wanted = format!("{pid}\n<a b><><*><--timeout><{{port}}><$HOME>");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), wanted);
    assert_eq!(output.status.code(), Some(7));
}

/// The first 31 signals that are blocked and ignored; those behind them are the C library's own.
fn signals(mut shell: Command) -> Vec<u64> {
    let output = shell.arg("grep -E '^Sig(Blk|Ign)' /proc/self/status").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let masks = text.lines().filter_map(|line| line.split_whitespace().nth(1));
    masks.map(|mask| u64::from_str_radix(mask, 16).unwrap() & 0x7fff_ffff).collect()
}

/// The command has the signals as a shell would give them: SIGPIPE ends it, nothing is blocked.
#[test]
fn wait_leaves_signals_to_the_command_as_it_found_them() {
    let (_listener, address) = opened();
    let of_wait = signals(command(&[&address, "--", "sh", "-c"]));
    let mut shell = Command::new("sh");
    shell.arg("-c");
    assert_eq!((of_wait.len(), &of_wait), (2, &signals(shell)));
}

#[test]
fn wait_goes_on_until_the_port_opens() {
    let closed = Closed::new();
    let (mut child, mut lines) = started(&["--timeout", "30s", &closed.address], "refused");
    closed.open();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let mut rest = String::new();
    lines.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("passed") && rest.contains("ready after"), "{rest}");
}

/// A database that starts is waited for until it answers a query, not until its port is open.
#[tokio::test]
async fn wait_goes_on_until_a_real_database_answers() {
    let mut server = postgres_server::Postgres::prepare("").await;
    let url = server.url("");
    let line = ["--timeout", "60s", &url, "--", "sh", "-c", "echo started; exit 3"];
    let (child, mut lines) = started(&line, "refused");
    server.run().await;
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(3), &b"started\n"[..]));
    let mut said = String::new();
    lines.read_to_string(&mut said).unwrap();
    assert!(said.contains("PostgreSQL") && !said.contains("canary"), "{said}");
}

#[test]
fn wait_that_ends_without_all_passed_is_69_and_starts_nothing() {
    let (_listener, open) = opened();
    let closed = Closed::new();
    let output =
        wait(&["--timeout", "300ms", &open, &closed.address, "--", "sh", "-c", "echo started"]);
    assert_eq!(output.status.code(), Some(69));
    assert!(output.stdout.is_empty(), "{output:?}");
    let said = said(&output);
    assert!(said.contains("not ready within 300ms: 1 of 2 missing"), "{said}");
    assert!(said.contains(&format!("tcp {}: refused", closed.address)), "{said}");
    assert!(said.contains("hint: ") && said.contains("nobody listens there"), "{said}");
    let any = wait(&["--any", "--quiet", &open, &closed.address, "--", "sh", "-c", "echo started"]);
    assert_eq!((any.status.code(), any.stdout.as_slice()), (Some(0), &b"started\n"[..]));
    assert!(any.stderr.is_empty(), "{any:?}");
}

#[test]
fn wait_that_gets_a_signal_ends_at_once_and_starts_nothing() {
    for (signal, status) in [(Signal::TERM, 143), (Signal::INT, 130)] {
        let closed = Closed::new();
        let line = [&closed.address, "--", "sh", "-c", "echo started"];
        let (child, _lines) = started(&line, "refused");
        let pid = Pid::from_child(&child);
        kill_process(pid, signal).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(status));
        assert!(output.stdout.is_empty(), "{output:?}");
    }
}

#[test]
fn a_command_that_wait_cannot_become_is_126_or_127() {
    let (_listener, address) = opened();
    for (program, status) in [("/nowhere/app", 127), ("vestibule-has-no-such", 127), ("/", 126)] {
        let output = wait(&[&address, "--", program]);
        assert_eq!(output.status.code(), Some(status), "{program}");
        assert!(said(&output).contains(&format!("cannot start {program}: ")), "{output:?}");
    }
}

#[test]
fn wait_for_nothing_or_for_what_is_no_address_is_78() {
    for line in [&[][..], &["db"], &["ftp://db/x"], &["--timeout", "5", "db:1"], &["--", "true"]] {
        let output = wait(line);
        assert_eq!(output.status.code(), Some(78), "{line:?}");
        let said = said(&output);
        assert!(said.starts_with("error: "), "{line:?}: {said}");
    }
}

#[test]
fn a32_wait_shows_no_secret_of_a_url() {
    const CANARY: &str = "cn7f3a91c04be2";
    let closed = Closed::new();
    let address = closed.address.as_str();
    for form in [
        "postgres://me:CANARY@ADDRESS/db?password=CANARY",
        "redis://:CANARY@ADDRESS/0",
        "nats://CANARY@ADDRESS",
        "http://me:CANARY@ADDRESS/health?token=CANARY",
        "tcp://me:CANARY@ADDRESS",
        "me:CANARY@ADDRESS",
        "mysql://me:CANARY@ADDRESS/db",
        "--timeout=CANARY@ADDRESS",
    ] {
        let url = form.replace("CANARY", CANARY).replace("ADDRESS", address);
        let output = wait(&["--timeout", "200ms", &url, "--", "true"]);
        let (out, err) = (String::from_utf8_lossy(&output.stdout), said(&output));
        assert!(!output.status.success(), "{form}: {err}");
        assert!(!err.is_empty() && !err.contains(CANARY) && !out.contains(CANARY), "{form}: {err}");
    }
}

/// Would break if the command took our place before a check's own command, which only degrades, was ended.
#[test]
fn wait_leaves_no_check_running_behind_its_command() {
    let directory = tempfile::tempdir().unwrap();
    let (file, pid) = (directory.path().join("checks.toml"), directory.path().join("pid"));
    let script = format!("echo $$ > {}; exec sleep 60", pid.display());
    let slow = "kind = \"command\"\ncritical = false\ntimeout = \"30s\"";
    let there = format!(
        "kind = \"command\"\ncommand = [\"sh\", \"-c\", \"until test -s {}; do sleep 0.01; done\"]",
        pid.display()
    );
    let text = format!(
        "[[check]]\nname = \"slow\"\n{slow}\ncommand = [\"sh\", \"-c\", \"{script}\"]\n\n\
         [[check]]\nname = \"there\"\ntimeout = \"30s\"\n{there}\n"
    );
    std::fs::write(&file, text).unwrap();
    let looks = format!("grep State: /proc/$(cat {})/status || echo none", pid.display());
    let output = wait(&["--config", file.to_str().unwrap(), "--", "sh", "-c", &looks]);
    let state = String::from_utf8(output.stdout.clone()).unwrap();
    let is_gone = state.contains("none") || state.contains("Z (zombie)");
    assert!(output.status.success() && is_gone, "{state}{}", said(&output));
}
