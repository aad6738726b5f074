//! What this machine lets us take away from a process.
//!
//! Owns the command lines that take it away, and the word on stdout where that is not possible.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::door::Door;
use crate::stage::{Stage, python};

/// Set to `all` where every fault can be made: then one that can't is a failure.
const DEMAND: &str = "VESTIBULE_FAULTS";
/// A user whom no machine knows.
pub(crate) const NOBODY: &str = "54321";

/// A service that is ready at once, for whoever can run this very program.
pub(crate) const BACKEND: [&str; 7] = [
    env!("CARGO_BIN_EXE_vestibule"),
    "demo-backend",
    "--port={port}",
    "--bind-after",
    "0",
    "--ready-after",
    "0",
];

/// A command's beginning, behind which another command goes.
pub(crate) type Before = Vec<String>;

fn line(words: &[&str]) -> Before {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// A network of its own, made poor in the ways that `net.py` knows.
pub(crate) fn network(poor: &[&str]) -> Before {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults/net.py");
    let mut before = line(&["unshare", "-Urn"]);
    before.extend([python(), "-I".into(), "-S".into(), script.to_str().unwrap().into()]);
    before.extend(line(poor));
    before.push("--".into());
    before
}

/// Mounts of its own, as this script makes them.
pub(crate) fn mounts(script: &str) -> Before {
    line(&["unshare", "-Urm", "sh", "-c", &format!("set -e; {script}; exec \"$@\""), "sh"])
}

/// As a user without a name, a home, or any right.
pub(crate) fn as_nobody() -> Before {
    if rustix::process::geteuid().is_root() {
        line(&["setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "--no-new-privs"])
    } else {
        line(&["unshare", "-U", "--map-user", NOBODY])
    }
}

/// With these limits (prlimit(1)).
pub(crate) fn limited(limits: &[&str]) -> Before {
    [line(&["prlimit"]), line(limits)].concat()
}

/// As a user without rights who may have so many processes and threads, all together: without the
/// shell, since that would be one of them.
pub(crate) fn with_processes(count: u32) -> Before {
    [as_nobody(), limited(&[&format!("--nproc={count}:{count}")])].concat()
}

/// With a system call that fails as strace(1) is told (`accept4:error=ENFILE:when=1..3`).
pub(crate) fn failing(call: &str) -> Before {
    let name = call.split(':').next().unwrap();
    let traced = format!("trace={name}");
    let injected = format!("inject={call}");
    line(&["strace", "-f", "-qq", "-o", "/dev/null", "-e", &traced, "-e", &injected])
}

/// Whether `vestibule` begins to run behind `before`; says aloud if it does not.
pub(crate) fn can(before: &[String], fault: &str) -> bool {
    let output = Command::new(&before[0])
        .args(&before[1..])
        .args([env!("CARGO_BIN_EXE_vestibule"), "--version"])
        .stdin(Stdio::null())
        .output();
    let why = match output {
        Ok(output) if output.status.success() => return true,
        Ok(output) => String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; "),
        Err(error) => format!("{}: {error}", before[0]),
    };
    not_made(fault, &why);
    false
}

/// Says that a fault was not made, past the test runner, which keeps what a passing test prints.
pub(crate) fn not_made(fault: &str, why: &str) {
    let said = format!("NOT MADE {fault}: {why}\n");
    std::io::stdout().lock().write_all(said.as_bytes()).unwrap();
    let demanded = std::env::vars_os().any(|(name, value)| name == DEMAND && value == "all");
    assert!(!demanded, "{said}");
}

/// `BEFORE vestibule LINE`, its stdout and stderr gathered.
pub(crate) fn start(stage: &Stage, before: &[String], words: &[&str], rest: &[String]) -> Door {
    let mut command = command(stage, before, words, rest);
    Door::spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()), false)
}

/// The command alone.
pub(crate) fn command(
    stage: &Stage,
    before: &[String],
    words: &[&str],
    rest: &[String],
) -> tokio::process::Command {
    let before: Vec<&str> = before.iter().map(String::as_str).collect();
    Door::command(stage, &before, &[line(words), rest.to_vec()].concat())
}
