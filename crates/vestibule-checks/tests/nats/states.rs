//! What a server does while it comes, works and goes.

use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::timeout;
use vestibule::check::{Reason, Stage};
use vestibule::validation::{Mode, Opinion};
use vestibule_checks::{Kind, Options, Value};

use crate::asked::{Asked, check};
use crate::daemon::{LONG, free_port};
use crate::nats_server::{JETSTREAM, Nats};
use crate::of;
use crate::relay::{Relay, Way};

#[tokio::test]
async fn nats_down_is_refused_and_tried_as_often_as_a_pass_allows() {
    let (reason, text, tries) = of(format!("nats://127.0.0.1:{}", free_port())).fails().await;
    assert_eq!((reason, tries), (Reason::Refused, 3), "{text}");
}

#[tokio::test]
async fn nats_that_comes_late_is_seen_without_anybody_asking() {
    let mut server = Nats::prepare("");
    let asked = of(server.url());
    let validation = asked.validation.clone();
    let follow = async {
        asked.waits_for(Duration::from_millis(600)).await;
        assert!(matches!(
            asked.validation.opinion(tokio::time::Instant::now()),
            Opinion::Waiting { .. }
        ));
        server.run().await;
        asked.shows("ready", |standing| !standing.down).await;
    };
    tokio::select! {
        () = validation.keep() => {}
        () = follow => {}
    }
    assert_eq!(asked.passes().await, "NATS 2.9.10");
}

#[tokio::test]
async fn f27_nats_that_accepts_and_stays_silent_is_not_passed() {
    let server = Nats::start("").await;
    server.freeze();
    let nats = check(Kind::Nats, &Options::url(server.url()));
    let (reason, text, tries) = Asked::within(nats, Duration::from_millis(200), 2).fails().await;
    assert_eq!((reason, tries), (Reason::Silent, 2));
    assert!(text.contains("its INFO"), "{text}");
}

#[tokio::test]
async fn nats_that_falls_silent_behind_its_info_is_told_from_one_that_never_spoke() {
    let server = Nats::start("").await;
    let mut relay = Relay::before(server.port(), Way::Withheld("PONG")).await;
    let nats = check(Kind::Nats, &Options::url(format!("nats://127.0.0.1:{}", relay.port())));
    let (reason, text, _) = Asked::within(nats, Duration::from_millis(300), 1).fails().await;
    assert_eq!(reason, Reason::Silent);
    assert!(text.contains("its PONG"), "{text}");
    relay.withholds("PONG").await;
    relay.is_left().await;
}

#[tokio::test]
async fn nats_that_is_slow_passes() {
    let server = Nats::start(JETSTREAM).await;
    let relay = Relay::before(server.port(), Way::Late(Duration::from_millis(100))).await;
    let options = Options::url(format!("nats://127.0.0.1:{}", relay.port()));
    let asked = crate::declared(&options.with("jetstream", Value::Switch(true)));
    assert_eq!(asked.passes().await, "NATS 2.9.10, JetStream");
    assert!(asked.standing().tries[0].took >= Duration::from_millis(300));
}

#[tokio::test]
async fn f33_nats_that_is_full_is_overloaded_and_passes_once_there_is_room() {
    let server = Nats::start("max_connections: 1").await;
    let only = async_nats::connect(server.url()).await.unwrap();
    let asked = of(server.url());
    let (reason, text, tries) = asked.fails().await;
    assert_eq!((reason, tries), (Reason::Overloaded, 3));
    assert_eq!(text, "maximum connections exceeded");
    only.drain().await.unwrap();
    drop(only);
    let validation = asked.validation.clone();
    tokio::select! {
        () = validation.keep() => {}
        () = asked.shows("ready", |standing| !standing.down) => {}
    }
}

#[tokio::test]
async fn f33_nats_that_asks_its_clients_to_leave_is_a_lame_duck_and_then_gone() {
    let server = Nats::start(JETSTREAM).await;
    let mut relay = Relay::before(server.port(), Way::Withheld("PONG")).await;
    let asked = of(format!("nats://127.0.0.1:{}", relay.port()));
    let leaves = async {
        relay.withholds("PONG").await;
        server.lame_duck();
        relay.withholds("\"ldm\":true").await;
        relay.goes(Way::Free);
    };
    let ((reason, text), ()) = tokio::join!(first_of(&asked), leaves);
    assert_eq!(reason, Reason::LameDuck, "{text}");
    let (reason, _, _) = of(server.url()).fails().await;
    assert_eq!(reason, Reason::Refused, "it takes nobody any more");
}

/// What the first try of a pass meets.
async fn first_of(asked: &Asked) -> (Reason, String) {
    asked.validation.pass(Mode::Gate).await;
    let tries = asked.standing().tries;
    let trouble = tries[0].result.clone().unwrap_err();
    (trouble.reason(), trouble.detail().to_owned())
}

#[tokio::test]
async fn nats_killed_amid_a_pass_is_a_reset_and_passes_when_it_is_back() {
    let mut server = Nats::start("").await;
    let mut relay = Relay::before(server.port(), Way::Withheld("PONG")).await;
    let asked = of(format!("nats://127.0.0.1:{}", relay.port()));
    let kills = async {
        relay.withholds("PONG").await;
        server.kill();
    };
    let ((reason, text, tries), ()) = tokio::join!(asked.fails(), kills);
    assert_eq!((reason, tries), (Reason::Reset, 3), "{text}");
    assert_eq!(of(server.url()).fails().await.0, Reason::Refused);
    server.run().await;
    relay.goes(Way::Free);
    assert_eq!(asked.passes().await, "NATS 2.9.10");
}

#[tokio::test]
async fn f29_nats_that_flaps_degrades_nobody_until_it_stays_away() {
    let server = Nats::start("").await;
    let relay = Relay::before(server.port(), Way::Free).await;
    let nats = check(Kind::Nats, &Options::url(format!("nats://127.0.0.1:{}", relay.port())));
    let asked = Asked::within(nats, Duration::from_secs(2), 1);
    asked.passes().await;
    asked.validation.ready();
    let degraded = async |way| {
        relay.goes(way);
        match asked.validation.pass(Mode::Gate).await {
            Opinion::Ready { degraded } => degraded.len(),
            other => panic!("{other:?}"),
        }
    };
    for _ in 0..4 {
        assert_eq!(degraded(Way::Closed).await, 0);
        assert_eq!(degraded(Way::Free).await, 0);
    }
    let away =
        [degraded(Way::Closed).await, degraded(Way::Closed).await, degraded(Way::Closed).await];
    assert_eq!(away, [0, 0, 1]);
    let back = [degraded(Way::Free).await, degraded(Way::Free).await];
    assert_eq!(back, [1, 0]);
}

#[tokio::test]
async fn of_several_servers_one_that_answers_is_enough_and_the_most_telling_trouble_is_told() {
    let server = Nats::start("authorization { token: right }").await;
    let silent = Relay::before(server.port(), Way::Silent).await;
    let (down, up) = (free_port(), server.port());
    let silent_port = silent.port();
    let list =
        format!("nats://127.0.0.1:{down},127.0.0.1:{silent_port},nats://right@127.0.0.1:{up}");
    assert_eq!(of(list).passes().await, "NATS 2.9.10");
    let list = format!("nats://127.0.0.1:{down},nats://wrong@127.0.0.1:{up}");
    let (reason, text, _) = of(list).fails().await;
    assert_eq!(reason, Reason::WrongCredentials);
    assert_eq!(text, "Authorization Violation (none of 2 servers passed)");
}

#[tokio::test]
async fn nats_leaves_no_task_and_no_connection_behind_a_try() {
    let server = Nats::start(JETSTREAM).await;
    let relay = Relay::before(server.port(), Way::Free).await;
    let url = format!("nats://127.0.0.1:{}", relay.port());
    let nats = check(Kind::Nats, &Options::url(url).with("jetstream", Value::Switch(true)));
    let stage = Stage::default();
    nats.try_once(&stage).await.unwrap();
    relay.is_left().await;
    let before = Handle::current().metrics().num_alive_tasks();
    for way in [Way::Free, Way::Closed, Way::Silent] {
        relay.goes(way);
        // The third is cut off.
        let _cut = timeout(Duration::from_millis(200), nats.try_once(&stage)).await;
        relay.is_left().await;
    }
    let left = timeout(LONG, async {
        while Handle::current().metrics().num_alive_tasks() > before {
            tokio::task::yield_now().await;
        }
    });
    left.await.expect("a task is left");
}
