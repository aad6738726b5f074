//! The child's own word on its readiness, from real senders.
//!
//! Breaks it with senders of every kind, strangers, and children that never say it.

use std::os::unix::net::UnixDatagram;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::Signal;

use crate::door::Door;
use crate::stage::{Stage, backend, eventually, shell};

const HOLD: &[&str] = &["--ready", "notify", "--hold", "25s"];

/// The port is bound long before: only the word counts.
#[tokio::test]
async fn python_says_it_and_only_then_is_anybody_admitted() {
    let stage = Stage::new();
    let mut door =
        stage.run(HOLD, &stage.app(&["ready", "notify=READY=1\\nSTATUS=all here", "term=0"])).await;
    stage.notes("bound").await;
    let mut client = door.client().await;
    assert!(client.is_held().await);
    stage.touch("ready");
    client.is_served().await;
    assert!(door.logs("child says").await.contains("all here"));
    door.signal(Signal::TERM).await;
    assert_eq!(client.close().await, 1012);
    assert_eq!(door.exit().await, 0);
    stage.nothing_is_left("notify").await;
}

/// A shell starts the service and `systemd-notify` speaks for it, which is gone when it is heard.
#[tokio::test]
async fn systemd_notify_says_it_for_a_shell() {
    let stage = Stage::new();
    let app =
        stage.app(&["term=0"]).iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ");
    let ready = stage.path("ready");
    let script = format!(
        "{app} & while ! test -e {ready}; do sleep 0.02; done; \
         systemd-notify --ready --status='from a shell'; wait"
    );
    let door = stage.run(HOLD, &shell(&script)).await;
    stage.notes("bound").await;
    let mut client = door.client().await;
    assert!(client.is_held().await);
    stage.touch("ready");
    client.is_served().await;
    assert!(door.logs("child says").await.contains("from a shell"));
}

#[tokio::test]
async fn node_and_uvicorn_say_it() {
    for name in ["node", "fastapi"] {
        let stage = Stage::new();
        let mut line = vec!["run".into(), "--listen".into(), "127.0.0.1:0".into()];
        line.extend(HOLD.iter().map(|word| (*word).to_owned()));
        line.push("--".into());
        line.extend(backend(name));
        let mut command = Door::command(&stage, &[], &line);
        command.envs([("NOTIFY", "1"), ("MODE", "close1011"), ("READY_AFTER", "0.5")]);
        let door = Door::spawn(command.stdout(Stdio::null()).stderr(Stdio::piped()), false);
        door.client().await.is_served().await;
        assert!(door.log().iter().any(|line| line.contains("ready after_ms")), "{name}");
    }
}

/// Without any flag, a child that speaks before its port answers is taken at its word.
#[tokio::test]
async fn a_child_that_speaks_first_is_asked_for_its_word() {
    let stage = Stage::new();
    let app = stage.app(&["early=STATUS=starting", "wait", "ready", "notify=READY=1"]);
    let door = stage.run(&["--hold", "25s"], &app).await;
    door.logs("the child speaks sd_notify").await;
    stage.touch("wait");
    stage.notes("bound").await;
    let mut client = door.client().await;
    assert!(client.is_held().await);
    stage.touch("ready");
    client.is_served().await;
}

/// The budget that it was started with passes, and nobody is refused.
#[tokio::test]
async fn a_child_with_more_time_gets_it() {
    let stage = Stage::new();
    let more = "early=EXTEND_TIMEOUT_USEC=20000000\\nSTATUS=migrating";
    let app = stage.app(&[more, "ready", "notify=READY=1", "term=0"]);
    let mut door = stage.run(&[HOLD, &["--startup-timeout", "3s"]].concat(), &app).await;
    let mut client = door.client().await;
    door.logs("migrating").await;
    let begun = tokio::time::Instant::now();
    eventually("the startup budget would be over", || {
        begun.elapsed() > Duration::from_millis(3200)
    })
    .await;
    assert!(client.is_held().await);
    stage.touch("ready");
    client.is_served().await;
    door.signal(Signal::TERM).await;
    client.close().await;
    assert_eq!(door.exit().await, 0);
}

#[tokio::test]
async fn a_child_that_never_says_it_was_never_ready() {
    let stage = Stage::new();
    let flags = [HOLD, &["--startup-timeout", "1500ms"]].concat();
    // Closed, unset and forgotten: nobody will ever hear from it.
    let mut door = stage.run(&flags, &shell("unset NOTIFY_SOCKET; exec sleep 1000")).await;
    door.client().await.answer().await.is_refusal("failed");
    assert_eq!(door.exit().await, 69);
    stage.nothing_is_left("a silent child").await;
}

#[tokio::test]
async fn a35_a_strangers_word_is_ignored() {
    let stage = Stage::new();
    let app = stage.app(&["ready", "notify=READY=1"]);
    let door = stage.run(HOLD, &app).await;
    stage.notes("bound").await;
    let mut client = door.client().await;
    let directories = stage.notify_directories();
    assert_eq!(directories.len(), 1, "{directories:?}");
    let stranger = UnixDatagram::unbound().unwrap();
    stranger.send_to(b"READY=1", directories[0].join("socket")).unwrap();
    door.logs("a notification was ignored").await;
    assert!(client.is_held().await);
    stage.touch("ready");
    client.is_served().await;
}
