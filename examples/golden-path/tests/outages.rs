//! The database and the bus go away in the middle of runs, and come back.
//!
//! Breaks PostgreSQL, Redis and NATS under two instances with users whose answers are on their way, each of whom looks
//! on at the other instance, too. It degrades as docs/golden-path.md says, recovers alone, and loses nothing that was
//! acknowledged.
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
use reqwest::{Method, StatusCode};
use stage::account::Http;
use stage::service::{Service, Setup};
use stage::{eventually, watched};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use user::{Addresses, User};

const USERS: usize = 24;
const MESSAGES: usize = 2;

/// Two instances and their users, in the middle of runs.
struct Play {
    services: [Service; 2],
    chatting: Vec<JoinHandle<User>>,
    looking_on: Vec<JoinHandle<Vec<serde_json::Value>>>,
    answers: Arc<AtomicUsize>,
}

async fn instance(postgres: &Postgres, bus: &str) -> Service {
    let setup = Setup::cold("0s")
        .with("DATABASE_URL", &postgres.url(""))
        .with("BUS_URL", bus)
        .with("LEASE", "1s")
        .with("HEARTBEAT", "1s")
        .with("MODEL_PACE", "150ms");
    let service = setup.bare().await;
    service.is_ready().await;
    service
}

impl Play {
    /// Begins; some answers are there when it returns, and most are not.
    async fn begin(postgres: &Postgres, bus: &str) -> Self {
        let services = [instance(postgres, bus).await, instance(postgres, bus).await];
        let addresses: Addresses =
            Arc::new(Mutex::new(services.iter().map(|service| service.address.clone()).collect()));
        let signing_up = futures_util::stream::iter(0..USERS)
            .map(|turn| User::new(&addresses, turn, MESSAGES))
            .buffer_unordered(8);
        let users: Vec<User> = signing_up.collect().await;
        let answers = Arc::new(AtomicUsize::new(0));
        let (mut chatting, mut looking_on) = (Vec::new(), Vec::new());
        for user in users {
            looking_on.push(tokio::spawn(user.elsewhere().look_on(MESSAGES)));
            let answers = Arc::clone(&answers);
            chatting.push(tokio::spawn(user.chat(move || {
                answers.fetch_add(1, Ordering::Relaxed);
            })));
        }
        let play = Self { services, chatting, looking_on, answers };
        eventually("a first answer", Duration::from_secs(60), || play.answered() > 0).await;
        assert!(play.answered() < USERS * MESSAGES, "too late to see anything");
        play
    }

    fn answered(&self) -> usize {
        self.answers.load(Ordering::Relaxed)
    }

    /// Asks an instance itself.
    async fn ask(&self, path: &str) -> (StatusCode, serde_json::Value) {
        let http = Http::of(&self.services[0].address);
        http.send(http.request(Method::GET, path)).await
    }

    /// Waits until a check says so.
    async fn is_told(&self, path: &str, status: StatusCode, within: Duration) {
        let deadline = Instant::now() + within;
        while self.ask(path).await.0 != status {
            assert!(Instant::now() < deadline, "{path} does not come to {status}");
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Everybody has all of it, here and there.
    async fn end(self, postgres: &Postgres) {
        let mut users = Vec::new();
        for (chatting, looking_on) in self.chatting.into_iter().zip(self.looking_on) {
            let (user, seen) = (chatting.await.unwrap(), looking_on.await.unwrap());
            assert_eq!(user.heard, seen, "{} saw something else elsewhere", user.name());
            users.push(user);
        }
        let stored = checker::stored(&postgres.sql(checker::QUESTION));
        for user in &users {
            checker::judge(user, &stored);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_restarts_in_the_middle_of_runs_costs_nobody_a_word() {
    watched("PostgreSQL restarts", async {
        let mut postgres = Postgres::start("max_connections = 40").await;
        let redis = Redis::start("").await;
        let play = Play::begin(&postgres, &redis_url(&redis)).await;
        postgres.stop();
        // It says so, in bounded time, to the door and to clients; and it is still there.
        play.is_told(
            "/checks/integration",
            StatusCode::SERVICE_UNAVAILABLE,
            Duration::from_secs(10),
        )
        .await;
        let http = Http::of(&play.services[0].address);
        let log_in = serde_json::json!({ "name": "nobody", "password": "canary-password" });
        assert_eq!(http.post("/api/login", &log_in).await.0, StatusCode::SERVICE_UNAVAILABLE);
        postgres.run().await;
        play.is_told("/checks/integration", StatusCode::OK, Duration::from_secs(20)).await;
        assert_eq!(http.post("/api/login", &log_in).await.0, StatusCode::UNAUTHORIZED);
        play.end(&postgres).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_restarts_in_the_middle_of_runs_costs_nobody_a_word() {
    watched("Redis restarts", async {
        let postgres = Postgres::start("max_connections = 40").await;
        let mut redis = Redis::start("").await;
        let play = Play::begin(&postgres, &redis_url(&redis)).await;
        let before = play.answered();
        redis.kill();
        play.is_told("/checks/bridge", StatusCode::SERVICE_UNAVAILABLE, Duration::from_secs(10))
            .await;
        redis.run().await;
        play.is_told("/checks/bridge", StatusCode::OK, Duration::from_secs(10)).await;
        eventually("answers go on", Duration::from_secs(30), || play.answered() > before).await;
        play.end(&postgres).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bus_that_is_down_for_five_seconds_costs_nobody_a_word_and_stops_no_answer() {
    watched("NATS is away", async {
        let postgres = Postgres::start("max_connections = 40").await;
        let mut nats = Nats::start(JETSTREAM).await;
        let play = Play::begin(&postgres, &format!("nats://127.0.0.1:{}", nats.port())).await;
        let (down, before) = (Instant::now(), play.answered());
        nats.kill();
        play.is_told("/checks/bridge", StatusCode::SERVICE_UNAVAILABLE, Duration::from_secs(10))
            .await;
        // Nobody waits for the bus: answers come to the end while it is away.
        eventually("answers go on", Duration::from_secs(30), || play.answered() > before).await;
        tokio::time::sleep_until(down + Duration::from_secs(5)).await;
        nats.run().await;
        play.is_told("/checks/bridge", StatusCode::OK, Duration::from_secs(10)).await;
        play.end(&postgres).await;
    })
    .await;
}

fn redis_url(redis: &Redis) -> String {
    format!("redis://:{}@127.0.0.1:{}", redis_server::PASSWORD_IN_URL, redis.port())
}
