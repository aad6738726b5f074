//! Three instances, three hundred users, and one instance that dies in the middle.
//!
//! Breaks an instance with SIGKILL, its door with it, and puts a cold one in its place: every user ends with the whole
//! transcript, in order, nothing doubled and nothing lost, and a judge compares it with the database.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    dead_code,
    reason = "tests say what they expect by unwrapping; the stage is that of other plays, too"
)]

#[path = "fleet/checker.rs"]
mod checker;
#[path = "../../../crates/vestibule-checks/tests/servers/daemon.rs"]
mod daemon;
#[path = "../../../crates/vestibule-checks/tests/servers/nats_server.rs"]
mod nats_server;
#[path = "../../../crates/vestibule-checks/tests/servers/postgres_server.rs"]
mod postgres_server;
#[path = "../../../crates/vestibule-checks/tests/servers/redis_server.rs"]
mod redis_server;
#[path = "stage/stage.rs"]
mod stage;
#[path = "fleet/user.rs"]
mod user;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt as _;
use nats_server::{JETSTREAM, Nats};
use postgres_server::Postgres;
use redis_server::Redis;
use stage::service::{Service, Setup};
use stage::{eventually, watched};
use tokio::sync::Mutex as AsyncMutex;
use user::{Addresses, User};

const USERS: usize = 300;
const MESSAGES: usize = 2;
const INSTANCES: usize = 3;

/// One fleet at a time: two of them on two processors would measure each other.
static ALONE: AsyncMutex<()> = AsyncMutex::const_new(());

/// An instance behind its door.
async fn instance(postgres: &Postgres, bus: &str, cold_start: &str) -> Service {
    Setup::cold(cold_start)
        .with("DATABASE_URL", &postgres.url(""))
        .with("BUS_URL", bus)
        .with("LEASE", "1s")
        .with("MODEL_PACE", "20ms")
        .with("LOG", "warn")
        .flag("--hold=30s")
        .behind_the_door()
        .await
}

/// Waits until it answers as ready.
async fn is_up(service: &Service) {
    let http = stage::account::Http::of(&service.address);
    let (status, body) = http.send(http.request(reqwest::Method::GET, "/health")).await;
    assert_eq!(status, 200, "{body}");
}

async fn nobody_loses_a_word(bus: &str) {
    let postgres = Postgres::start("max_connections = 60").await;
    let mut fleet = Vec::new();
    for _ in 0..INSTANCES {
        fleet.push(instance(&postgres, bus, "0s").await);
    }
    for service in &fleet {
        is_up(service).await;
    }
    let known: Vec<String> = fleet.iter().map(|service| service.address.clone()).collect();
    let addresses: Addresses = Arc::new(Mutex::new(known));
    // A few at a time: each password takes a processor for a while.
    let signing_up = futures_util::stream::iter(0..USERS)
        .map(|turn| User::new(&addresses, turn, MESSAGES))
        .buffer_unordered(12);
    let users: Vec<User> = signing_up.collect().await;

    let answers = Arc::new(AtomicUsize::new(0));
    let chatting = users.into_iter().map(|user| {
        let answers = Arc::clone(&answers);
        tokio::spawn(user.chat(move || {
            answers.fetch_add(1, Ordering::Relaxed);
        }))
    });
    let chatting: Vec<_> = chatting.collect();
    let some = USERS * MESSAGES / 4;
    eventually("some answers", Duration::from_secs(60), || answers.load(Ordering::Relaxed) >= some)
        .await;
    fleet[0].process.kill().await;
    assert!(answers.load(Ordering::Relaxed) < USERS * MESSAGES, "too late to see anything");
    let cold = instance(&postgres, bus, "600ms").await;
    addresses.lock().unwrap()[0].clone_from(&cold.address);

    let mut users = Vec::new();
    for user in chatting {
        users.push(user.await.unwrap());
    }
    let losses: usize = users.iter().map(|user| user.losses).sum();
    assert!(losses >= USERS / INSTANCES / 2, "only {losses} lost their sockets");
    let stored = checker::stored(&postgres.sql(checker::QUESTION));
    assert_eq!(stored.len(), USERS);
    for user in &users {
        checker::judge(user, &stored);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_that_dies_costs_nobody_a_word_on_postgres_and_redis() {
    let _alone = ALONE.lock().await;
    watched("a fleet on Redis", async {
        let redis = Redis::start("").await;
        let url = format!("redis://:{}@127.0.0.1:{}", redis_server::PASSWORD_IN_URL, redis.port());
        nobody_loses_a_word(&url).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_that_dies_costs_nobody_a_word_on_postgres_and_nats() {
    let _alone = ALONE.lock().await;
    watched("a fleet on NATS", async {
        let nats = Nats::start(JETSTREAM).await;
        nobody_loses_a_word(&format!("nats://127.0.0.1:{}", nats.port())).await;
    })
    .await;
}
