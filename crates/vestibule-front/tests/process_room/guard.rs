//! Breaks the front itself, by SIGKILL, and looks for what stays.
use std::fs;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use vestibule_front::process::child::Child;
use vestibule_front::process::guard;

use crate::support::{
    Helper, Running, eventually, is_alive, launch, mark, marked, run, shell, words_of,
};

fn send(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), signal).unwrap();
}

#[tokio::test]
async fn f37_a_front_that_is_killed_takes_the_childs_whole_group_along() {
    let helper = Helper::new("guarded");
    let mut front =
        Running::start(helper.command(&["env"]).stdout(Stdio::null()).stderr(Stdio::null()));
    let words = words_of(&helper.path("up")).await;
    let (guard, mark): (u32, &str) = (words[0].parse().unwrap(), &words[1]);
    let comm = || fs::read_to_string(format!("/proc/{guard}/comm")).unwrap();
    eventually("it has its name", || comm() == "vestibule-guard\n").await;
    let descriptors = || fs::read_dir(format!("/proc/{guard}/fd")).unwrap().count();
    eventually("it holds the pipe and nothing else", || descriptors() == 1).await;
    eventually("three workers", || marked(mark).len() == 3).await;
    for signal in [Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT, Signal::USR1] {
        send(guard, signal);
    }
    assert!(is_alive(guard), "what ends the others does not end the guard");

    let killed = tokio::time::Instant::now();
    front.kill();
    eventually("nobody left", || marked(mark).is_empty()).await;
    assert!(killed.elapsed().as_secs_f64() < 1.0);
    eventually("the guard is gone", || !is_alive(guard)).await;
}

/// The workers ignore what a shell would pass on: only the guard's SIGKILL ends them.
pub(crate) fn guarded_helper(scratch: &Path) {
    let guard = guard::start().unwrap().unwrap();
    let mark = mark();
    run(async {
        let mut child = shell("trap '' TERM HUP; sleep $1 & sleep $1 & sleep $1 & wait", &[&mark]);
        guard.watch(child.pid());
        fs::write(scratch.join("up"), format!("{} {mark}\n", guard.pid())).unwrap();
        child.wait().await;
    });
}

#[tokio::test]
async fn f37_without_the_guard_the_child_dies_with_us_and_nobody_else() {
    let helper = Helper::new("unwatched");
    let mut front =
        Running::start(helper.command(&["env"]).stdout(Stdio::null()).stderr(Stdio::null()));
    let words = words_of(&helper.path("up")).await;
    let (guard, bystander): (u32, u32) = (words[0].parse().unwrap(), words[1].parse().unwrap());
    assert_eq!(marked(&words[2]).len(), 1);
    front.kill();
    eventually("the child is gone", || marked(&words[2]).is_empty()).await;
    eventually("the guard is gone", || !is_alive(guard)).await;
    assert!(is_alive(bystander), "no longer watched, and left alone");
    send(bystander, Signal::KILL);
}

pub(crate) fn unwatched_helper(scratch: &Path) {
    let guard = guard::start().unwrap().unwrap();
    let mut bystander = Command::new("sleep").arg("1000").process_group(0).spawn().unwrap();
    guard.watch(bystander.id());
    guard.unwatch();
    let mark = mark();
    run(async {
        let mut child = Child::spawn(&launch("sleep", &[&mark])).unwrap();
        let word = format!("{} {} {mark}\n", guard.pid(), bystander.id());
        fs::write(scratch.join("up"), word).unwrap();
        child.wait().await;
    });
    bystander.wait().unwrap();
}

#[tokio::test]
async fn a_front_that_ends_in_order_sends_its_guard_away_and_kills_nobody() {
    let helper = Helper::new("guarded-to-the-end");
    let mut front =
        helper.command(&["env"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Both end only when nobody holds the other ends any more: the guard must not.
    let (mut out, mut err) = (String::new(), String::new());
    front.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    front.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert!(front.wait().unwrap().success(), "{out}{err}");
    assert_eq!(err, "", "the guard is silent");
    let words = words_of(&helper.path("up")).await;
    let (guard, bystander): (u32, u32) = (words[0].parse().unwrap(), words[1].parse().unwrap());
    assert!(!is_alive(guard));
    assert!(is_alive(bystander), "watched to the end, and left alone");
    send(bystander, Signal::KILL);
}

pub(crate) fn ending_helper(scratch: &Path) {
    let guard = guard::start().unwrap().unwrap();
    let mut bystander = Command::new("sleep");
    bystander
        .arg("1000")
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    #[expect(clippy::zombie_processes, reason = "it outlives us; the test ends it")]
    let bystander = bystander.spawn().unwrap();
    guard.watch(bystander.id());
    fs::write(scratch.join("up"), format!("{} {}\n", guard.pid(), bystander.id())).unwrap();
    drop(guard);
}
