//! Breaks the fairness of the queue with one client that wants every place, and with holds that cost more than
//! they seem to.

use std::num::NonZeroUsize;

use vestibule_front::front::Settings;
use vestibule_front::head::forwarded::Trust;
use vestibule_front::hold;

use super::actors::client::Client;
use super::actors::door::Door;
use super::actors::service::{Asleep, Service};
use super::actors::{answer, handshake, request, watched};

/// A door behind a proxy on this machine, where one client may have three of twenty places.
fn behind_a_proxy(settings: &mut Settings) {
    settings.trust = Trust::Proxies(vec!["127.0.0.0/8".parse().unwrap()]);
    settings.limits.held_max = 20;
    settings.limits.held_per_client_max = NonZeroUsize::new(3);
}

fn from(address: &str) -> String {
    format!("X-Forwarded-For: {address}\r\n")
}

async fn is_over_its_share(client: &mut Client) {
    let answer = client.answer().await;
    assert_eq!(answer.status, 503);
    assert!(answer.text().contains(r#""code":"client_share""#), "{}", answer.text());
    assert!(answer.field("retry-after").is_some());
}

#[tokio::test]
async fn a19_one_client_that_wants_every_place_leaves_room_for_another() {
    watched(async {
        let asleep = Asleep::new();
        let door = Door::with(asleep.port, behind_a_proxy);
        // What it says of others in front of the proxy's word is its own invention.
        let greedy = from("192.0.2.99, 2001:db8:0:7::1");
        let mut held = Vec::new();
        for _ in 0..3 {
            held.push(door.client(handshake("/chat", &greedy)).await);
        }
        door.holds(3).await;
        for last in 0..60 {
            let same_network = from(&format!("192.0.2.{last}, 2001:db8:0:7::{last}"));
            is_over_its_share(&mut door.client(handshake("/chat", &same_network)).await).await;
        }
        is_over_its_share(&mut door.client(request("GET", "/", &greedy)).await).await;
        held.push(door.client(handshake("/chat", &from("192.0.2.8"))).await);
        door.holds(4).await;
        let _service = asleep.wakes(async |mut line| line.takes("").await);
        door.ready();
        for client in &mut held {
            assert!(client.head().await.starts_with("HTTP/1.1 101 "));
        }
    })
    .await;
}

#[tokio::test]
async fn a_place_that_a_client_left_is_free_for_it_again() {
    watched(async {
        let asleep = Asleep::new();
        let door = Door::with(asleep.port, behind_a_proxy);
        for _ in 0..10 {
            let mut held = Vec::new();
            for _ in 0..3 {
                held.push(door.client(handshake("/chat", &from("192.0.2.7"))).await);
            }
            door.holds(3).await;
            drop(held);
            door.holds(0).await;
        }
        assert_eq!(door.front.gate.counts().refused_total.total(), 0);
    })
    .await;
}

/// A proxy that is believed and names nobody speaks for many.
#[tokio::test]
async fn a_proxy_that_names_nobody_has_no_share() {
    watched(async {
        let asleep = Asleep::new();
        let door = Door::with(asleep.port, behind_a_proxy);
        let mut held = Vec::new();
        for _ in 0..10 {
            held.push(door.client(handshake("/chat", "")).await);
        }
        door.holds(10).await;
    })
    .await;
}

#[tokio::test]
async fn asked_for_it_a_share_counts_peers_whoever_they_are() {
    watched(async {
        let asleep = Asleep::new();
        let door = Door::with(asleep.port, |settings| {
            settings.limits.held_per_client_max = NonZeroUsize::new(2);
        });
        let _held =
            [door.client(handshake("/", "")).await, door.client(request("GET", "/", "")).await];
        door.holds(2).await;
        is_over_its_share(&mut door.client(handshake("/", &from("192.0.2.7"))).await).await;
    })
    .await;
}

/// What the service reads later is what the hold kept, to the byte.
#[tokio::test]
async fn a_held_handshake_declares_the_bytes_that_it_keeps() {
    watched(async {
        let asleep = Asleep::new();
        let door = Door::before(asleep.port);
        let cookie = format!("Cookie: a={}\r\n", "b".repeat(3_000));
        let mut client = door.client(handshake("/chat", &cookie)).await;
        door.holds(1).await;
        let declared = door.front.gate.counts().held_bytes;
        let service = asleep.wakes(async |mut line| line.takes("").await);
        door.ready();
        client.head().await;
        assert_eq!(declared, hold::WEIGHT + service.transcript(0).len());
    })
    .await;
}

#[tokio::test]
async fn a_held_plain_request_declares_its_fields_and_not_its_body() {
    watched(async {
        let asleep = Asleep::new();
        let door = Door::before(asleep.port);
        let of = async |extra: &str, body: &str| {
            let mut client = door.client(request("POST", "/", extra) + body).await;
            door.holds(1).await;
            let declared = door.front.gate.counts().held_bytes;
            client.half_close().await;
            door.holds(0).await;
            declared
        };
        let plain = of("Content-Length: 5000\r\n", "").await;
        assert!((hold::WEIGHT..hold::WEIGHT + 1_024).contains(&plain), "{plain}");
        assert_eq!(of("Content-Length: 5000\r\n", &"b".repeat(4_000)).await, plain);
        let field = format!("Content-Length: 5000\r\nX-Big: {}\r\n", "a".repeat(9_000));
        let more = of(&field, "").await - plain;
        assert!((9_000..9_000 + 256).contains(&more), "{more}");
    })
    .await;
}

/// Few large heads fill the queue as many small ones do.
#[tokio::test]
async fn a21_a_queue_full_of_plain_bytes_is_full() {
    watched(async {
        let service = Service::new(async |mut line| line.answers_all(answer("200 OK", "a")).await);
        let door = Door::with(service.port, |settings| settings.limits.held_bytes_max = 40_000);
        let big = request("GET", "/", &format!("X-Big: {}\r\n", "a".repeat(15_000)));
        let mut held = [door.client(&big).await, door.client(&big).await];
        door.holds(2).await;
        let refused = door.client(&big).await.answer().await;
        assert!(refused.text().contains(r#""code":"queue_full""#), "{}", refused.text());
        door.ready();
        for client in &mut held {
            assert_eq!(client.answer().await.status, 200);
        }
        assert_eq!(door.front.gate.counts().held_bytes, 0);
    })
    .await;
}
