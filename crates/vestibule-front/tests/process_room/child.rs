//! Breaks the child: by every kind of end, by ignoring us, by what we inherited ourselves.
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use tokio::time::timeout;
use vestibule_front::process::child::{Child, SpawnError};
use vestibule_front::process::exit::Exit;
use vestibule_front::process::signals::Signal;
use vestibule_front::process::{group, limits, mask};

use crate::support::{BOUND, Helper, Running, eventually, launch, mark, marked, shell, words_of};

#[tokio::test]
async fn the_exit_code_is_the_childs_or_128_and_the_signal() {
    let table = [
        ("exit 0", 0, "exited with status 0"),
        ("exit 3", 3, "exited with status 3"),
        ("exit 255", 255, "exited with status 255"),
        ("kill -KILL $$", 137, "was killed by SIGKILL"),
        ("kill -TERM $$", 143, "was killed by SIGTERM"),
    ];
    for (script, code, sentence) in table {
        let mut child = shell(script, &[]);
        let exit = timeout(BOUND, child.wait()).await.unwrap();
        assert_eq!((exit.exit_code(), exit.to_string().as_str()), (code, sentence));
        assert_eq!(child.wait().await, exit, "a second question gets the same answer");
    }
}

#[tokio::test]
async fn what_cannot_be_run_is_told_apart_as_a_shell_does() {
    let scratch = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str, mode| {
        let path = scratch.path().join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let missing = scratch.path().join("missing").to_str().unwrap().to_owned();
    let table = [
        ("no-such-program-anywhere".to_owned(), 127, "not found"),
        (missing, 127, "not found"),
        (format!("{}/x", file("plain", "", 0o755)), 127, "not found"),
        (file("not-executable", "#!/bin/sh\n", 0o644), 126, "is it executable?"),
        (scratch.path().to_str().unwrap().to_owned(), 126, "directory"),
        (file("script", "#!/no/such/interpreter\n", 0o755), 126, "interpreter"),
        ("nul\0byte".to_owned(), 126, "NUL"),
    ];
    for (program, code, words) in table {
        let error: SpawnError = Child::spawn(&launch(&program, &[])).unwrap_err();
        assert_eq!(error.exit_code(), code, "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[tokio::test]
async fn the_environment_is_ours_and_the_additions() {
    let scratch = tempfile::tempdir().unwrap();
    let out = scratch.path().join("out");
    let mut launch = launch("sh", &["-c", "echo $PORT $PATH >$OUT"]);
    launch.env = vec![("PORT".into(), "41234".into()), ("OUT".into(), out.clone().into())];
    let mut child = Child::spawn(&launch).unwrap();
    assert_eq!(timeout(BOUND, child.wait()).await.unwrap(), Exit::Code(0));
    assert_eq!(
        words_of(&out).await,
        ["41234".to_owned(), std::env::var_os("PATH").unwrap().into_string().unwrap()]
    );
}

#[tokio::test]
async fn f39_killing_the_group_reaches_grandchildren_after_the_leaders_end() {
    let mark = mark();
    let mut child = shell("sleep $1 & sh -c 'sleep $1 & sleep $1' sh $1 & exit 3", &[&mark]);
    assert_eq!(timeout(BOUND, child.wait()).await.unwrap(), Exit::Code(3));
    eventually("three sleepers", || marked(&mark).len() >= 3).await;
    assert!(group::members(child.pid()).len() >= 3);
    // The dead leader holds the number, so the group can still be told to end.
    child.signal_group(Signal::Terminate);
    eventually("SIGTERM reached them", || marked(&mark).is_empty()).await;
    assert_eq!(child.end_group(BOUND).await, Vec::<u32>::new());
    assert!(group::members(child.pid()).is_empty());
    child.signal_group(Signal::Terminate);
    child.kill_group();
    assert_eq!(child.wait().await, Exit::Code(3), "burial does not forget how it ended");
}

#[tokio::test]
async fn f38_a_child_that_ignores_sigterm_is_killed() {
    let scratch = tempfile::tempdir().unwrap();
    let (up, told) = (scratch.path().join("up"), scratch.path().join("told"));
    let script = "trap 'echo told >$2' TERM; echo up >$1; while :; do sleep 0.01; done";
    let mut child = shell(script, &[up.to_str().unwrap(), told.to_str().unwrap()]);
    words_of(&up).await;
    child.signal_group(Signal::Terminate);
    words_of(&told).await;
    assert_eq!(child.look(), None, "it took the signal and went on");
    assert_eq!(child.end_group(BOUND).await, Vec::<u32>::new());
    assert_eq!(child.wait().await, Exit::Signal { number: 9, core: false });
}

#[tokio::test]
async fn waiting_may_be_given_up_and_taken_up_again() {
    let mut child = shell("read line <&0; sleep 30", &[]);
    for _ in 0..50 {
        if timeout(Duration::from_millis(1), child.wait()).await.is_ok() {
            panic!("it has not ended");
        }
    }
    child.kill_group();
    assert_eq!(
        timeout(BOUND, child.wait()).await.unwrap(),
        Exit::Signal { number: 9, core: false }
    );
}

#[tokio::test]
async fn a_dropped_child_is_killed_with_its_group() {
    let mark = mark();
    let child = shell("sleep $1 & sleep $1", &[&mark]);
    eventually("two sleepers", || marked(&mark).len() >= 2).await;
    drop(child);
    eventually("nobody left", || marked(&mark).is_empty()).await;
}

#[tokio::test]
async fn a36_hundreds_of_rounds_hit_no_bystander() {
    let mut bystander = Running::start(std::process::Command::new("sleep").arg(mark()));
    for _ in 0..200 {
        let mut child = Child::spawn(&launch("true", &[])).unwrap();
        child.signal_group(Signal::Terminate);
        timeout(BOUND, child.wait()).await.unwrap();
        child.signal_group(Signal::Terminate);
        assert_eq!(child.end_group(BOUND).await, Vec::<u32>::new());
        child.signal_group(Signal::Terminate);
    }
    assert!(bystander.0.try_wait().unwrap().is_none());
}

/// Starts a copy of us with descriptors, ignored signals and a mask that it did not ask for.
const DIRTY: &str = "import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGUSR1, signal.SIGCHLD])
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGPIPE, signal.SIGRTMAX):
    signal.signal(number, signal.SIG_IGN)
for number in (7, 99, 1000): os.dup2(0, number, inheritable=True)
os.execvp(sys.argv[1], sys.argv[1:])";

#[test]
fn a37_the_child_inherits_no_dirt() {
    Helper::new("clean").run(&["python3", "-c", DIRTY]);
}

pub(crate) async fn clean_helper(_scratch: PathBuf) {
    assert!(fs::exists("/proc/self/fd/99").unwrap(), "the dirt is there");
    let own = fs::read_to_string("/proc/self/status").unwrap();
    assert!(field(&own, "SigIgn") != 0 && field(&own, "SigBlk") != 0, "the dirt is there");
    // The very first a front does, or else it never hears of its child's end. The child must not
    // need it.
    let mut child = Child::spawn(&launch("sleep", &["1000"])).unwrap();
    let blocked = fs::read_to_string(format!("/proc/{}/status", child.pid())).unwrap();
    assert_eq!(field(&blocked, "SigBlk"), 0);
    assert_eq!(child.end_group(BOUND).await, Vec::<u32>::new());
    mask::clear();

    let mut child = Child::spawn(&launch("sleep", &["1000"])).unwrap();
    let directory = format!("/proc/{}/fd", child.pid());
    let descriptors = || -> BTreeSet<String> {
        fs::read_dir(&directory)
            .unwrap()
            .flatten()
            .map(|entry| entry.file_name().into_string().unwrap())
            .collect()
    };
    // Its loader has a library open for a moment.
    eventually("stdio alone", || descriptors() == ["0", "1", "2"].map(str::to_owned).into()).await;
    let status = fs::read_to_string(format!("/proc/{}/status", child.pid())).unwrap();
    for name in ["SigIgn", "SigBlk", "SigCgt", "SigPnd", "ShdPnd"] {
        assert_eq!(field(&status, name), 0, "{name}");
    }
    child.signal_group(Signal::Terminate);
    assert_eq!(
        timeout(BOUND, child.wait()).await.unwrap(),
        Exit::Signal { number: 15, core: false }
    );
}

fn field(status: &str, name: &str) -> u64 {
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    u64::from_str_radix(line.split_whitespace().nth(1).unwrap(), 16).unwrap()
}

#[test]
fn f19_the_raised_limit_is_ours_alone() {
    Helper::new("limits").run(&["sh", "-c", "ulimit -Sn 200; exec \"$0\" \"$@\""]);
}

pub(crate) async fn limits_helper(_scratch: PathBuf) {
    let (soft, hard) = limits::raise_descriptor_limit();
    assert!(soft == hard && soft > 200);
    assert_eq!(limits::raise_descriptor_limit(), (soft, hard));
    let child = Child::spawn(&launch("sleep", &["1000"])).unwrap();
    let table = fs::read_to_string(format!("/proc/{}/limits", child.pid())).unwrap();
    let line = table.lines().find(|line| line.starts_with("Max open files")).unwrap();
    assert_eq!(line.split_whitespace().nth(3), Some("200"), "{line}");
}
