//! SIGTERM at random moments of a cold start.
//!
//! Breaks the order of leaving wherever it may stand: before the child is there, while clients are held, handed over
//! or served. `VESTIBULE_TEST_ROUNDS` and `VESTIBULE_TEST_SEED` set how many and which.

use std::time::Duration;

use fastrand::Rng;
use rustix::process::Signal;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::client::Client;
use crate::stage::Stage;

const ROUNDS: u64 = 20;
/// So many are under way at a time.
const SIDE_BY_SIDE: usize = 5;
const CLIENTS: u64 = 6;
/// Around which cold starts are spread; SIGTERM comes within twice this.
const COLD_START: Duration = Duration::from_millis(600);

#[tokio::test]
async fn f35_sigterm_at_any_moment_leaves_nothing_and_nobody_unanswered() {
    let rounds = variable("VESTIBULE_TEST_ROUNDS").unwrap_or(ROUNDS);
    let seed = variable("VESTIBULE_TEST_SEED").unwrap_or_else(|| fastrand::u64(..1_000_000));
    println!("VESTIBULE_TEST_SEED={seed} VESTIBULE_TEST_ROUNDS={rounds}");
    let mut running = JoinSet::new();
    for number in 0..rounds {
        if running.len() == SIDE_BY_SIDE {
            running.join_next().await.unwrap().unwrap();
        }
        running.spawn(round(seed.wrapping_add(number)));
    }
    while let Some(ended) = running.join_next().await {
        ended.unwrap();
    }
}

fn variable(name: &str) -> Option<u64> {
    std::env::var_os(name)?.to_str()?.parse().ok()
}

async fn round(seed: u64) {
    let mut random = Rng::with_seed(seed);
    let stage = Stage::new();
    let ready = ["tcp", "http:/health", "notify"][random.usize(..3)];
    let bind = COLD_START.mul_f64(random.f64()).as_secs_f64();
    let mut app = stage.app(&[&format!("bind={bind}"), "notify=READY=1"]);
    app.extend((random.bool()).then(|| "term=7".to_owned()));
    let begun = Instant::now();
    let mut door = stage.start(&[], &["--ready", ready, "--hold", "25s"], &app);
    let term = begun + COLD_START.mul_f64(2.0 * random.f64());
    let mut clients = JoinSet::new();
    let arrivals: Vec<_> = (0..CLIENTS).map(|_| COLD_START.mul_f64(2.0 * random.f64())).collect();
    let address = tokio::select! {
        address = door.listening() => Some(address),
        () = sleep_until(term) => None,
    };
    for at in arrivals.into_iter().map(|after| begun + after).filter(|at| *at < term) {
        let Some(address) = address.clone() else { break };
        clients.spawn(async move {
            sleep_until(at).await;
            one_answer(&address).await
        });
    }
    sleep_until(term).await;
    door.signal(Signal::TERM).await;
    while let Some(seen) = clients.join_next().await {
        seen.unwrap().unwrap_or_else(|wrong| {
            panic!("seed {seed}, ready {ready}: {wrong}\n{:#?}", door.log())
        });
    }
    let status = door.exit().await;
    // The child's own, its death by the signal, or ours before there was a child.
    assert!([7, 143, -15].contains(&status), "seed {seed}: {status} {:#?}", door.log());
    stage.nothing_is_left(&format!("seed {seed}")).await;
}

/// Whether a client got exactly one answer: a refusal and the end, or a tunnel and its Close.
async fn one_answer(address: &str) -> Result<(), String> {
    // Nobody listens before the door does, nor after: no connection, no answer.
    let Ok(mut client) = Client::connect(address).await else { return Ok(()) };
    if client.ask_for_a_websocket("").await.is_err() {
        return Err("the connection was broken off before it was read".into());
    }
    let answer = client.try_answer().await?;
    match answer.status {
        503 => {
            let rest = client.rest().await;
            rest.is_empty().then_some(()).ok_or_else(|| format!("after {answer:?}: {rest:?}"))
        }
        101 => match client.frame().await? {
            (8, payload) if payload.starts_with(&1012_u16.to_be_bytes()) => Ok(()),
            other => Err(format!("no Close 1012: {other:?}")),
        },
        _ => Err(format!("{answer:?}")),
    }
}
