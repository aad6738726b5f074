//! WebSocket clients of the axum example.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::time::{Instant, timeout};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::service::{COLD_START, Service, WATCHDOG};

const PROGRAM: &str = env!("CARGO_BIN_EXE_in-process-axum");

/// Connects, says a word, and hears it. How long the 101 took, or what went wrong.
async fn chat(address: String) -> Result<Duration, String> {
    let began = Instant::now();
    let connected = connect_async(format!("ws://{address}/ws")).await;
    let (mut socket, _) = connected.map_err(|error| error.to_string())?;
    let waited = began.elapsed();
    socket.send(Message::text("hello")).await.map_err(|error| error.to_string())?;
    match socket.next().await {
        Some(Ok(Message::Text(word))) if word == "hello" => Ok(waited),
        other => Err(format!("{other:?}")),
    }
}

#[tokio::test]
async fn websockets_that_come_before_readiness_are_all_served_by_axum() {
    let service = Service::start(PROGRAM, COLD_START, "up").await;
    let clients: Vec<_> = (0..50).map(|_| tokio::spawn(chat(service.address.clone()))).collect();
    let mut longest = Duration::ZERO;
    for client in clients {
        let waited = timeout(WATCHDOG, client).await.unwrap().unwrap();
        longest = longest.max(waited.expect("a client was lost"));
    }
    // The test means nothing unless somebody was held.
    assert!(longest > COLD_START / 2, "{longest:?}");
    chat(service.address.clone()).await.unwrap();
}

#[tokio::test]
async fn a_failed_startup_refuses_websockets_clearly_and_keeps_its_reason_to_itself() {
    let service = Service::start(PROGRAM, Duration::from_millis(200), "down").await;
    // The first was held when it failed, the second came afterwards.
    for _ in 0..2 {
        let refused =
            timeout(WATCHDOG, connect_async(format!("ws://{}/ws?t=secret", service.address)));
        let Err(Error::Http(answer)) = refused.await.unwrap() else { panic!("not refused") };
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["content-type"]),
            (503, &"application/problem+json".parse().unwrap())
        );
        let seconds: u64 = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((10..=30).contains(&seconds));
        let words = String::from_utf8(answer.body().clone().unwrap()).unwrap();
        assert!(words.contains(r#""code":"failed""#) && !words.contains("secret"), "{words}");
    }
}
