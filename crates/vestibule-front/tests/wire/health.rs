//! Breaks what is never held: the public health path, the ready path, and known probers.

use super::actors::door::Door;
use super::actors::service::{Asleep, Line, Service};
use super::actors::{answer, request, until, watched};

fn door(port: u16) -> Door {
    Door::with(port, |settings| {
        settings.public_health = Some("/healthz".into());
        settings.ready_path = Some("/ready".into());
    })
}

#[tokio::test]
async fn public_health_is_503_until_ready_and_then_200_on_one_connection() {
    watched(async {
        let asleep = Asleep::new();
        let door = door(asleep.port);
        let mut client = door.client(request("GET", "/healthz", "")).await;
        let answer = client.answer().await;
        assert_eq!((answer.status, answer.text()), (503, "{\"status\":\"not_ready\"}\n"));
        client.send(request("HEAD", "/healthz?verbose", "")).await;
        assert_eq!(client.answer_to_head().await.status, 503);
        door.ready();
        client.send(request("GET", "/healthz", "")).await;
        let answer = client.answer().await;
        assert_eq!((answer.status, answer.text()), (200, "{\"status\":\"ready\"}\n"));
        client.send(request("HEAD", "/healthz", "")).await;
        assert_eq!(client.answer_to_head().await.status, 200);
        door.drains(std::time::Duration::ZERO);
        let mut late = door.client(request("GET", "/healthz", "")).await;
        assert_eq!(late.answer().await.status, 503);
        assert_eq!(door.front.gate.counts().admitted_total, 0);
    })
    .await;
}

#[tokio::test]
async fn public_health_says_what_becomes_of_the_connection() {
    watched(async {
        let asleep = Asleep::new();
        let door = door(asleep.port);
        let mut client = door.client(request("GET", "/healthz", "Connection: close\r\n")).await;
        assert_eq!(client.answer().await.field("connection"), Some("close"));
        assert!(client.is_told_nothing().await);
        let old = "GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
        let mut client = door.client(old).await;
        assert_eq!(client.answer().await.field("connection"), Some("keep-alive"));
        client.send("GET /healthz HTTP/1.0\r\n\r\n").await;
        assert_eq!(client.answer().await.field("connection"), Some("close"));
    })
    .await;
}

/// A body behind a health request must not be read as the next head.
#[tokio::test]
async fn a_health_request_with_a_body_ends_its_connection() {
    watched(async {
        let service =
            Service::new(async |mut line: Line| line.answers_all(answer("200 OK", "a")).await);
        let door = door(service.port);
        door.ready();
        let inner = request("GET", "/inner", "");
        let head = request("GET", "/healthz", &format!("Content-Length: {}\r\n", inner.len()));
        let mut client = door.client(head + &inner).await;
        assert_eq!(client.answer().await.status, 200);
        assert!(client.is_told_nothing().await);
        assert_eq!(service.dials(), 0);
    })
    .await;
}

/// A prober, and the path it usually asks for.
fn probes() -> [String; 4] {
    [
        request("GET", "/ready", ""),
        request("GET", "/", "User-Agent: kube-probe/1.31\r\n"),
        request("HEAD", "/", "User-Agent: GoogleHC/1.0\r\n"),
        request("GET", "/", "User-Agent: ELB-HealthChecker/2.0\r\n"),
    ]
}

#[tokio::test]
async fn probers_and_the_ready_path_are_never_held() {
    watched(async {
        let service = Service::new(async |mut line: Line| {
            while let Some(head) = line.head().await {
                let body = if head.starts_with("HEAD") { "" } else { "a" };
                line.say(answer("200 OK", body)).await;
            }
        });
        let door = door(service.port);
        for probe in probes() {
            let mut client = door.client(probe).await;
            assert_eq!(client.answer_to_head().await.status, 503);
        }
        assert_eq!((door.front.gate.counts().left_total, service.dials()), (0, 0));
        door.ready();
        for probe in probes() {
            let mut client = door.client(probe).await;
            assert_eq!(client.answer_to_head().await.status, 200);
        }
    })
    .await;
}

/// The door still believes that the service is ready: the prober is the one who finds out.
#[tokio::test]
async fn a_prober_that_meets_a_dead_service_is_told_at_once_and_not_held() {
    watched(async {
        for probe in probes() {
            let asleep = Asleep::new();
            let door = door(asleep.port);
            door.ready();
            let mut client = door.client(probe).await;
            assert_eq!(client.answer_to_head().await.status, 503);
            until("the loss was noticed", || !door.front.readiness.state().is_ready()).await;
        }
    })
    .await;
}
