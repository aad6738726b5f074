//! Breaks the promise that silence is never readiness: publishers vanish, dither, or come too late,
//! in paused time.

use std::time::Duration;

use super::*;

fn in_seconds(seconds: u64) -> Instant {
    Instant::now() + Duration::from_secs(seconds)
}

#[test]
fn only_websocket_ready_is_ready() {
    let states = [
        (State::Unknown, "unknown"),
        (State::Initializing, "initializing"),
        (State::DependenciesReady, "dependencies_ready"),
        (State::ServicesReady, "services_ready"),
        (State::WebsocketReady, "websocket_ready"),
        (State::Failed(Failure::new("no")), "failed"),
        (State::Draining, "draining"),
    ];
    for (state, name) in states {
        assert_eq!(state.as_str(), name);
        assert_eq!(state.is_ready(), name == "websocket_ready");
    }
}

#[test]
fn a_publisher_dropped_without_deciding_means_failed_with_its_name() {
    let before = [State::Unknown, State::Initializing, State::ServicesReady, State::WebsocketReady];
    for state in before {
        let (publisher, watch) = channel("readiness of the upstream");
        publisher.publish(state);
        drop(publisher);
        let State::Failed(failure) = watch.state() else {
            panic!("silence became {}", watch.state());
        };
        assert_eq!(failure.reason(), "readiness of the upstream was dropped without deciding");
    }
}

#[test]
fn a_publisher_that_decided_leaves_its_decision() {
    let failed = State::Failed(Failure::retryable("pool"));
    for state in [State::Draining, failed] {
        let (publisher, watch) = channel("p");
        publisher.publish(state.clone());
        drop(publisher);
        assert_eq!(watch.state(), state);
    }
    let (publisher, watch) = channel("p");
    publisher.publish(State::WebsocketReady);
    publisher.finish();
    assert_eq!(watch.state(), State::WebsocketReady);
}

#[tokio::test(start_paused = true)]
async fn a_wait_sees_readiness_published_later() {
    let (publisher, mut watch) = channel("p");
    let waiting = tokio::spawn(async move { watch.wait_ready(in_seconds(10)).await });
    tokio::task::yield_now().await;
    for state in [State::Initializing, State::ServicesReady, State::WebsocketReady] {
        publisher.publish(state);
        tokio::task::yield_now().await;
    }
    assert_eq!(waiting.await.unwrap(), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_at_its_deadline_and_names_the_last_state() {
    let (publisher, mut watch) = channel("p");
    publisher.publish(State::DependenciesReady);
    let began = Instant::now();
    let answer = watch.wait_ready(in_seconds(3)).await;
    let last = State::DependenciesReady;
    assert_eq!(answer, Err(NotReady::Deadline { last }));
    assert_eq!(began.elapsed(), Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_at_once_when_the_publisher_vanishes_fails_or_drains() {
    let began = Instant::now();
    let (publisher, mut watch) = channel("p");
    drop(publisher);
    assert!(matches!(watch.wait_ready(in_seconds(9)).await, Err(NotReady::Failed(_))));

    let (publisher, mut watch) = channel("p");
    publisher.publish(State::Draining);
    assert_eq!(watch.wait_ready(in_seconds(9)).await, Err(NotReady::Draining));

    let (publisher, mut watch) = channel("p");
    publisher.finish();
    let last = State::Unknown;
    assert_eq!(watch.wait_ready(in_seconds(9)).await, Err(NotReady::Finished { last }));
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_publisher_gone_wild_is_given_up() {
    let (publisher, mut watch) = channel("p");
    let waiting = tokio::spawn(async move { watch.wait_ready(in_seconds(3_600)).await });
    for turn in 0..2 * WAKE_UPS_MAX {
        publisher.publish(if turn % 2 == 0 {
            State::Initializing
        } else {
            State::DependenciesReady
        });
        tokio::task::yield_now().await;
    }
    assert!(waiting.is_finished());
    assert!(matches!(waiting.await.unwrap(), Err(NotReady::Wild { .. })));
}

#[tokio::test(start_paused = true)]
async fn changed_returns_each_new_state_and_never_spins_after_the_end() {
    let (publisher, mut watch) = channel("p");
    publisher.publish(State::Initializing);
    assert_eq!(watch.changed().await, State::Initializing);
    publisher.publish(State::Initializing);
    publisher.publish(State::WebsocketReady);
    assert_eq!(watch.changed().await, State::WebsocketReady);
    publisher.finish();
    let next = tokio::time::timeout_at(in_seconds(60), watch.changed()).await;
    assert!(next.is_err());
}
