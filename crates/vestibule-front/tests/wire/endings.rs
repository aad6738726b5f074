//! Breaks the promise that the log says of every connection who ended it, and in which phase.

use std::time::Duration;

use super::actors::door::Door;
use super::actors::ears::Ears;
use super::actors::service::{Asleep, Line, Service};
use super::actors::{
    answer, close, handshake, masked_close, request, switching, text, until, watched,
};

/// Waits for a line that has all `words`.
async fn is_said(ears: &Ears, words: &[&str]) {
    let said = || ears.heard().lines().any(|line| words.iter().all(|word| line.contains(word)));
    until(&format!("{words:?} in {}", ears.heard()), said).await;
}

#[tokio::test]
async fn what_ends_a_hold_is_named() {
    let (ears, _listening) = Ears::open();
    watched(async {
        let asleep = Asleep::new();
        let door = Door::with(asleep.port, |settings| settings.hold = Duration::from_millis(400));
        for words in [handshake("/", ""), request("GET", "/", "")] {
            let client = door.client(words).await;
            door.holds(1).await;
            drop(client);
            door.frees_every_place().await;
        }
        is_said(&ears, &["client left", "ending=client.held"]).await;
        assert_eq!(ears.heard().matches("ending=client.held").count(), 2);
        let mut early = door.client(handshake("/", "")).await;
        door.holds(1).await;
        early.send("x").await;
        is_said(&ears, &["refused", "reason=early_bytes", "ending=client.held"]).await;
        let _late = door.client(handshake("/", "")).await;
        is_said(&ears, &["refused", "reason=deadline", "ending=door.held"]).await;
        let _bad = door.client("nonsense\r\n\r\n").await;
        is_said(&ears, &["refused", "ending=client.head"]).await;
    })
    .await;
}

#[tokio::test]
async fn what_ends_a_hand_over_is_named() {
    let (ears, _listening) = Ears::open();
    watched(async {
        let service = Service::new(async |mut line: Line| match line.index {
            0 => line.listen().await,
            1 => line.answers(switching("").replace("websocket", "h2c")).await,
            _ => line.answers(answer("401 Unauthorized", "")).await,
        });
        let door = Door::warm_before(service.port);
        let client = door.client(handshake("/", "")).await;
        until("it is in flight", || service.requests() == 1).await;
        drop(client);
        is_said(&ears, &["client left", "ending=client.settling"]).await;
        let _defect = door.client(handshake("/", "")).await;
        is_said(&ears, &["refused", "upstream_defect", "ending=upstream.settling"]).await;
        let _relayed = door.client(handshake("/", "")).await;
        is_said(&ears, &["answered a handshake itself", "status=401"]).await;
    })
    .await;
}

#[tokio::test]
async fn what_ends_a_tunnel_is_named() {
    let (ears, _listening) = Ears::open();
    watched(async {
        let service = Service::new(async |mut line: Line| match line.index {
            0 => line.takes(close(4401)).await,
            1 => {
                line.head().await;
                line.say([switching("").into_bytes(), text("last")].concat()).await;
            }
            _ => line.takes("").await,
        });
        let door = Door::warm_before(service.port);
        let mut client = door.client(handshake("/", "")).await;
        client.head().await;
        assert_eq!(client.close_frame().await.0, 4401);
        client.send(masked_close(4401)).await;
        drop(client);
        is_said(&ears, &["tunnel ended", "ending=upstream.tunnel", "close_forwarded"]).await;
        let mut client = door.client(handshake("/", "")).await;
        client.head().await;
        client.frame().await;
        assert_eq!(client.close_frame().await.0, 1012);
        drop(client);
        is_said(&ears, &["tunnel ended", "ending=upstream.tunnel", "upstream_eof"]).await;
        door.warms();
        let mut client = door.client(handshake("/", "")).await;
        client.head().await;
        client.send(masked_close(1000)).await;
        client.half_close().await;
        is_said(&ears, &["tunnel ended", "ending=client.tunnel", "close_forwarded"]).await;
        let mut client = door.client(handshake("/", "")).await;
        client.head().await;
        door.drains(Duration::ZERO);
        assert_eq!(client.close_frame().await.0, 1012);
        drop(client);
        is_said(&ears, &["tunnel ended", "ending=door.drain", "close_sent=1012"]).await;
    })
    .await;
}

#[tokio::test]
async fn what_ends_a_plain_request_is_named() {
    let (ears, _listening) = Ears::open();
    watched(async {
        let service = Service::new(async |mut line: Line| {
            line.head().await;
            match line.index {
                0 => line.say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbrok").await,
                1 => {}
                _ => line.listen().await,
            }
        });
        let door = Door::warm_before(service.port);
        let _broken = door.client(request("GET", "/", "")).await;
        is_said(&ears, &["an answer broke off", "ending=upstream.settling"]).await;
        let _nothing = door.client(request("GET", "/", "")).await;
        is_said(&ears, &["refused", "reason=unreachable", "ending=upstream.settling"]).await;
        let client = door.client(request("GET", "/", "")).await;
        until("it is in flight", || service.requests() == 3).await;
        drop(client);
        is_said(&ears, &["client left", "ending=client.settling"]).await;
    })
    .await;
}
