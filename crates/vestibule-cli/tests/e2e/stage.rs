//! Where a test plays: its scratch directory, the mark of its processes, and what it may start.
//!
//! Owns the end of everything a test started. Must never end a process without its mark.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, sleep};

use crate::door::Door;

/// The bound of every wait. Far above what anything here takes, so that only a defect reaches it.
pub(crate) const BOUND: Duration = Duration::from_secs(30);
/// How long what has to end may take to be gone.
pub(crate) const GONE_WITHIN: Duration = Duration::from_secs(2);
/// In a PID namespace of our own; the process ends with whoever started it.
pub(crate) const AS_PID_1: &[&str] = &["unshare", "-Urpf", "--mount-proc", "--kill-child"];

const MARK: &str = "VESTIBULE_E2E_MARK";

/// One test's belongings. Declare it before the doors: dropping it ends what they left.
pub(crate) struct Stage {
    scratch: tempfile::TempDir,
    mark: String,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let mark = format!("{MARK}={:032x}", fastrand::u128(..));
        let scratch = tempfile::tempdir().unwrap();
        fs::create_dir(scratch.path().join("run")).unwrap();
        Self { scratch, mark }
    }

    /// A file of this test's, as an argument.
    pub(crate) fn path(&self, name: &str) -> String {
        self.scratch.path().join(name).to_str().unwrap().to_owned()
    }

    /// Creates a file that a service waits for.
    pub(crate) fn touch(&self, name: &str) {
        fs::write(self.path(name), "").unwrap();
    }

    /// The notify directories that are there now.
    pub(crate) fn notify_directories(&self) -> Vec<PathBuf> {
        fs::read_dir(self.runtime_directory()).unwrap().map(|entry| entry.unwrap().path()).collect()
    }

    pub(crate) fn runtime_directory(&self) -> PathBuf {
        self.scratch.path().join("run")
    }

    /// The environment that finds our processes again.
    pub(crate) fn mark(&self) -> (&str, &str) {
        self.mark.split_once('=').unwrap()
    }

    /// The small service. An argument that is a name alone (`log`) becomes `log=` and a file of that name.
    pub(crate) fn app(&self, args: &[&str]) -> Vec<String> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/app.py");
        let mut line = vec![python(), "-I".into(), "-S".into(), script.to_str().unwrap().into()];
        line.push(format!("log={}", self.path("log")));
        line.extend(args.iter().map(|arg| match arg.contains('=') {
            true => (*arg).to_owned(),
            false => format!("{arg}={}", self.path(arg)),
        }));
        line
    }

    /// What the small service has noted so far: words and CLOCK_MONOTONIC in nanoseconds.
    pub(crate) fn noted(&self) -> Vec<(String, i128)> {
        let text = fs::read_to_string(self.path("log")).unwrap_or_default();
        text.lines()
            .filter_map(|line| line.split_once(' '))
            .map(|(word, at)| (word.to_owned(), at.parse().unwrap()))
            .collect()
    }

    /// Waits until the small service has noted a word that begins so.
    pub(crate) async fn notes(&self, word: &str) -> String {
        let mut found = None;
        eventually(&format!("the service notes {word}"), || {
            found = self.noted().into_iter().map(|(noted, _)| noted).find(|n| n.starts_with(word));
            found.is_some()
        })
        .await;
        found.unwrap()
    }

    /// `vestibule run FLAGS -- COMMAND`, listening.
    pub(crate) async fn run(&self, flags: &[&str], command: &[String]) -> Door {
        let door = self.start(&[], flags, command);
        door.listening().await;
        door
    }

    /// `BEFORE vestibule run --listen 127.0.0.1:0 FLAGS -- COMMAND`, just started.
    pub(crate) fn start(&self, before: &[&str], flags: &[&str], command: &[String]) -> Door {
        let listen = ["run", "--listen", "127.0.0.1:0"];
        let own = listen.iter().chain(flags).chain(&["--"]).map(|word| (*word).to_owned());
        Door::start(self, before, &own.chain(command.iter().cloned()).collect::<Vec<_>>())
    }

    /// `vestibule serve --listen 127.0.0.1:0 FLAGS`, listening.
    pub(crate) async fn serve(&self, flags: &[&str]) -> Door {
        let line: Vec<_> = ["serve", "--listen", "127.0.0.1:0"].iter().chain(flags).collect();
        let door =
            Door::start(self, &[], &line.iter().map(|w| (**w).to_owned()).collect::<Vec<_>>());
        door.listening().await;
        door
    }

    /// The living processes of this test.
    pub(crate) fn alive(&self) -> Vec<u32> {
        let entries = fs::read_dir("/proc").unwrap().flatten();
        entries
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            // A zombie has no environment any more.
            .filter(|pid| {
                fs::read(format!("/proc/{pid}/environ")).is_ok_and(|environment| {
                    environment.split(|byte| *byte == 0).any(|pair| pair == self.mark.as_bytes())
                })
            })
            .collect()
    }

    /// Fails unless no process and no notify directory is left soon.
    pub(crate) async fn nothing_is_left(&self, after: &str) {
        let deadline = Instant::now() + GONE_WITHIN;
        while !self.alive().is_empty() || !self.notify_directories().is_empty() {
            let left: Vec<_> =
                self.alive().into_iter().map(|pid| (pid, command_line(pid))).collect();
            let directories = self.notify_directories();
            assert!(Instant::now() < deadline, "left after {after}: {left:?} {directories:?}");
            sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        for pid in self.alive() {
            let _ = kill_process(pid_of(pid), Signal::KILL);
        }
    }
}

/// Waits until `condition` holds; fails with `what` at the bound.
pub(crate) async fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + BOUND;
    while !condition() {
        assert!(Instant::now() < deadline, "never came true: {what}");
        sleep(Duration::from_millis(5)).await;
    }
}

pub(crate) fn pid_of(pid: u32) -> Pid {
    Pid::from_raw(pid.cast_signed()).unwrap()
}

fn command_line(pid: u32) -> String {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&line).replace('\0', " ")
}

/// A command of words.
pub(crate) fn words(line: &[&str]) -> Vec<String> {
    line.iter().map(|word| (*word).to_owned()).collect()
}

/// A shell that runs this.
pub(crate) fn shell(script: &str) -> Vec<String> {
    words(&["sh", "-c", script])
}

/// The interpreter with what `./test` installed.
pub(crate) fn python() -> String {
    installed("target/venv/bin/python3")
}

/// A file of the repository that `./test` installs.
pub(crate) fn installed(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let path = root.join(path);
    assert!(path.exists(), "{} is missing: run ./test, which installs it", path.display());
    path.to_str().unwrap().to_owned()
}

/// One of the slow backends: `fastapi` or `node`.
pub(crate) fn backend(name: &str) -> Vec<String> {
    match name {
        "fastapi" => vec![python(), installed("examples/slow-backends/fastapi/app.py")],
        _ => {
            installed("examples/slow-backends/node/node_modules/ws");
            vec!["node".into(), installed("examples/slow-backends/node/server.mjs")]
        }
    }
}

/// This machine's CLOCK_MONOTONIC in nanoseconds, which other processes read too.
pub(crate) fn monotonic_ns() -> i128 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    i128::from(now.tv_sec) * 1_000_000_000 + i128::from(now.tv_nsec)
}

/// Whether this machine lets us be PID 1; says so aloud if not.
pub(crate) async fn can_be_pid_1() -> bool {
    let output = tokio::process::Command::new(AS_PID_1[0])
        .args(&AS_PID_1[1..])
        .arg("true")
        .output()
        .await
        .unwrap();
    if !output.status.success() {
        println!("no PID namespaces here: {}", String::from_utf8_lossy(&output.stderr));
    }
    output.status.success()
}
