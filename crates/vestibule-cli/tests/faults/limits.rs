//! Limits: of processes and threads, of memory, of the machine's descriptors.
//!
//! Breaks it with real limits, and at the system call where a limit is the whole machine's.

use std::process::Stdio;
use std::time::Duration;

use crate::machine::{self, can, limited, with_processes};
use crate::stage::{Stage, eventually, words};

const PARALLEL: usize = 8;
/// Longer than the hold of those who wait.
const STOOD_STILL: Duration = Duration::from_millis(1500);

/// A service that has nothing to do with the door's limits, and its address.
fn service(stage: &Stage) -> (tokio::process::Child, String) {
    let path = stage.path("service");
    let line = stage.app(&[&format!("unix={path}")]);
    let (mark, value) = stage.mark();
    let mut command = tokio::process::Command::new(&line[0]);
    command.args(&line[1..]).env(mark, value).stdin(Stdio::null()).kill_on_drop(true);
    (command.spawn().unwrap(), format!("unix:{path}"))
}

/// Every number of processes from too few to enough: it says what is lacking, or it serves; it never
/// panics, and never hangs.
#[tokio::test]
async fn f19_however_few_processes_there_may_be_it_serves_or_says_why_not() {
    if !can(&with_processes(64), "few processes") {
        return;
    }
    let (mut served, mut refused) = (0, 0);
    for count in 2..14 {
        let stage = Stage::new();
        let line = ["run", "--listen", "127.0.0.1:0", "--", "sleep", "0.2"];
        let mut door = machine::start(&stage, &with_processes(count), &line, &[]);
        match door.exit().await {
            0 => served += 1,
            71 => {
                assert!(door.logs("ulimit -u").await.contains("pids.max"), "{count}");
                refused += 1;
            }
            // 101 would be a panic.
            other => panic!("{count}: {other}: {:?}", door.log()),
        }
        stage.nothing_is_left(&format!("{count} processes")).await;
    }
    assert!(served > 0 && refused > 0, "{served} served, {refused} refused");
}

#[tokio::test]
async fn f19_a_race_without_threads_says_so() {
    if !can(&with_processes(64), "few processes") {
        return;
    }
    let stage = Stage::new();
    for line in [&["race", "--", "true"][..], &["demo"]] {
        let mut door = machine::start(&stage, &with_processes(1), line, &[]);
        assert_eq!(door.exit().await, 71, "{:?}", door.log());
        assert!(door.logs("error: ").await.contains("no further thread"));
        door.logs("hint: raise the limit of processes").await;
    }
}

#[tokio::test]
async fn f18_in_an_address_space_of_64_mib_it_serves() {
    let stage = Stage::new();
    let poor = limited(&["--as=67108864:unlimited"]);
    if !can(&poor, "little memory") {
        return;
    }
    let line = ["run", "--listen", "127.0.0.1:0", "--hold", "25s", "--"];
    let app = [words(&["prlimit", "--as=unlimited"]), stage.app(&[])].concat();
    let door = machine::start(&stage, &poor, &line, &app);
    let mut clients = door.clients(PARALLEL).await;
    for client in &mut clients {
        client.is_served().await;
    }
}

/// The table of all files is full (ENFILE), or the kernel has no memory (ENOBUFS, ENOMEM): connections wait
/// in the kernel, and each is served afterwards.
#[tokio::test]
async fn f15_f16_a_machine_short_of_files_or_memory_accepts_later() {
    for error in ["ENFILE", "ENOBUFS", "ENOMEM"] {
        let poor = machine::failing(&format!("accept4:error={error}:when=1..5"));
        let far = machine::failing(&format!("accept4:error={error}:when=1000"));
        if !can(&far, &format!("accept that fails with {error}")) {
            continue;
        }
        let stage = Stage::new();
        let (_service, upstream) = service(&stage);
        let line = ["serve", "--listen", "127.0.0.1:0", "--upstream", &upstream, "--hold", "25s"];
        let door = machine::start(&stage, &poor, &line, &[]);
        let mut clients = door.clients(PARALLEL).await;
        let paused = door.logs("accepting paused").await;
        assert!(paused.contains("wait in the kernel"), "{paused}");
        door.logs("accepting goes on").await;
        for client in &mut clients {
            client.is_served().await;
        }
        let said = door.log().iter().filter(|line| line.contains("accepting paused")).count();
        assert_eq!(said, 1, "{error}");
    }
}

/// A connection that died before it was accepted is nobody's fault, and costs no pause.
#[tokio::test]
async fn a_connection_that_dies_before_it_is_accepted_is_passed_over() {
    let poor = machine::failing("accept4:error=ECONNABORTED:when=1..50");
    if !can(&machine::failing("accept4:error=ECONNABORTED:when=1000"), "aborted connections") {
        return;
    }
    let stage = Stage::new();
    let (_service, upstream) = service(&stage);
    let line = ["serve", "--listen", "127.0.0.1:0", "--upstream", &upstream, "--hold", "25s"];
    let door = machine::start(&stage, &poor, &line, &[]);
    door.client().await.is_served().await;
    assert!(!door.log().iter().any(|line| line.contains("accepting paused")));
}

/// What the front does on a clock that stands still for a while: a VM that was paused, or a processor
/// that was taken away. Deadlines that have passed meanwhile are met once.
#[tokio::test]
async fn f20_a_front_that_stood_still_answers_each_client_once() {
    use rustix::process::Signal;
    let stage = Stage::new();
    let line = ["run", "--listen", "127.0.0.1:0", "--hold", "1s", "--"];
    let mut door = machine::start(&stage, &words(&["env"]), &line, &stage.app(&["wait", "term=6"]));
    let mut held = door.clients(PARALLEL).await;
    assert!(held[0].is_held().await);
    door.signal(Signal::STOP).await;
    let since = tokio::time::Instant::now();
    eventually("its clients' time is over", || since.elapsed() > STOOD_STILL).await;
    stage.touch("wait");
    stage.notes("bound").await;
    door.signal(Signal::CONT).await;
    for mut client in held.drain(..) {
        let answer = client.answer().await;
        // Its time was over; it may also have been the first to be served.
        assert!(answer.status == 503 || answer.status == 101, "{answer:?}");
    }
    door.client().await.is_served().await;
    door.signal(Signal::TERM).await;
    assert_eq!(door.exit().await, 6);
}
