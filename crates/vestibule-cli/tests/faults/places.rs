//! Places that are full, read-only, hidden or missing.
//!
//! Breaks it with mounts of its own for each fault.

use std::fs;
use std::process::Stdio;

use rustix::process::Signal;

use crate::door::Door;
use crate::machine::{self, BACKEND, Before, NOBODY, as_nobody, can, mounts};
use crate::stage::{Stage, words};

/// Without an admin address: a door of another test may have the usual one.
const RUN: [&str; 8] = ["run", "--listen", "127.0.0.1:0", "--admin", "off", "--hold", "25s", "--"];

/// Runs the small service in such a place, is served, and leaves. Without a runtime directory.
async fn is_served(stage: &Stage, before: &[String], app: &[&str]) -> Door {
    let mut command = machine::command(stage, before, &RUN, &stage.app(app));
    command.env_remove("XDG_RUNTIME_DIR");
    let mut door = Door::spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()), false);
    let mut client = door.client().await;
    client.is_served().await;
    door.signal(Signal::TERM).await;
    assert_eq!(client.close().await, 1012);
    assert_eq!(door.exit().await, 6);
    door
}

/// The service's readiness still arrives, at an abstract address, and that is said.
#[tokio::test]
async fn f42_where_nothing_can_be_written_it_serves_and_says_what_that_means() {
    let stage = Stage::new();
    let scratch = stage.runtime_directory();
    let scratch = scratch.parent().unwrap().to_str().unwrap();
    // What the service waits for is in /tmp, too: it is put back over it, where this test alone sees it.
    let before = mounts(&format!(
        "mount --bind {scratch} /mnt; mount -t tmpfs -o ro none /run; mount -t tmpfs none /tmp; \
         mkdir -p {scratch}; mount --bind /mnt {scratch}; mount -o remount,ro /tmp",
    ));
    if !can(&before, "a read-only file system") {
        return;
    }
    stage.touch("ready");
    let door = is_served(&stage, &before, &["ready", "notify=READY=1", "term=6"]).await;
    let said = door.logs("its address is abstract").await;
    assert!(said.contains("notify socket"), "{said}");
}

/// No room for one more file: the next place is taken.
#[tokio::test]
async fn f23_a_full_place_for_the_notify_socket_is_passed_over() {
    let before = mounts("mount -t tmpfs -o size=4k,nr_inodes=1 none /run");
    if !can(&before, "a full disk") {
        return;
    }
    let stage = Stage::new();
    stage.touch("ready");
    is_served(&stage, &before, &["ready", "notify=READY=1", "term=6"]).await;
}

#[tokio::test]
async fn f23_a_full_disk_leaves_no_half_report_and_says_so() {
    let before = mounts("mount -t tmpfs -o size=4k none /mnt");
    if !can(&before, "a full disk") {
        return;
    }
    let stage = Stage::new();
    // What is left is looked at from inside, since nobody else can see that place.
    let look = "\"$@\"; status=$?; ls -A /mnt; exit $status";
    let before = [before, words(&["sh", "-c", look, "sh"])].concat();
    let line = [
        "race",
        "--clients",
        "60",
        "--spread",
        "100ms",
        "--junit",
        "/mnt/report.xml",
        "--json",
        "--",
    ];
    let mut door = machine::start(&stage, &before, &line, &words(&BACKEND));
    assert_eq!(door.exit().await, 71, "{:?}", door.log());
    let said = door.logs("error: ").await;
    assert!(said.contains("/mnt/report.xml") && said.contains("No space left"), "{said}");
    door.logs("hint: ").await;
    assert_eq!(door.stdout().await, "", "a report that is not whole stayed");
}

#[tokio::test]
async fn a_unix_socket_that_cannot_be_made_is_71_with_what_to_do() {
    let read_only = mounts("mount -t tmpfs -o ro none /mnt");
    let long = format!("unix:/tmp/{}", "x".repeat(120));
    let rows: [(&str, Before, &str, &str); 4] = [
        ("a read-only place", read_only, "unix:/mnt/door", "can be written"),
        (
            "no directory",
            words(&["env"]),
            "unix:/no/such/place/door",
            "make the socket's directory",
        ),
        ("a long path", words(&["env"]), &long, "at most 107 bytes"),
        ("a stranger's place", as_nobody(), "unix:/door", "this user may write to"),
    ];
    for (fault, before, listen, hint) in rows {
        if !can(&before, fault) {
            continue;
        }
        let stage = Stage::new();
        let line = ["serve", "--listen", listen, "--upstream", "127.0.0.1:9"];
        let mut door = machine::start(&stage, &before, &line, &[]);
        assert_eq!(door.exit().await, 71, "{fault}");
        assert!(door.logs("error: ").await.contains(listen), "{fault}");
        assert!(door.logs("hint: ").await.contains(hint), "{fault}: {:?}", door.log());
    }
}

/// As OpenShift starts containers: any number for a user, no name, no home, no environment.
#[tokio::test]
async fn f43_a_user_without_name_home_or_rights_is_served() {
    let before = as_nobody();
    if !can(&before, "a user without a name") {
        return;
    }
    let passwd = fs::read_to_string("/etc/passwd").unwrap();
    assert!(!passwd.contains(&format!(":{NOBODY}:")), "somebody has that number");
    let stage = Stage::new();
    let (mark, value) = stage.mark();
    let mut command = machine::command(&stage, &before, &RUN, &words(&BACKEND));
    command.env_clear().env(mark, value).env("PATH", std::env::var_os("PATH").unwrap());
    let mut door = Door::spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()), false);
    let mut client = door.client().await;
    client.is_served().await;
    door.signal(Signal::TERM).await;
    assert_eq!(client.close().await, 1012);
    assert_eq!(door.exit().await, 0);
    stage.nothing_is_left("nobody").await;
    let unexpected = |line: &&String| line.contains("WARN") && !line.contains("open files");
    assert_eq!(door.log().iter().find(unexpected), None);
}

/// Without /proc it serves and leaves; what it can't see any more is said.
#[tokio::test]
async fn f42_without_proc_it_serves_and_says_what_it_cannot_see() {
    let before = mounts("mount -t tmpfs none /proc");
    if !can(&before, "no /proc") {
        return;
    }
    let stage = Stage::new();
    stage.touch("ready");
    let door = is_served(&stage, &before, &["ready", "notify=READY=1", "term=6"]).await;
    door.logs("no /proc: ").await;
    let line = ["race", "--compare", "--clients", "3", "--spread", "300ms", "--json", "--"];
    let mut race = machine::start(&stage, &before, &line, &words(&BACKEND));
    assert_eq!(race.exit().await, 0, "{:?}", race.log());
}
