//! Breaks what a refused client is told: every reason, both styles, nothing of the request in it.

use std::time::Duration;

use tokio::time::Instant;
use vestibule::readiness::Failure;
use vestibule_front::farewell::Style;

use super::actors::client::{Answer, Client};
use super::actors::door::Door;
use super::actors::service::Asleep;
use super::actors::{ACCEPT, handshake, request, watched};

const CANARY: &str = "canary-7f3a";

/// A handshake full of things that no answer may repeat.
fn tattling(path: &str) -> String {
    handshake(
        &format!("{path}?token={CANARY}"),
        &format!(
            "Authorization: Bearer {CANARY}\r\nCookie: a={CANARY}\r\nOrigin: http://{CANARY}\r\n"
        ),
    )
}

fn is_refused_as(answer: &Answer, code: &str) {
    assert_eq!(answer.status, 503, "{}", answer.head);
    assert!(answer.text().contains(&format!(r#""code":"{code}""#)), "{}", answer.text());
    assert_eq!(answer.field("content-type"), Some("application/problem+json"));
    assert_eq!(answer.field("cache-control"), Some("no-store"));
    assert_eq!(answer.field("connection"), Some("close"));
    let wait: u64 = answer.field("retry-after").expect("Retry-After").parse().unwrap();
    assert!((1..=30).contains(&wait));
    assert!(!format!("{answer:?}").contains(CANARY) && !answer.text().contains(CANARY));
    assert!(answer.whole);
}

/// Both kinds of client at a front that refuses them for the same reason.
async fn both(door: &Door) -> [Client; 2] {
    [door.client(tattling("/chat")).await, door.client(request("GET", "/a", "")).await]
}

#[tokio::test]
async fn a_full_queue_is_said_at_once() {
    watched(async {
        let asleep = Asleep::new();
        let door = Door::with(asleep.port, |settings| settings.limits.held_max = 1);
        let _held = door.client(handshake("/chat", "")).await;
        door.holds(1).await;
        for mut client in both(&door).await {
            is_refused_as(&client.answer().await, "queue_full");
        }
        assert_eq!(door.held(), 1, "who is held stays held");
    })
    .await;
}

#[tokio::test]
async fn a_queue_full_of_bytes_is_full() {
    watched(async {
        let asleep = Asleep::new();
        let door = Door::with(asleep.port, |settings| settings.limits.held_bytes_max = 4_000);
        let big = handshake("/chat", &format!("X-Big: {}\r\n", "a".repeat(1_500)));
        is_refused_as(&door.client(big).await.answer().await, "queue_full");
        let _small = door.client(handshake("/chat", "")).await;
        door.holds(1).await;
    })
    .await;
}

#[tokio::test]
async fn f01_the_deadline_of_a_hold_is_answered() {
    watched(async {
        let asleep = Asleep::new();
        let door = Door::with(asleep.port, |settings| settings.hold = Duration::from_millis(150));
        for mut client in both(&door).await {
            is_refused_as(&client.answer().await, "deadline");
        }
        assert_eq!(door.held(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_failed_service_refuses_the_held_and_newcomers_and_keeps_its_reason_to_itself_or_says_it_plainly()
 {
    watched(async {
        let asleep = Asleep::new();
        let door = Door::before(asleep.port);
        let held = both(&door).await;
        door.holds(2).await;
        let failure = Failure::new("port 8080 not bound after 60 s");
        door.front.service.failed(&failure, Instant::now());
        for mut client in held.into_iter().chain(both(&door).await) {
            let answer = client.answer().await;
            is_refused_as(&answer, "failed");
        }
        assert_eq!(door.front.gate.counts().refused_total.total(), 4);
    })
    .await;
}

#[tokio::test]
async fn f35_a_drain_refuses_the_held_and_newcomers() {
    watched(async {
        let asleep = Asleep::new();
        let door = Door::before(asleep.port);
        let held = both(&door).await;
        door.holds(2).await;
        door.drains(Duration::ZERO);
        door.frees_every_place().await;
        for mut client in held.into_iter().chain(both(&door).await) {
            is_refused_as(&client.answer().await, "draining");
        }
    })
    .await;
}

/// Browsers hide the status of a failed handshake; a Close behind an accept they show.
#[tokio::test]
async fn a_refusal_by_close_is_a_sound_101_and_a_close_a_second_later() {
    watched(async {
        let asleep = Asleep::new();
        let door = Door::with(asleep.port, |settings| {
            (settings.refusal, settings.hold) = (Style::Close, Duration::from_millis(50));
        });
        let offers = "Sec-WebSocket-Protocol: chat.v2, chat.v1\r\n\
                      Sec-WebSocket-Extensions: permessage-deflate\r\n";
        let mut client = door.client(handshake("/chat", offers)).await;
        let head = client.head().await;
        let accepted = Instant::now();
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        assert!(head.contains(&format!("Sec-WebSocket-Accept: {ACCEPT}\r\n")));
        assert!(head.contains("Sec-WebSocket-Protocol: chat.v2\r\n"));
        assert!(!head.to_ascii_lowercase().contains("extensions"));
        // What an eager client says meanwhile changes nothing.
        client.send([0x81, 0x82, 0, 0, 0, 0, b'h', b'i']).await;
        let (code, reason) = client.close_frame().await;
        // The client's clock began a moment after the door's.
        assert!(accepted.elapsed() >= Duration::from_millis(950), "{:?}", accepted.elapsed());
        assert_eq!(code, 1013);
        let retry: u64 = reason.strip_prefix("retry=").expect("retry=").parse().unwrap();
        assert!((1_000..=5_000).contains(&retry));
        assert!(client.is_told_nothing().await);
    })
    .await;
}

#[tokio::test]
async fn a_client_that_leaves_before_its_refusing_close_is_forgotten_at_once() {
    watched(async {
        let asleep = Asleep::new();
        let door = Door::with(asleep.port, |settings| {
            (settings.refusal, settings.hold) = (Style::Close, Duration::from_millis(50));
        });
        let mut client = door.client(handshake("/chat", "")).await;
        client.head().await;
        drop(client);
        let forgotten = || door.front.drain.open() == 0;
        assert!(super::actors::comes_true(Duration::from_millis(500), forgotten).await);
    })
    .await;
}

/// A flood must not bring the Close forward: a script that comes back at once makes a storm of it.
#[tokio::test]
async fn a_refusal_by_close_is_not_hurried_by_a_flood() {
    watched(async {
        let asleep = Asleep::new();
        let door = Door::with(asleep.port, |settings| {
            (settings.refusal, settings.hold) = (Style::Close, Duration::from_millis(50));
        });
        let mut client = door.client(handshake("/chat", "")).await;
        client.head().await;
        let accepted = Instant::now();
        let flood = [&[0x82, 0xff], &(1_u64 << 20).to_be_bytes()[..], &vec![0; 400_000]].concat();
        let _ = tokio::time::timeout(Duration::from_millis(500), client.try_send(flood)).await;
        assert_eq!(client.close_frame().await.0, 1013);
        assert!(accepted.elapsed() >= Duration::from_millis(950), "{:?}", accepted.elapsed());
    })
    .await;
}

#[tokio::test]
async fn a_plain_request_is_refused_in_http_whatever_the_style() {
    watched(async {
        let asleep = Asleep::new();
        let door = Door::with(asleep.port, |settings| {
            (settings.refusal, settings.hold) = (Style::Close, Duration::from_millis(50));
        });
        let mut client = door.client(request("GET", "/", "")).await;
        is_refused_as(&client.answer().await, "deadline");
    })
    .await;
}

/// RFC 9110 section 9.3.2: an answer to HEAD has no body, a refusal neither.
#[tokio::test]
async fn a_refused_head_request_gets_no_body() {
    watched(async {
        let asleep = Asleep::new();
        let door = Door::with(asleep.port, |settings| settings.hold = Duration::from_millis(50));
        let mut client = door.client(request("HEAD", "/", "")).await;
        assert_eq!(client.answer_to_head().await.status, 503);
        assert_eq!(client.rest().await.unwrap(), b"");
    })
    .await;
}

#[tokio::test]
async fn an_http2_client_is_told_in_its_own_tongue() {
    watched(async {
        let asleep = Asleep::new();
        let door = Door::before(asleep.port);
        let mut client = door.client("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await;
        let settings = client.exactly(9).await;
        assert_eq!(settings, [0, 0, 0, 4, 0, 0, 0, 0, 0]);
        let goaway = client.exactly(17).await;
        assert_eq!((goaway[3], &goaway[13..]), (7, &[0, 0, 0, 0xd][..]));
        assert!(client.rest().await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn heads_that_nobody_should_send_on_are_refused_and_never_held() {
    watched(async {
        let asleep = Asleep::new();
        let door = Door::before(asleep.port);
        let long = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(9_000));
        let large = request("GET", "/", &format!("X: {}\r\n", "a".repeat(40_000)));
        let rows: [(&str, &str, u16); 13] = [
            ("garbage", "\x16\x03\x01\x02\0\x01\0\r\n\r\n", 400),
            ("bare line feeds", "GET / HTTP/1.1\nHost: a\n\n", 400),
            ("no Host", "GET / HTTP/1.1\r\n\r\n", 400),
            ("two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
            ("length and chunks", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
            ("two lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n", 400),
            ("CONNECT", "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", 405),
            ("space before colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
            ("folded line", "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n", 400),
            ("an old version", "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", 426),
            ("a hidden Host", "GET / HTTP/1.1\r\nHost: a\r\nConnection: host\r\n\r\n", 400),
            ("a long target", &long, 414),
            ("a large head", &large, 431),
        ];
        for (name, words, status) in rows {
            let mut client = door.client(words).await;
            let answer = client.answer().await;
            assert_eq!((answer.status, answer.whole), (status, true), "{name}");
            assert!(client.is_told_nothing().await, "{name}");
        }
        let counts = door.front.gate.counts();
        assert_eq!((counts.held, counts.left_total, counts.refused_total.total()), (0, 0, 0));
    })
    .await;
}
