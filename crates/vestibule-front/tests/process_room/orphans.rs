//! Breaks the burial: orphans in hundreds, orphans behind an unburied child, descendants that left
//! group and parent.
use std::path::PathBuf;

use tokio::time::timeout;
use vestibule_front::process::exit::Exit;
use vestibule_front::process::{group, guard, reap};

use crate::support::{
    BOUND, Helper, eventually, in_own_namespace, is_alive, mark, marked, shell, zombies_of,
};

#[test]
fn a39_two_hundred_orphans_leave_no_zombie_to_a_subreaper() {
    Helper::new("storm").run(&["env"]);
}

#[test]
fn a39_two_hundred_orphans_leave_no_zombie_to_pid_1() {
    // Where namespaces are forbidden, the test above is all there is.
    if let Some(namespace) = in_own_namespace() {
        Helper::new("storm").run(namespace);
    }
}

pub(crate) async fn storm_helper(_scratch: PathBuf) {
    let own = std::process::id();
    if own != 1 {
        assert!(!reap::adopts_orphans());
        reap::become_subreaper().unwrap();
    }
    assert!(reap::adopts_orphans());
    let _reaper = reap::spawn_reaper().unwrap();
    // Half of the orphans die while the child lives, half of them behind its unburied body.
    let mark = mark();
    let script =
        "i=0; while [ $i -lt 100 ]; do (sleep 0.01 &) ; (sleep $1 &) ; i=$((i+1)); done; exit 7";
    let mut child = shell(script, &[&mark]);
    assert_eq!(
        timeout(BOUND, child.wait()).await.unwrap(),
        Exit::Code(7),
        "the reaper did not take its status"
    );
    eventually("a hundred sleepers", || marked(&mark).len() == 100).await;
    eventually("no zombie but the child", || zombies_of(own) == [child.pid()]).await;
    child.kill_group();
    eventually("the sleepers ended", || marked(&mark).is_empty()).await;
    eventually("no zombie but the child", || zombies_of(own) == [child.pid()]).await;
    assert_eq!(child.end_group(BOUND).await, Vec::<u32>::new());
    assert!(zombies_of(own).is_empty());

    // And many short lives, each status its own.
    for round in 0..100 {
        let mut child = shell("(true &) ; (true &) ; exit $1", &[&round.to_string()]);
        assert_eq!(timeout(BOUND, child.wait()).await.unwrap(), Exit::Code(round));
        assert_eq!(child.end_group(BOUND).await, Vec::<u32>::new());
    }
    eventually("no zombie at all", || zombies_of(own).is_empty()).await;
}

#[test]
fn f44_descendants_that_left_group_and_parent_are_ended_at_exit() {
    Helper::new("descendants").run(&["env"]);
}

pub(crate) async fn descendants_helper(_scratch: PathBuf) {
    let guard = guard::start().unwrap().unwrap();
    reap::become_subreaper().unwrap();
    let mark = mark();
    // One that stays below the child, one that left it, one with children that left it.
    let script = "setsid sleep $1 & (setsid sleep $1 &)
        (setsid sh -c 'sleep $1 & setsid sleep $1' sh $1 &)
        sleep $1";
    let mut child = shell(script, &[&mark]);
    eventually("five sleepers", || marked(&mark).len() >= 5).await;
    assert_eq!(child.end_group(BOUND).await, Vec::<u32>::new());
    assert!(marked(&mark).len() >= 4, "the group alone is not all of them");
    assert_eq!(group::end_descendants(BOUND, Some(&guard)).await, Vec::<u32>::new());
    assert!(marked(&mark).is_empty());
    assert!(zombies_of(std::process::id()).is_empty());
    let pid = guard.pid();
    assert!(is_alive(pid), "the guard is spared");
    drop(guard);
    assert!(
        !std::fs::exists(format!("/proc/{pid}")).unwrap(),
        "it leaves with us, and leaves no zombie"
    );
}
