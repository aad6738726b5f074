//! Breaks plain requests: many on one connection, held or not, an Upgrade behind them, and what the service sees.

use super::actors::door::Door;
use super::actors::service::{Asleep, Line, Service};
use super::actors::{answer, handshake, request, switching, text, watched};

/// A service that reads each body by its framing, and says back what it was asked; a handshake it takes.
async fn echoes(mut line: Line) {
    while let Some(head) = line.head().await {
        let lower = head.to_ascii_lowercase();
        if lower.contains("upgrade: websocket") {
            line.say([switching("").into_bytes(), text("well")].concat()).await;
            return line.listen().await;
        }
        let length = lower.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
        let body = match length {
            Some(length) => line.exactly(length.parse().unwrap()).await.unwrap_or_default(),
            None if lower.contains("transfer-encoding: chunked") => {
                line.through(b"0\r\n").await.unwrap_or_default().into()
            }
            None => Vec::new(),
        };
        if lower.contains("transfer-encoding: chunked") && line.through(b"\r\n").await.is_none() {
            return;
        }
        let asked = head.split(" HTTP").next().unwrap_or_default();
        line.say(answer("200 OK", &format!("{asked} {}", String::from_utf8_lossy(&body)))).await;
    }
}

/// What a load balancer does with one connection.
async fn a_whole_day(door: &Door, held_at_first: bool) {
    let mut client = door.client(request("GET", "/a", "")).await;
    if held_at_first {
        door.holds(1).await;
        door.ready();
    }
    assert_eq!(client.answer().await.text(), "GET /a ");
    client.send(request("POST", "/b", "Content-Length: 5\r\n") + "hello").await;
    assert_eq!(client.answer().await.text(), "POST /b hello");
    client.send(request("POST", "/c", "Transfer-Encoding: chunked\r\n")).await;
    client.send("3\r\nfoo\r\n3;x=y\r\nbar\r\n0\r\n\r\n").await;
    let body = client.answer().await;
    assert!(body.text().contains("foo") && body.text().contains("bar"), "{}", body.text());
    client.send(request("GET", "/d", "")).await;
    assert_eq!(client.answer().await.text(), "GET /d ");
    client.send(handshake("/chat", "")).await;
    assert!(client.head().await.starts_with("HTTP/1.1 101 "));
    assert_eq!(client.frame().await.1, b"well");
}

#[tokio::test]
async fn one_connection_carries_plain_requests_and_then_a_tunnel() {
    watched(async {
        let service = Service::new(echoes);
        a_whole_day(&Door::warm_before(service.port), false).await;
        assert_eq!(service.requests(), 5);
    })
    .await;
}

#[tokio::test]
async fn a_connection_that_was_held_at_first_goes_on_as_any_other() {
    watched(async {
        let service = Service::new(echoes);
        a_whole_day(&Door::before(service.port), true).await;
        assert_eq!(service.requests(), 5);
    })
    .await;
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order_each_once() {
    watched(async {
        let service = Service::new(echoes);
        let door = Door::ready_before(service.port);
        let all: String = (0..30).map(|n| request("GET", &format!("/{n}"), "")).collect();
        let mut client = door.client(all).await;
        for n in 0..30 {
            assert_eq!(client.answer().await.text(), format!("GET /{n} "));
        }
        assert_eq!(service.requests(), 30);
    })
    .await;
}

/// A request behind a body, in the same segment: the body's end is the next head's start.
#[tokio::test]
async fn requests_pipelined_behind_bodies_are_told_apart_from_them() {
    watched(async {
        let service = Service::new(echoes);
        let door = Door::ready_before(service.port);
        let inner = request("GET", "/inner", "");
        let length = format!("Content-Length: {}\r\n", inner.len());
        let chunks = format!("{:x}\r\n{inner}\r\n0\r\n\r\n", inner.len());
        let words = request("POST", "/a", &length)
            + &inner
            + &request("POST", "/b", "Transfer-Encoding: chunked\r\n")
            + &chunks
            + &request("GET", "/last", "");
        let mut client = door.client(words).await;
        assert!(client.answer().await.text().starts_with("POST /a GET /inner"));
        assert!(client.answer().await.text().starts_with("POST /b "));
        assert_eq!(client.answer().await.text(), "GET /last ");
    })
    .await;
}

/// Some clients end a body with an empty line that nobody asked for (RFC 9112 section 2.2).
#[tokio::test]
async fn one_empty_line_between_requests_is_no_request() {
    watched(async {
        let service = Service::new(echoes);
        let door = Door::ready_before(service.port);
        let words = request("POST", "/a", "Content-Length: 5\r\n") + "hello\r\n";
        let mut client = door.client(words + &request("GET", "/b", "")).await;
        assert_eq!(client.answer().await.text(), "POST /a hello");
        assert_eq!(client.answer().await.text(), "GET /b ");
    })
    .await;
}

#[tokio::test]
async fn a_handshake_may_be_pipelined_behind_a_request_and_nothing_behind_it() {
    watched(async {
        let service = Service::new(echoes);
        let door = Door::warm_before(service.port);
        let words = request("GET", "/a", "") + &handshake("/chat", "");
        let mut client = door.client(&words).await;
        assert_eq!(client.answer().await.text(), "GET /a ");
        assert!(client.head().await.starts_with("HTTP/1.1 101 "));
        let mut client = door.client(words + "x").await;
        assert_eq!(client.answer().await.text(), "GET /a ");
        assert_eq!(client.answer().await.status, 400);
        assert_eq!(service.requests(), 3);
    })
    .await;
}

#[tokio::test]
async fn a_request_to_close_is_kept_and_so_is_http_1_0() {
    watched(async {
        let service = Service::new(echoes);
        let door = Door::ready_before(service.port);
        let close = request("GET", "/a", "Connection: close\r\n");
        for words in [close, "GET /a HTTP/1.0\r\nHost: chat.test\r\n\r\n".into()] {
            let mut client = door.client(words).await;
            let answer = client.answer().await;
            assert_eq!((answer.status, answer.field("connection")), (200, Some("close")));
            assert!(client.is_told_nothing().await);
        }
        let mut client =
            door.client("GET /a HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n").await;
        assert_eq!(client.answer().await.field("connection"), Some("keep-alive"));
        client.send(request("GET", "/b", "")).await;
        assert_eq!(client.answer().await.text(), "GET /b ");
    })
    .await;
}

/// RFC 9112 section 3.2: what we send is HTTP/1.1, which always has a Host.
#[tokio::test]
async fn an_http_1_0_request_without_host_goes_up_with_an_empty_one() {
    watched(async {
        let service = Service::new(echoes);
        let door = Door::ready_before(service.port);
        let mut client = door.client("GET /a HTTP/1.0\r\n\r\n").await;
        assert_eq!(client.answer().await.status, 200);
        let seen = service.transcript(0).to_ascii_lowercase();
        assert_eq!(seen.matches("\r\nhost:").count(), 1, "{seen}");
    })
    .await;
}

#[tokio::test]
async fn a11_a12_the_service_sees_our_word_on_hops_and_identity_alone() {
    watched(async {
        let service = Service::new(echoes);
        let door = Door::ready_before(service.port);
        let lies = "Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=9\r\nTE: trailers\r\n\
                    Proxy-Authorization: Basic eA==\r\nHTTP2-Settings: AAMAAABk\r\n\
                    X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\nX-Forwarded-User: root\r\n\
                    X_Forwarded_For: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\nX-Real-IP: 6.6.6.6\r\n\
                    Cookie: a=1\r\nAuthorization: Bearer x\r\nAccept: */*\r\n";
        let mut client = door.client(request("GET", "/a?b=c", lies)).await;
        assert_eq!(client.answer().await.status, 200);
        let ws = lies.replace("keep-alive, X-Hop", "Upgrade, X-Hop");
        let upgrade = handshake("/chat", &ws).replacen("Connection: Upgrade\r\n", "", 1);
        client.send(upgrade).await;
        assert!(client.head().await.starts_with("HTTP/1.1 101 "));
        for (index, seen) in service.transcripts().iter().enumerate() {
            let lower = seen.to_ascii_lowercase();
            for gone in ["6.6.6.6", "x-hop", "keep-alive", "proxy-auth", "settings", "x_f", "root", "te:"] {
                assert!(!lower.contains(gone), "{gone} in {seen}");
            }
            let ours = ["x-forwarded-for: 127.0.0.1\r\n", "x-forwarded-proto: http\r\n", "x-forwarded-host: chat.test\r\n"];
            for kept in ours.into_iter().chain(["cookie: a=1\r\n", "authorization: bearer x\r\n", "\r\nhost: chat.test\r\n"]) {
                assert_eq!(lower.matches(kept).count(), 1, "{kept} in {seen}");
            }
            assert_eq!(lower.contains("upgrade"), index == 1, "{seen}");
        }
        assert!(service.transcript(0).starts_with("GET /a?b=c HTTP/1.1\r\n"));
    })
    .await;
}

#[tokio::test]
async fn a05_other_upgrades_are_plain_requests_without_their_token() {
    watched(async {
        let service = Service::new(echoes);
        let door = Door::ready_before(service.port);
        let h2c =
            "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n";
        let mut client = door.client(request("GET", "/a", h2c)).await;
        assert_eq!(client.answer().await.status, 200);
        assert!(!service.transcript(0).contains("h2c"));
    })
    .await;
}

/// What is pipelined behind a held request waits with it.
#[tokio::test]
async fn many_requests_of_one_connection_may_come_before_readiness() {
    watched(async {
        let asleep = Asleep::new();
        let door = Door::before(asleep.port);
        let mut clients = Vec::new();
        for n in 0..20 {
            let both = request("GET", &format!("/{n}"), "") + &request("GET", "/next", "");
            clients.push(door.client(both).await);
        }
        door.holds(20).await;
        let _service = asleep.wakes(echoes);
        door.ready();
        for (n, client) in clients.iter_mut().enumerate() {
            assert_eq!(client.answer().await.text(), format!("GET /{n} "));
            assert_eq!(client.answer().await.text(), "GET /next ");
        }
    })
    .await;
}
