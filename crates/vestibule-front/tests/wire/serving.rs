//! Breaks `serve`: a service that goes and comes back while clients keep coming.

use super::actors::door::Door;
use super::actors::service::{Asleep, Line, Service};
use super::actors::{answer, handshake, request, switching, text, until, watched};

async fn speaks_both(mut line: Line) {
    while let Some(head) = line.head().await {
        if head.contains("Upgrade: websocket") {
            line.say([switching("").into_bytes(), text("well")].concat()).await;
            return line.listen().await;
        }
        line.say(answer("200 OK", "well")).await;
    }
}

#[tokio::test]
async fn a_refused_dial_takes_readiness_away_and_its_client_is_held_not_failed() {
    watched(async {
        for words in [handshake("/chat", ""), request("GET", "/", "")] {
            let asleep = Asleep::new();
            let door = Door::ready_before(asleep.port);
            let mut first = door.client(&words).await;
            let lost = door.front.service.until_lost();
            lost.await;
            assert!(!door.front.readiness.state().is_ready());
            door.holds(1).await;
            let mut second = door.client(&words).await;
            door.holds(2).await;
            let service = asleep.wakes(speaks_both);
            door.ready();
            for client in [&mut first, &mut second] {
                let head = client.head().await;
                assert!(head.starts_with("HTTP/1.1 101 ") || head.starts_with("HTTP/1.1 200 "));
            }
            assert_eq!(service.requests(), 2);
        }
    })
    .await;
}

#[tokio::test]
async fn a_service_that_comes_and_goes_loses_nobody() {
    watched(async {
        let mut asleep = Asleep::new();
        let door = Door::before(asleep.port);
        for _round in 0..5 {
            let mut held = Vec::new();
            for _ in 0..5 {
                held.push(door.client(handshake("/chat", "")).await);
                held.push(door.client(request("GET", "/", "")).await);
            }
            door.holds(10).await;
            let service = asleep.wakes(speaks_both);
            door.ready();
            for client in &mut held {
                let head = client.head().await;
                assert!(head.starts_with("HTTP/1.1 101 ") || head.starts_with("HTTP/1.1 200 "));
            }
            drop(held);
            asleep = service.falls_asleep().await;
            // Whoever comes first finds out, and waits with the others.
            let mut scout = door.client(handshake("/chat", "")).await;
            door.holds(1).await;
            until("held again", || !door.front.readiness.state().is_ready()).await;
            scout.half_close().await;
            door.frees_every_place().await;
        }
        assert_eq!(door.front.gate.counts().refused_total.total(), 0);
    })
    .await;
}

/// The pool's connections died with the service: the request waits for the next one.
#[tokio::test]
async fn idle_connections_of_a_service_that_went_fail_nobody() {
    watched(async {
        let (end, ended) = tokio::sync::watch::channel(false);
        let service = Service::new(move |mut line: Line| {
            let mut ended = ended.clone();
            async move {
                tokio::select! {
                    () = line.answers_all(answer("200 OK", "well")) => {}
                    _ = ended.wait_for(|end| *end) => {}
                }
            }
        });
        let door = Door::ready_before(service.port);
        let mut client = door.client(request("GET", "/", "")).await;
        assert_eq!(client.answer().await.status, 200);
        let asleep = service.falls_asleep().await;
        end.send_replace(true);
        client.send(request("GET", "/", "")).await;
        door.holds(1).await;
        let _service = asleep.wakes(speaks_both);
        door.ready();
        assert_eq!(client.answer().await.text(), "well");
    })
    .await;
}

#[tokio::test]
async fn the_fall_of_the_last_tunnel_sends_scouts_first_again() {
    watched(async {
        let (end, ended) = tokio::sync::watch::channel(false);
        let service = Service::new(move |mut line: Line| {
            let mut ended = ended.clone();
            async move {
                line.head().await;
                line.say(switching("")).await;
                if line.index == 0 {
                    let _ = ended.wait_for(|end| *end).await;
                } else {
                    line.listen().await;
                }
            }
        });
        let door = Door::warm_before(service.port);
        let mut client = door.client(handshake("/chat", "")).await;
        client.head().await;
        end.send_replace(true);
        assert_eq!(client.close_frame().await.0, 1012);
        drop(client);
        let young = || door.front.service.settle(std::time::Duration::from_secs(1)).is_some();
        until("young again", young).await;
    })
    .await;
}
