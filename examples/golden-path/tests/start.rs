//! `examples/golden-path/start`, as somebody runs it who wants to see the golden path.
//!
//! Breaks nothing but the script: it must serve a user who comes during the cold start, with nothing installed and with
//! everything real, and leave nothing behind when it is ended.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    dead_code,
    reason = "tests say what they expect by unwrapping; the stage is that of other plays, too"
)]

#[path = "stage/stage.rs"]
mod stage;

use std::collections::BTreeMap;
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;
use stage::account::Http;
use stage::door::vestibule;
use stage::ports::free_port;
use stage::process::Process;
use stage::talk::{GOLDEN, kinds, open};
use stage::{eventually, watched};

/// Runs the script; each of so many instances serves a user, and nothing is left.
async fn serves_and_leaves_nothing(words: &[&str], instances: u16) {
    let scratch = tempfile::tempdir().unwrap();
    // PostgreSQL runs as another user, who must get to its folder.
    let everybody = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(scratch.path(), everybody).unwrap();
    let port = free_port();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("start");
    let line: Vec<String> =
        [script.to_str().unwrap()].iter().chain(words).map(|w| (*w).to_owned()).collect();
    let programs = Path::new(vestibule()).parent().unwrap();
    let env = [
        ("PORT", port.to_string()),
        ("COLD_START", "700ms".to_owned()),
        ("PROGRAMS", programs.display().to_string()),
        ("TMPDIR", scratch.path().display().to_string()),
        ("XDG_RUNTIME_DIR", scratch.path().display().to_string()),
    ];
    let env: BTreeMap<String, String> = env.map(|(name, value)| (name.to_owned(), value)).into();
    let mut process = Process::start(&line, &env);
    for port in port..port + instances {
        let is_there = || TcpStream::connect(("127.0.0.1", port)).is_ok();
        eventually("a door", Duration::from_secs(30), is_there).await;
        let account = Http::of(&format!("127.0.0.1:{port}")).sign_up().await;
        let thread = account.thread("first steps").await;
        let mut talk = open(&account, None, &[]).await.unwrap();
        talk.say(&thread, "Is the service ready?").await;
        assert_eq!(kinds(&talk.until_completed(1).await.unwrap()), GOLDEN);
    }
    process.signal(Signal::INT);
    assert_eq!(process.ended().await, 130);
    for port in port..port + instances {
        assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "a door is left at {port}");
    }
    let left: Vec<_> =
        std::fs::read_dir(scratch.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_command_starts_it_with_nothing_installed() {
    watched("start", serves_and_leaves_nothing(&[], 1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_command_starts_it_with_everything_real() {
    watched("start --real", serves_and_leaves_nothing(&["--real"], 2)).await;
}
