//! SIGHUP with a configuration file.
//!
//! Breaks it with files that are wrong, under tunnels that are busy and clients that are held, and expects
//! that nobody notices but those who come later.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use rustix::process::Signal;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::client::Client;
use crate::door::Door;
use crate::echo::Echo;
use crate::stage::{Stage, eventually};

const TUNNELS: usize = 500;
const HELD: usize = 100;

/// Writes the file.
fn write(stage: &Stage, text: &str) {
    std::fs::write(stage.path("vestibule.toml"), text).unwrap();
}

/// Writes the file, sends SIGHUP, and waits for one more line with these words.
async fn reload(stage: &Stage, door: &Door, text: &str, words: &str) -> String {
    let lines = || door.log().into_iter().filter(|line| line.contains(words)).collect::<Vec<_>>();
    let before = lines().len();
    write(stage, text);
    door.signal(Signal::HUP).await;
    eventually(words, || lines().len() > before).await;
    lines().pop().unwrap()
}

/// Busy tunnels: each says numbers and hears them back, in order, until it is told to stop.
struct Busy {
    stop: Arc<AtomicBool>,
    rounds: Arc<AtomicUsize>,
    tunnels: JoinSet<()>,
}

impl Busy {
    async fn start(door: &Door) -> Self {
        let (stop, rounds) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let mut tunnels = JoinSet::new();
        for mut client in door.clients(TUNNELS).await {
            client.is_served().await;
            let (stop, rounds) = (Arc::clone(&stop), Arc::clone(&rounds));
            tunnels.spawn(async move {
                let mut number = 0;
                while !stop.load(Ordering::Relaxed) {
                    client.echoes(&format!("number {number}")).await;
                    rounds.fetch_add(1, Ordering::Relaxed);
                    number += 1;
                }
            });
        }
        Self { stop, rounds, tunnels }
    }

    /// Waits until each tunnel, on average, has said one more thing.
    async fn goes_on(&self) {
        let before = self.rounds.load(Ordering::Relaxed);
        eventually("the tunnels go on", || self.rounds.load(Ordering::Relaxed) >= before + TUNNELS)
            .await;
    }

    async fn ends_well(mut self) {
        self.goes_on().await;
        self.stop.store(true, Ordering::Relaxed);
        while let Some(ended) = self.tunnels.join_next().await {
            ended.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f25_a_reload_loses_no_tunnel_and_nobody_who_is_held() {
    let stage = Stage::new();
    let mut echo = Echo::start().await;
    let (upstream, file) = (echo.address(), stage.path("vestibule.toml"));
    write(&stage, &format!("upstream = \"{upstream}\"\nhold = \"60s\"\n"));
    let door = stage.serve(&["--config", &file]).await;
    let busy = Busy::start(&door).await;

    // Its port is closed, its tunnels live: newcomers are held.
    echo.stop_listening().await;
    let mut held = door.clients(HELD).await;
    assert!(held[0].is_held().await && held[HELD - 1].is_held().await);

    for round in 0..3 {
        let bad = format!("upstream = \"{upstream}\"\nhodl = \"1s\"\nhold = {round}\n");
        let line = reload(&stage, &door, &bad, "configuration refused").await;
        assert!(line.contains(":2: hodl: no such key; did you mean hold?"), "{line}");
        assert!(line.contains(&format!(":3: hold = {round}: a length of time")), "{line}");
        busy.goes_on().await;
        let good = format!("upstream = \"{upstream}\"\nhold = \"{}s\"\n", round + 1);
        let line = reload(&stage, &door, &good, "configuration reloaded").await;
        assert!(line.contains("changed=hold"), "{line}");
        busy.goes_on().await;
    }

    // For newcomers the new file is in force: three seconds.
    let came = Instant::now();
    let mut newcomer = door.client().await;
    newcomer.answer().await.is_refusal("deadline");
    let waited = came.elapsed();
    assert!(waited > Duration::from_millis(2500) && waited < Duration::from_secs(20), "{waited:?}");
    // For those who were held before it is not: they still are.
    assert!(held[0].is_held().await && held[HELD - 1].is_held().await);

    echo.listen_again().await;
    for client in &mut held {
        client.is_served().await;
    }
    busy.ends_well().await;
}

#[tokio::test]
async fn f25_fewer_places_throw_nobody_out_and_deadlines_stay() {
    let stage = Stage::new();
    let file = stage.path("vestibule.toml");
    write(&stage, "ready_path = \"/health\"\nhold = \"3s\"\n");
    let door = stage.run(&["--config", &file], &stage.app(&["ready"])).await;
    let came = Instant::now();
    let mut held = door.clients(3).await;
    assert!(held[2].is_held().await);
    let text = "ready_path = \"/health\"\nhold = \"50s\"\nmax_held = 2\nverbose = true\n";
    let line = reload(&stage, &door, text, "configuration reloaded").await;
    assert!(line.contains("changed=\"hold, max_held, verbose\""), "{line}");
    door.client().await.answer().await.is_refusal("queue_full");
    assert!(held[0].is_held().await);
    for client in &mut held {
        client.answer().await.is_refusal("deadline");
    }
    assert!(came.elapsed() < Duration::from_secs(20), "{:?}", came.elapsed());
}

#[tokio::test]
async fn what_can_not_change_waits_for_a_restart_by_name_and_the_rest_is_taken() {
    let stage = Stage::new();
    let file = stage.path("vestibule.toml");
    write(&stage, "drain = \"50s\"\nchild_grace = \"25s\"\n");
    let mut door = stage.run(&["--config", &file], &stage.app(&["term=ignore"])).await;
    stage.notes("bound").await;
    let text = "drain = \"1s\"\nchild_grace = \"300ms\"\nrestart = \"on-failure\"\nchild_term = \"first\"\n";
    let line = reload(&stage, &door, text, "configuration reloaded").await;
    assert!(line.contains("changed=\"drain, child_grace\""), "{line}");
    let line = door.logs("wait for a restart").await;
    assert!(line.contains("WARN") && line.contains("keys=\"restart, child_term\""), "{line}");
    // It is ours with a file: the child does not hear of it.
    assert!(stage.noted().iter().all(|(word, _)| word != "SIGHUP"), "{:?}", stage.noted());
    let begun = Instant::now();
    door.signal(Signal::TERM).await;
    assert_eq!(door.exit().await, 137);
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    stage.nothing_is_left("a reload").await;
}

#[tokio::test]
async fn f25_a_file_that_is_gone_is_refused_and_one_that_comes_back_is_taken() {
    let stage = Stage::new();
    let file = stage.path("vestibule.toml");
    let command = format!("command = {:?}\nhold = \"9s\"\n", stage.app(&["ready"]));
    write(&stage, &command);
    let line = ["run", "--listen", "127.0.0.1:0", "--config", &file].map(str::to_owned);
    let mut door = Door::start(&stage, &[], &line);
    door.listening().await;
    std::fs::remove_file(&file).unwrap();
    door.signal(Signal::HUP).await;
    let line = door.logs("configuration refused").await;
    assert!(line.contains("there is no such file"), "{line}");
    reload(&stage, &door, &command.replace("9s", "8s"), "configuration reloaded").await;
    let mut client: Client = door.client().await;
    stage.touch("ready");
    client.is_served().await;
    door.signal(Signal::TERM).await;
    door.exit().await;
}

/// Would break if a check that somebody added to the file were believed to be asked.
#[tokio::test]
async fn checks_wait_for_a_restart_and_each_is_named() {
    let stage = Stage::new();
    let file = stage.path("vestibule.toml");
    let check = |name: &str, timeout: &str| {
        format!(
            "[[check]]\nname = \"{name}\"\nurl = \"tcp://me.invalid:1\"\ntimeout = \"{timeout}\"\n"
        )
    };
    write(&stage, &(check("database", "1s") + &check("cache", "1s")));
    let mut door = stage.run(&["--config", &file], &stage.app(&["ready"])).await;
    let text = format!(
        "hold = \"9s\"\n# a line more moves all\n{}{}",
        check("cache", "1s"),
        check("database", "2s")
    );
    let text = text + &check("bus", "1s");
    let line = reload(&stage, &door, &text, "configuration reloaded").await;
    assert!(line.contains("changed=\"hold\"") || line.contains("changed=hold"), "{line}");
    let line = door.logs("wait for a restart").await;
    assert!(line.contains("keys=\"check bus, check database\""), "{line}");
    door.signal(Signal::TERM).await;
    door.exit().await;
}
