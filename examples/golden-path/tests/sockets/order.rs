//! A user's events come once and in order, whoever leaves, comes again, or is not told.

use std::time::Duration;

use serde_json::json;

use crate::client::Client;
use crate::service::{RUN, Service, THINK};

/// Breaks if an event of a run is missing, doubled or out of order, or if the greeting does not say the trace.
#[tokio::test]
async fn the_events_of_a_run_come_in_order() {
    let service = Service::start().await;
    let ann = service.user("ann").await;
    let mut client = Client::new(&service, &ann).await;
    assert_eq!(client.hello["instance"], "one");
    assert_eq!(client.hello["heartbeat_ms"], 60_000);
    let message = client.message(&ann, "What time is it?").await;
    let stored = client.event().await;
    assert_eq!(stored["message"], json!(message));
    assert_eq!(client.events(5).await, RUN[1..6]);
    let completed = client.event().await;
    assert_eq!((&completed["type"], &completed["outcome"]), (&json!(RUN[6]), &json!("completed")));
    assert_eq!(completed["text"], "It is noon.");
}

/// Breaks if what was missed is not told from each place on, once the run is over.
#[tokio::test]
async fn who_comes_again_gets_all_after_any_place() {
    let service = Service::start().await;
    let ann = service.user("ann").await;
    let mut first = Client::new(&service, &ann).await;
    first.message(&ann, "What time is it?").await;
    first.events(RUN.len()).await;
    for last in 0..=RUN.len() {
        let mut again = Client::behind(&service, &ann, last as i64).await;
        assert_eq!(again.events(RUN.len() - last).await, RUN[last..]);
        again.say(r#"{"type":"ping"}"#).await;
        assert_eq!(again.frame().await["type"], "pong", "and nothing more");
    }
    let mut now = Client::new(&service, &ann).await;
    assert_eq!(now.last, RUN.len() as i64, "without a place it begins behind the newest");
    now.message(&ann, "And now?").await;
    assert_eq!(now.events(RUN.len()).await, RUN);
}

/// Breaks if an event that is stored while nobody is there, or while the socket is opened, gets lost or doubled.
#[tokio::test]
async fn who_leaves_at_any_place_of_a_run_gets_the_rest_by_coming_again() {
    let service = Service::start().await;
    let ann = service.user("ann").await;
    let mut client = Client::new(&service, &ann).await;
    for place in 0..RUN.len() {
        client.message(&ann, "What time is it?").await;
        let mut names = client.events(place).await;
        if place == 0 {
            // A message is on its way as long as its event has not come: only then may its sender leave.
            names.extend(client.events(1).await);
        }
        let last = client.last;
        drop(client);
        client = Client::behind(&service, &ann, last).await;
        names.extend(client.events(RUN.len() - names.len()).await);
        assert_eq!(names, RUN);
    }
}

/// Breaks if one of a user's sockets hears less than another, or somebody else's hears anything.
#[tokio::test]
async fn all_sockets_of_a_user_hear_the_same_and_nobody_else_does() {
    let service = Service::start().await;
    let (ann, ben) = (service.user("ann").await, service.user("ben").await);
    let mut one = Client::new(&service, &ann).await;
    let mut two = Client::new(&service, &ann).await;
    let mut other = Client::new(&service, &ben).await;
    for sender in 0..2 {
        let from = if sender == 0 { &mut one } else { &mut two };
        from.message(&ann, "What time is it?").await;
        for _ in 0..RUN.len() {
            assert_eq!(one.event().await, two.event().await);
        }
    }
    other.message(&ben, "And here?").await;
    assert_eq!(other.events(RUN.len()).await, RUN, "from 1, so nothing came before");
}

/// Breaks if a place that the user never reached makes a client wait for ever.
#[tokio::test]
async fn a_place_in_the_future_is_the_newest() {
    let service = Service::start().await;
    let ann = service.user("ann").await;
    service.store_silently(&ann).await;
    let far = format!("bearer.{}", ann.access);
    let fields = [("sec-websocket-protocol", "golden-path.v1"), ("sec-websocket-protocol", &far)];
    let asked = crate::client::handshake(&service, "?last_event_id=999", &fields).await;
    let stream = asked.unwrap().0;
    let mut client = Client { stream, hello: json!(null), last: 1 };
    assert_eq!(client.frame().await["last_event_id"], 1);
    client.message(&ann, "What time is it?").await;
    assert_eq!(client.events(RUN.len()).await, RUN);
}

/// Breaks if an event of which no bus tells waits longer than for the next heartbeat, or if it is told twice when
/// something later is heard.
#[tokio::test]
async fn what_the_bus_lost_comes_with_the_next_heartbeat() {
    let beat = Duration::from_millis(100);
    let service = Service::with(|settings| settings.socket.heartbeat = beat).await;
    let ann = service.user("ann").await;
    let mut client = Client::new(&service, &ann).await;
    service.store_silently(&ann).await;
    assert_eq!(client.events(1).await, ["user_message"]);
    service.store_silently(&ann).await;
    client.message(&ann, "What time is it?").await;
    assert_eq!(client.events(1).await, ["user_message"], "the one that was not told");
    assert_eq!(client.events(RUN.len()).await, RUN);
}

/// Breaks if what was missed comes with a hole between two pages of the store.
#[tokio::test]
async fn many_missed_events_come_page_after_page() {
    let service = Service::start().await;
    let ann = service.user("ann").await;
    service.store_much(&ann, 300, 2000).await;
    let mut client = Client::behind(&service, &ann, 0).await;
    client.message(&ann, "What time is it?").await;
    client.events(301).await;
    assert_eq!(client.events(RUN.len()).await, RUN);
}

/// Breaks if a run goes on that its user has ended, or if it ends without a word.
#[tokio::test]
async fn a_run_is_cancelled_over_the_socket() {
    let service = Service::start().await;
    let ann = service.user("ann").await;
    let mut client = Client::new(&service, &ann).await;
    client.message(&ann, THINK).await;
    client.event().await;
    let run = client.event().await["run"].clone();
    client.say(json!({ "type": "cancel", "run": run }).to_string()).await;
    let mut event = client.event().await;
    while event["type"] != "agent_completed" {
        event = client.event().await;
    }
    assert_eq!(event["run"], run);
    client.say(json!({ "type": "cancel", "run": run }).to_string()).await;
    let refused = client.frame().await;
    assert_eq!((&refused["what"], &refused["run"]), (&json!("cancel"), &run));
}
