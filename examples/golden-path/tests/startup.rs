//! How a start ends: complete, given up with its reason, refused with all mistakes, or asked to end in the middle.
//!
//! Breaks what the start needs, its settings, its port, and its patience.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    dead_code,
    reason = "tests say what they expect by unwrapping; the stage is that of other plays, too"
)]

#[path = "../../../crates/vestibule-checks/tests/servers/daemon.rs"]
mod daemon;
#[path = "../../../crates/vestibule-checks/tests/servers/postgres_server.rs"]
mod postgres_server;
#[path = "stage/stage.rs"]
mod stage;

use std::time::Duration;

use postgres_server::Postgres;
use reqwest::Method;
use stage::account::Http;
use stage::ports::free_port;
use stage::service::{Service, Setup};
use stage::{eventually, watched};
use tokio::time::Instant;

async fn health(service: &Service) -> serde_json::Value {
    let http = Http::of(&service.address);
    http.send(http.request(Method::GET, "/health")).await.1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_comes_late_is_waited_for_and_its_phase_says_so() {
    watched("a late database", async {
        let mut postgres = Postgres::prepare("").await;
        let service = Setup::cold("0s").with("DATABASE_URL", &postgres.url("")).bare().await;
        service.process.logs("not there yet").await;
        assert_eq!(health(&service).await["phase"], "database");
        postgres.run().await;
        service.is_ready().await;
        let health = health(&service).await;
        assert_eq!(health["status"], "ready");
        let phases = health["phases"].as_array().unwrap();
        assert!(phases.iter().all(|phase| phase["state"] == "done"), "{health:#}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_that_needs_too_long_ends_with_its_reason_and_the_door_tells_it() {
    watched("a start that is given up", async {
        let nowhere = format!("postgres://canary:canary-word@127.0.0.1:{}/x", free_port());
        let setup = || {
            let setup = Setup::cold("0s").with("DATABASE_URL", &nowhere);
            setup.with("START_WITHIN", "700ms")
        };
        let (mut bare, mut behind) = tokio::join!(setup().bare(), setup().behind_the_door());
        assert_eq!(bare.process.ended().await, 69);
        assert_eq!(behind.process.ended().await, 69);
        for log in [bare.process.log().join("\n"), behind.process.log().join("\n")] {
            assert!(log.contains("database: the database does not answer"), "{log}");
            assert!(!log.contains("canary"), "{log}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_settings_end_it_at_once_with_all_mistakes_and_no_secret() {
    watched("wrong settings", async {
        let setup = Setup::cold("coffee=1s").with("LEASE", "soon").with("MODEL_URL", "canary-word");
        let mut service = setup.with("MODEL_API_KEY", "canary-key").start_alone();
        assert_eq!(service.process.ended().await, 78);
        let named = || {
            let log = service.process.log().join("\n");
            ["COLD_START:", "LEASE:", "MODEL_URL:"].iter().all(|name| log.contains(name))
        };
        eventually("all mistakes", Duration::from_secs(5), named).await;
        assert!(!service.process.log().join("\n").contains("canary"));

        let mut service =
            Setup::cold("0s").with("DATABASE_URL", "mysql://canary@h/x").start_alone();
        assert_eq!(service.process.ended().await, 78);
        let said = service.process.logs("DATABASE_URL").await;
        assert!(said.contains("sqlite: or postgres://") && !said.contains("canary"), "{said}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_that_is_taken_is_told() {
    watched("a taken port", async {
        let first = Setup::cold("0s").bare().await;
        let mut second = Setup::cold("0s").at(&first.address).start_alone();
        assert_eq!(second.process.ended().await, 69);
        let said = second.process.logs("the start failed").await;
        assert!(said.contains("can't listen on"), "{said}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_that_is_asked_to_end_ends_at_once() {
    watched("SIGTERM in the middle", async {
        let mut service = Setup::cold("database=60s").bare().await;
        let asked = Instant::now();
        assert_eq!(service.process.terminate().await, 0);
        assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    })
    .await;
}
