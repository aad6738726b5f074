//! Nothing is left behind, whoever ends first.
//!
//! Breaks it with children that fork workers, into their group and out of it, and with `kill -9` of either.

use rustix::process::Signal;

use crate::door::Door;
use crate::stage::{AS_PID_1, Stage, can_be_pid_1, eventually};

/// A service with a worker in its group, one with a session of its own, and a daemon; all of them there.
async fn with_workers(before: &[&str]) -> (Stage, Door) {
    let stage = Stage::new();
    let app = stage.app(&["fork", "end", "code=9", "term=8"]);
    let door = stage.start(before, &["--hold", "25s"], &app);
    for worker in ["group", "session", "daemon"] {
        stage.notes(worker).await;
    }
    door.client().await.is_served().await;
    (stage, door)
}

async fn both_ways() -> Vec<&'static [&'static str]> {
    if can_be_pid_1().await { vec![&[], AS_PID_1] } else { vec![&[]] }
}

#[tokio::test]
async fn after_the_childs_own_end() {
    for before in both_ways().await {
        let (stage, mut door) = with_workers(before).await;
        stage.touch("end");
        assert_eq!(door.exit().await, 9);
        stage.nothing_is_left("the child's own end").await;
    }
}

#[tokio::test]
async fn after_sigterm() {
    for before in both_ways().await {
        let (stage, mut door) = with_workers(before).await;
        door.signal(Signal::TERM).await;
        assert_eq!(door.exit().await, 8);
        stage.nothing_is_left("SIGTERM").await;
    }
}

#[tokio::test]
async fn f37_after_kill_9_of_the_first_process() {
    if can_be_pid_1().await {
        let (stage, mut door) = with_workers(AS_PID_1).await;
        door.signal(Signal::KILL).await;
        door.exit().await;
        eventually("no process is left", || stage.alive().is_empty()).await;
    }
}

/// What a killed front cannot remove, the next one does.
#[tokio::test]
async fn f37_after_kill_9_of_the_door_and_the_next_one_clears_up() {
    let (stage, mut door) = with_workers(&[]).await;
    door.signal(Signal::KILL).await;
    assert_eq!(door.exit().await, -9);
    let left = stage.notify_directories();
    assert_eq!(left.len(), 1, "{left:?}");
    let begun = tokio::time::Instant::now();
    eventually("no process is left", || stage.alive().is_empty()).await;
    assert!(begun.elapsed() < crate::stage::GONE_WITHIN, "{:?}", begun.elapsed());
    let mut next = stage.run(&[], &stage.app(&["end"])).await;
    // It listens first, and makes its own directory before its child.
    next.logs("child started").await;
    let now = stage.notify_directories();
    assert!(now.len() == 1 && now != left, "{now:?}");
    stage.touch("end");
    assert_eq!(next.exit().await, 0);
    stage.nothing_is_left("the next start").await;
}
