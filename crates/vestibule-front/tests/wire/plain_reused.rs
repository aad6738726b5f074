//! Breaks connections that wait for a next request: dead ones, and requests that must not be sent twice.

use super::actors::door::Door;
use super::actors::service::{Line, Service};
use super::actors::{answer, request, watched};

/// A service whose first connection answers once, and dies as soon as it has seen a second request: from the front
/// that looks like a connection that died while it was idle.
fn that_dies_idle() -> Service {
    Service::new(async |mut line: Line| {
        if line.index > 0 {
            return line.answers_all(answer("200 OK", "fresh")).await;
        }
        line.head().await;
        line.say(answer("200 OK", "first")).await;
        line.head().await;
        line.reset();
    })
}

async fn second_request(method: &str, extra: &str) -> (Service, u16, String) {
    let service = that_dies_idle();
    let door = Door::ready_before(service.port);
    let mut client = door.client(request("GET", "/first", "")).await;
    assert_eq!(client.answer().await.text(), "first");
    client.send(request(method, "/second", extra)).await;
    let answer = client.answer().await;
    (service, answer.status, answer.text().to_owned())
}

#[tokio::test]
async fn connections_are_used_again() {
    watched(async {
        let service =
            Service::new(async |mut line: Line| line.answers_all(answer("200 OK", "a")).await);
        let door = Door::ready_before(service.port);
        for _ in 0..5 {
            let mut client = door.client(request("GET", "/", "")).await;
            client.answer().await;
        }
        assert_eq!((service.dials(), service.requests()), (1, 5));
    })
    .await;
}

#[tokio::test]
async fn an_idempotent_request_that_met_a_dead_connection_goes_out_once_more() {
    watched(async {
        for method in ["GET", "DELETE", "OPTIONS"] {
            let (service, status, body) = second_request(method, "").await;
            assert_eq!((status, &*body), (200, "fresh"), "{method}");
            assert_eq!((service.dials(), service.requests()), (2, 3), "{method}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_request_that_may_have_been_seen_never_goes_out_twice() {
    watched(async {
        for (method, extra) in [("POST", ""), ("POST", "Content-Length: 0\r\n"), ("PATCH", "")] {
            let (service, status, _) = second_request(method, extra).await;
            assert_eq!(status, 502, "{method} {extra}");
            assert_eq!((service.dials(), service.requests()), (1, 2), "{method} {extra}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_body_never_goes_out_twice() {
    watched(async {
        for method in ["POST", "PUT", "GET"] {
            let service = that_dies_idle();
            let door = Door::ready_before(service.port);
            let mut client = door.client(request("GET", "/first", "")).await;
            client.answer().await;
            client.send(request(method, "/second", "Content-Length: 4\r\n") + "once").await;
            assert_eq!(client.answer().await.status, 502, "{method}");
            let all = service.transcripts().concat();
            assert_eq!((service.dials(), all.matches("/second").count()), (1, 1), "{method}");
        }
    })
    .await;
}

/// A fresh connection that dies has no excuse: the service may have acted on what it saw.
#[tokio::test]
async fn a_request_on_a_fresh_connection_is_never_repeated() {
    watched(async {
        let service = Service::new(async |mut line: Line| {
            line.head().await;
        });
        let door = Door::ready_before(service.port);
        let mut client = door.client(request("GET", "/", "")).await;
        assert_eq!(client.answer().await.status, 502);
        assert_eq!((service.dials(), service.requests()), (1, 1));
    })
    .await;
}
