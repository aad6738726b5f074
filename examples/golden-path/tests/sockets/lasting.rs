//! How long a socket lasts: its token, its session, its instance.

use std::time::Duration;

use golden_path::bus::Signal;
use golden_path::clock::now_ms;
use serde_json::json;

use crate::client::{Client, handshake};
use crate::service::{RUN, Service};

/// Breaks if a socket outlives its token, or ends before it.
#[tokio::test]
async fn a_socket_ends_with_its_token() {
    let service = Service::with(|settings| settings.auth.access_for = Duration::from_secs(2)).await;
    let ann = service.user("ann").await;
    let mut client = Client::new(&service, &ann).await;
    assert_eq!(client.close().await, 4401);
    assert!((0..3000).contains(&(now_ms() - ann.until_ms)), "{}", now_ms() - ann.until_ms);
}

/// Breaks if a newer token does not prolong, or if a bad one or another user's does.
#[tokio::test]
async fn a_newer_token_of_the_same_user_prolongs_a_socket() {
    let service = Service::with(|settings| settings.auth.access_for = Duration::from_secs(3)).await;
    let ben = service.user("ben").await;
    let ann = service.user("ann").await;
    let mut kept = Client::new(&service, &ann).await;
    let mut lost = Client::new(&service, &ann).await;
    // The next token ends in a later second.
    while now_ms() / 1000 <= ann.until_ms / 1000 - 2 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for bad in [ben.access.as_str(), "nonsense"] {
        lost.say(json!({ "type": "token", "access": bad }).to_string()).await;
        let refused = lost.frame().await;
        assert_eq!((&refused["type"], &refused["what"]), (&json!("refused"), &json!("token")));
        assert!(!refused.to_string().contains(bad));
    }
    let next = service.app.auth.refresh(&ann.refresh, "127.0.0.1").await.unwrap();
    assert!(next.until_ms > ann.until_ms);
    kept.say(json!({ "type": "token", "access": next.access }).to_string()).await;
    assert_eq!(lost.close().await, 4401);
    assert!(now_ms() < next.until_ms, "the machine is too slow for this test");
    kept.say(r#"{"type":"ping"}"#).await;
    assert_eq!(kept.frame().await["type"], "pong");
    assert_eq!(kept.close().await, 4401);
    assert!(now_ms() >= next.until_ms);
}

/// Breaks if a log-out leaves a socket, or takes one of another session's.
#[tokio::test]
async fn a_log_out_ends_the_sockets_of_its_session_at_once() {
    let service = Service::start().await;
    let ann = service.user("ann").await;
    let mut there = Client::new(&service, &ann).await;
    let tokens = service.app.auth.log_in("ann", "correct horse", "127.0.0.1").await.unwrap();
    let bearer = format!("authorization: Bearer {}\r\n", tokens.access);
    let fields = [("authorization", &*format!("Bearer {}", tokens.access))];
    let (stream, _) = handshake(&service, "", &fields).await.unwrap();
    let mut here = Client { stream, hello: json!(null), last: 0 };
    here.frame().await;
    assert_eq!(service.ask("POST", "/api/logout", &bearer, "").await.status, 204);
    assert_eq!(here.close().await, 4401);
    assert_eq!(handshake(&service, "", &fields).await.err().unwrap().status(), 401);
    there.message(&ann, "What time is it?").await;
    assert_eq!(there.events(RUN.len()).await, RUN);
}

/// Breaks if a refresh token that is shown twice leaves a socket of its session.
#[tokio::test]
async fn a_stolen_refresh_token_ends_the_sockets_of_its_session() {
    let service = Service::start().await;
    let ann = service.user("ann").await;
    let mut client = Client::new(&service, &ann).await;
    let body = json!({ "refresh": ann.refresh }).to_string();
    let json = "content-type: application/json\r\n";
    assert_eq!(service.ask("POST", "/api/refresh", json, &body).await.status, 200);
    assert_eq!(service.ask("POST", "/api/refresh", json, &body).await.status, 401);
    assert_eq!(client.close().await, 4401);
}

/// Breaks if a revocation of which no bus tells is never found.
#[tokio::test]
async fn a_revocation_that_the_bus_lost_is_found_at_the_next_heartbeat() {
    let beat = Duration::from_millis(100);
    let service = Service::with(|settings| settings.socket.heartbeat = beat).await;
    let (ann, ben) = (service.user("ann").await, service.user("ben").await);
    let mut client = Client::new(&service, &ann).await;
    let mut other = Client::new(&service, &ben).await;
    let session = service.app.auth.verify(&ann.access).await.unwrap().session;
    service.app.store.revoke(session).await.unwrap();
    assert_eq!(client.close().await, 4401);
    // Told late, it is nobody else's matter.
    service.app.bus.publish(Signal::Revoked { session });
    other.message(&ben, "What time is it?").await;
    assert_eq!(other.events(RUN.len()).await, RUN);
}

/// Breaks if an instance that leaves does not say so to all of its sockets, or takes a new one.
#[tokio::test]
async fn who_is_here_when_the_instance_leaves_is_told_to_come_again() {
    let service = Service::start().await;
    let ann = service.user("ann").await;
    let mut clients = Vec::new();
    for _ in 0..20 {
        clients.push(Client::new(&service, &ann).await);
    }
    let sockets = service.app.sockets.clone();
    let closing = tokio::spawn(async move { sockets.close(Duration::from_secs(10)).await });
    for client in &mut clients {
        assert_eq!(client.close().await, 1012);
    }
    drop(clients);
    closing.await.unwrap();
    assert_eq!(service.app.sockets.open(), 0);
    let bearer = format!("Bearer {}", ann.access);
    let refused = handshake(&service, "", &[("authorization", &bearer)]).await.err().unwrap();
    assert_eq!(refused.status(), 503);
    assert!(refused.headers().contains_key("retry-after"));
}
