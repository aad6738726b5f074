//! The client's view through the door, of each kind of dependency.
//!
//! Breaks it by a dependency that comes late, one that never comes, and one that is killed and comes back.

use std::fs;
use std::time::Duration;

use tokio::time::Instant;

use crate::client::Client;
use crate::desk::Desk;
use crate::door::Door;
use crate::echo::Echo;
use crate::server::Server;
use crate::stage::Stage;

const ADMIN: [&str; 4] = ["--admin", "127.0.0.1:0", "--hold", "25s"];

/// Asked often, believed at once.
const QUICK: &str = "timeout = \"5s\"\ninterval = \"200ms\"\nfall = 1\nrise = 1\n";

/// The same play with a dependency of each kind, side by side.
async fn with_each(play: impl AsyncFn(Server)) {
    let postgres = async { play(Server::postgres().await).await };
    tokio::join!(postgres, play(Server::redis()), play(Server::nats()), play(Server::grpc()));
}

/// A file that declares this check and nothing else.
fn declares(stage: &Stage, server: &Server, further: &str) -> String {
    let file = stage.path("vestibule.toml");
    fs::write(&file, server.table(further)).unwrap();
    file
}

/// A door before this service, which is ready as soon as its one check says so.
async fn serving(stage: &Stage, echo: &Echo, server: &Server, further: &str) -> (Door, Desk) {
    let (file, upstream) = (declares(stage, server, further), echo.address());
    let flags = [&["--config", &file, "--upstream", &upstream][..], &ADMIN].concat();
    let door = stage.serve(&flags).await;
    let desk = Desk::of(&door).await;
    (door, desk)
}

/// The check's own part of a health document.
fn check<'a>(health: &'a serde_json::Value, server: &Server) -> &'a serde_json::Value {
    let check = &health["checks"][0];
    assert_eq!((&check["name"], &check["kind"]), (&server.kind().into(), &server.kind().into()));
    check
}

#[tokio::test]
async fn clients_are_held_until_a_late_dependency_answers_and_are_then_served() {
    with_each(async |mut server| {
        let (stage, echo) = (Stage::new(), Echo::start().await);
        let (door, desk) = serving(&stage, &echo, &server, QUICK).await;
        let mut held = door.client().await;
        let failed = |health: &serde_json::Value| check(health, &server)["outcome"] == "failed";
        let health = desk.shows("a failed try", failed).await;
        assert_eq!(check(&health, &server)["reason"], "refused", "{health:#}");
        assert_ne!(health["state"], "websocket_ready");
        assert_eq!(desk.readyz().await.0, 503);
        assert!(held.is_held().await, "{} is down, and a client was answered", server.kind());
        server.run().await;
        held.is_served().await;
        assert_eq!(desk.readyz().await, (200, "ready\n".to_owned()));
        let health = desk.health().await;
        assert_eq!(check(&health, &server)["outcome"], "passed", "{health:#}");
    })
    .await;
}

#[tokio::test]
async fn a_dependency_that_never_comes_ends_a_start_with_69_and_those_held_are_told() {
    with_each(async |server| {
        let stage = Stage::new();
        let file = declares(&stage, &server, QUICK);
        let flags = [&["--config", &file, "--startup-timeout", "1500ms"][..], &ADMIN].concat();
        let began = Instant::now();
        let mut door = stage.run(&flags, &stage.app(&["term=0"])).await;
        let mut held = door.client().await;
        let refusal = held.answer().await;
        let kind = server.kind();
        assert!(began.elapsed() >= Duration::from_millis(1500), "{kind}: before its budget's end");
        refusal.is_refusal("failed");
        assert!(!refusal.body.contains(kind), "a client is told of {kind}: {refusal:?}");
        assert_eq!(door.exit().await, 69, "{kind}");
        let log = door.log().join("\n");
        let named = log.lines().any(|line| {
            line.contains("not ready in time") && line.contains(&format!("check {kind}: "))
        });
        assert!(named, "{kind} is not named in:\n{log}");
        assert!(!log.contains("canary"), "{log}");
        stage.nothing_is_left("a start without its dependency").await;
    })
    .await;
}

#[tokio::test]
async fn a_dependency_killed_after_ready_degrades_and_keeps_nobody_out() {
    with_each(async |mut server| {
        server.run().await;
        let (stage, echo) = (Stage::new(), Echo::start().await);
        let (door, desk) = serving(&stage, &echo, &server, QUICK).await;
        let mut tunnel = door.client().await;
        tunnel.is_served().await;
        assert_eq!(desk.readyz().await, (200, "ready\n".to_owned()));
        server.kill().await;
        desk.readyz_is(200, "ready, degraded\n").await;
        let health = desk.health().await;
        assert_eq!(health["degraded"], serde_json::json!([server.kind()]), "{health:#}");
        assert_eq!(check(&health, &server)["down"], true, "{health:#}");
        assert_eq!(desk.metric("vestibule_degraded ").await, 1.0);
        assert_eq!(desk.metric("vestibule_check_down{").await, 1.0);
        door.client().await.is_served().await;
        tunnel.echoes("still here").await;
        server.run().await;
        desk.readyz_is(200, "ready\n").await;
        assert_eq!(desk.health().await["degraded"], serde_json::json!([]));
        assert_eq!(desk.metric("vestibule_degraded ").await, 0.0);
        tunnel.echoes("and now").await;
    })
    .await;
}

#[tokio::test]
async fn a_dependency_that_gates_always_holds_then_refuses_newcomers_and_no_tunnel_notices() {
    let further = "timeout = \"5s\"\ninterval = \"400ms\"\nattempts = 1\nfall = 1\nrise = 1\ngate = \"always\"\n";
    with_each(async |mut server| {
        server.run().await;
        let (stage, echo) = (Stage::new(), Echo::start().await);
        let (door, desk) = serving(&stage, &echo, &server, further).await;
        let mut tunnel = door.client().await;
        tunnel.is_served().await;
        server.kill().await;
        desk.shows("not ready", |health| health["state"] != "websocket_ready").await;
        // Down: held, for it may come back soon.
        let mut newcomer = door.client().await;
        let held = newcomer.is_held().await;
        assert!(held || is_open(&door), "{} is down: a newcomer was answered", server.kind());
        // Its breaker open: told when to come again, at once.
        newcomer.answer().await.is_refusal("breaker_open");
        door.logs("a breaker is open: refusing").await;
        let began = Instant::now();
        let mut refused = Client::handshake(&door.listening().await).await;
        refused.answer().await.is_refusal("breaker_open");
        assert!(began.elapsed() < Duration::from_secs(2), "held for {:?}", began.elapsed());
        assert_eq!(desk.readyz().await.0, 503);
        tunnel.echoes("still here").await;
        server.run().await;
        door.logs("checks that gate are well again").await;
        door.client().await.is_served().await;
        tunnel.echoes("and now").await;
        assert_eq!(desk.readyz().await, (200, "ready\n".to_owned()));
    })
    .await;
}

fn is_open(door: &Door) -> bool {
    door.log().iter().any(|line| line.contains("breaker opened"))
}
