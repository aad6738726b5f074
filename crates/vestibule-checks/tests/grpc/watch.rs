//! What a server tells by itself: no pass is due for an hour in any of these tests.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::{Instant, timeout};
use tonic_health::ServingStatus;
use vestibule::check::{Check, Reason, Stage};
use vestibule::validation::Standing;
use vestibule_checks::{Kind, Options, Value};

use crate::asked::{Asked, check};
use crate::daemon::LONG;
use crate::grpc_server::Grpc;
use crate::relay::{Relay, Way};

fn watching(port: u16) -> Arc<dyn Check> {
    let options = Options::url(format!("grpc://127.0.0.1:{port}"));
    check(Kind::Grpc, &options.with("watch", Value::Switch(true)))
}

/// A check that has passed, in a validation that is kept while this goes on.
async fn while_kept(port: u16, work: impl AsyncFnOnce(&Asked)) {
    let asked = Asked::new(watching(port));
    asked.passes().await;
    asked.validation.ready();
    let validation = asked.validation.clone();
    tokio::select! {
        () = validation.keep() => {}
        () = work(&asked) => {}
    }
}

async fn passed(asked: &Asked, is_wanted: bool) {
    let is_so = |standing: &Standing| {
        let last = standing.last.as_ref();
        last.is_some_and(|last| last.outcome.is_passed() == is_wanted)
    };
    asked.shows("the change", is_so).await;
}

#[tokio::test]
async fn grpc_tells_a_change_within_milliseconds_and_no_poll() {
    let server = Grpc::start();
    while_kept(server.port(), async |asked| {
        let mut took = Vec::new();
        for round in 0..6 {
            // Changes that follow each other are paced: these do not.
            tokio::time::sleep(Duration::from_millis(250)).await;
            let serves = round % 2 == 1;
            let status = if serves { ServingStatus::Serving } else { ServingStatus::NotServing };
            let began = Instant::now();
            server.says("", status).await;
            passed(asked, serves).await;
            took.push((serves, began.elapsed()));
        }
        let ready = took.iter().filter(|(serves, _)| *serves).map(|(_, time)| *time).min();
        assert!(ready < Some(Duration::from_millis(100)), "{took:?}");
        assert!(asked.validation.board().passes() >= 7, "one for each change");
    })
    .await;
}

#[tokio::test]
async fn grpc_that_is_killed_and_comes_back_tells_both_without_a_poll() {
    let mut server = Some(Grpc::start());
    let port = server.as_ref().unwrap().port();
    while_kept(port, async |asked| {
        let mut back = server.take().unwrap().killed().await;
        passed(asked, false).await;
        let tries = asked.standing().tries;
        let trouble = tries.last().unwrap().result.clone().unwrap_err();
        assert_eq!(trouble.reason(), Reason::Refused);
        back.run();
        passed(asked, true).await;
    })
    .await;
}

#[tokio::test]
async fn grpc_that_flaps_without_end_causes_ten_passes_a_second_at_most() {
    let server = Grpc::start();
    while_kept(server.port(), async |asked| {
        let (began, before) = (Instant::now(), asked.validation.board().passes());
        let mut serves = true;
        while began.elapsed() < Duration::from_secs(1) {
            serves = !serves;
            let status = if serves { ServingStatus::Serving } else { ServingStatus::NotServing };
            server.says("", status).await;
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        server.says("", ServingStatus::Serving).await;
        passed(asked, true).await;
        let (passes, most) =
            (asked.validation.board().passes() - before, began.elapsed().as_millis() / 100 + 2);
        assert!((2..=most).contains(&u128::from(passes)), "{passes} of {most}");
    })
    .await;
}

#[tokio::test]
async fn a_watch_ends_with_its_future_and_leaves_nothing() {
    let server = Grpc::start();
    let relay = Relay::before(server.port(), Way::Free).await;
    let grpc = watching(relay.port());
    grpc.try_once(&Stage::default()).await.unwrap();
    relay.is_left().await;
    let before = Handle::current().metrics().num_alive_tasks();
    for way in [Way::Free, Way::Silent, Way::Closed] {
        relay.goes(way);
        let changed = timeout(Duration::from_millis(150), grpc.changed());
        let told = changed.await.is_ok();
        assert_eq!(told, matches!(way, Way::Closed), "{way:?}");
        relay.is_left().await;
    }
    let left = timeout(LONG, async {
        while Handle::current().metrics().num_alive_tasks() > before {
            tokio::task::yield_now().await;
        }
    });
    left.await.expect("a task is left");
}

#[tokio::test]
async fn a_change_between_two_watches_is_not_lost() {
    let server = Grpc::start();
    let grpc = watching(server.port());
    grpc.try_once(&Stage::default()).await.unwrap();
    server.says("", ServingStatus::NotServing).await;
    timeout(LONG, grpc.changed()).await.expect("it ceased to serve before anybody watched");
    assert!(timeout(Duration::from_millis(300), grpc.changed()).await.is_err(), "told twice");
    server.says("", ServingStatus::Serving).await;
    timeout(LONG, grpc.changed()).await.expect("it serves again");
}

#[tokio::test]
async fn grpc_without_watch_tells_nothing_by_itself() {
    let server = Grpc::start();
    let options = Options::url(format!("grpc://127.0.0.1:{}", server.port()));
    let grpc = check(Kind::Grpc, &options);
    grpc.try_once(&Stage::default()).await.unwrap();
    server.says("", ServingStatus::NotServing).await;
    assert!(timeout(Duration::from_millis(100), grpc.changed()).await.is_err());
}
