//! What a server does while it comes, works and goes.

use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::{Instant, timeout};
use tonic_health::ServingStatus;
use vestibule::check::{Reason, Stage};
use vestibule::validation::{Mode, Opinion};
use vestibule_checks::{Kind, Options};

use crate::asked::{Asked, check, text};
use crate::daemon::{LONG, free_port};
use crate::grpc_server::Grpc;
use crate::relay::{Relay, Way};
use crate::{declared, of};

fn at(port: u16) -> Options {
    Options::url(format!("grpc://127.0.0.1:{port}"))
}

#[tokio::test]
async fn grpc_down_is_refused_and_tried_as_often_as_a_pass_allows() {
    let (reason, text, tries) = of(free_port()).fails().await;
    assert_eq!((reason, tries), (Reason::Refused, 3), "{text}");
}

#[tokio::test]
async fn grpc_that_comes_late_is_seen_without_anybody_asking() {
    let mut server = Grpc::prepare();
    let asked = of(server.port());
    let validation = asked.validation.clone();
    let follow = async {
        asked.waits_for(Duration::from_millis(600)).await;
        assert!(matches!(asked.validation.opinion(Instant::now()), Opinion::Waiting { .. }));
        server.run();
        asked.shows("ready", |standing| !standing.down).await;
    };
    tokio::select! {
        () = validation.keep() => {}
        () = follow => {}
    }
    assert_eq!(asked.passes().await, "gRPC, serving");
}

#[tokio::test]
async fn grpc_that_does_not_serve_does_not_pass_until_it_does() {
    let server = Grpc::start();
    for (status, word) in
        [(ServingStatus::NotServing, "NOT_SERVING"), (ServingStatus::Unknown, "UNKNOWN")]
    {
        server.says("", status).await;
        let asked = of(server.port());
        let (reason, text, tries) = asked.fails().await;
        assert_eq!((reason, text.as_str(), tries), (Reason::NotServing, word, 3));
        server.says("", ServingStatus::Serving).await;
        assert_eq!(asked.passes().await, "gRPC, serving");
    }
}

#[tokio::test]
async fn grpc_is_asked_about_one_service_and_tells_one_that_it_does_not_know() {
    let server = Grpc::start();
    let asked = declared(&at(server.port()).with("service", text("agents.v1.Supervisor")));
    let (reason, _, tries) = asked.fails().await;
    assert_eq!((reason, tries), (Reason::UnknownService, 1));
    server.says("agents.v1.Supervisor", ServingStatus::NotServing).await;
    assert_eq!(asked.fails().await.0, Reason::NotServing);
    server.says("agents.v1.Supervisor", ServingStatus::Serving).await;
    assert_eq!(asked.passes().await, "gRPC, agents.v1.Supervisor serving");
}

#[tokio::test]
async fn f27_grpc_that_accepts_and_stays_silent_is_not_passed() {
    let server = Grpc::start();
    let relay = Relay::before(server.port(), Way::Silent).await;
    let grpc = check(Kind::Grpc, &at(relay.port()));
    let (reason, text, tries) = Asked::within(grpc, Duration::from_millis(200), 2).fails().await;
    assert_eq!((reason, tries), (Reason::Silent, 2));
    assert!(text.contains("the answer of its health service"), "{text}");
    relay.is_left().await;
}

#[tokio::test]
async fn grpc_that_is_slow_passes() {
    let server = Grpc::start();
    let relay = Relay::before(server.port(), Way::Late(Duration::from_millis(150))).await;
    let asked = of(relay.port());
    assert_eq!(asked.passes().await, "gRPC, serving");
    assert!(asked.standing().tries[0].took >= Duration::from_millis(150));
}

#[tokio::test]
async fn grpc_killed_amid_a_pass_is_a_reset_and_passes_when_it_is_back() {
    let server = Grpc::start();
    let relay = Relay::before(server.port(), Way::Withheld("")).await;
    let asked = of(relay.port());
    let kills = async {
        relay.is_used().await;
        server.killed().await
    };
    let ((reason, text, tries), mut server) = tokio::join!(asked.fails(), kills);
    assert_eq!((reason, tries), (Reason::Reset, 3), "{text}");
    assert_eq!(of(server.port()).fails().await.0, Reason::Refused);
    server.run();
    relay.goes(Way::Free);
    assert_eq!(asked.passes().await, "gRPC, serving");
}

#[tokio::test]
async fn f29_grpc_that_flaps_degrades_nobody_until_it_stays_away() {
    let server = Grpc::start();
    let asked = Asked::within(check(Kind::Grpc, &at(server.port())), Duration::from_secs(2), 1);
    asked.passes().await;
    asked.validation.ready();
    let degraded = async |status| {
        server.says("", status).await;
        match asked.validation.pass(Mode::Gate).await {
            Opinion::Ready { degraded } => degraded.len(),
            other => panic!("{other:?}"),
        }
    };
    let (up, down) = (ServingStatus::Serving, ServingStatus::NotServing);
    for _ in 0..4 {
        assert_eq!(degraded(down).await, 0);
        assert_eq!(degraded(up).await, 0);
    }
    let away = [degraded(down).await, degraded(down).await, degraded(down).await];
    assert_eq!(away, [0, 0, 1]);
    let back = [degraded(up).await, degraded(up).await];
    assert_eq!(back, [1, 0]);
}

#[tokio::test]
async fn grpc_leaves_no_task_and_no_connection_behind_a_try() {
    let server = Grpc::start();
    let relay = Relay::before(server.port(), Way::Free).await;
    let grpc = check(Kind::Grpc, &at(relay.port()));
    let stage = Stage::default();
    grpc.try_once(&stage).await.unwrap();
    relay.is_left().await;
    let before = Handle::current().metrics().num_alive_tasks();
    for way in [Way::Free, Way::Closed, Way::Silent] {
        relay.goes(way);
        // The third is cut off.
        let _cut = timeout(Duration::from_millis(200), grpc.try_once(&stage)).await;
        assert!(Handle::current().metrics().num_alive_tasks() <= before + 1, "the relay's own");
        relay.is_left().await;
    }
    let left = timeout(LONG, async {
        while Handle::current().metrics().num_alive_tasks() > before {
            tokio::task::yield_now().await;
        }
    });
    left.await.expect("a task is left");
}
