//! Breaks the way of a request's body: before admission, broken off, unwanted, announced, in chunks.

use std::time::Duration;

use super::actors::door::Door;
use super::actors::service::{Asleep, Line, Service};
use super::actors::{answer, request, until, watched};

const CHUNKED: &str = "Transfer-Encoding: chunked\r\n";

#[tokio::test]
async fn a_chunked_body_with_trailers_arrives_whole_whatever_the_method() {
    watched(async {
        for method in ["POST", "PUT", "PATCH", "DELETE", "GET", "OPTIONS"] {
            let service = Service::new(async |mut line: Line| {
                line.head().await;
                if line.through(b"0\r\nx-sum: 6\r\n\r\n").await.is_some() {
                    line.say(answer("200 OK", "whole")).await;
                }
            });
            let door = Door::ready_before(service.port);
            let head = request(method, "/", &format!("{CHUNKED}Trailer: X-Sum\r\n"));
            let mut client = door.client(head).await;
            client.send("3\r\nfoo\r\n").await;
            client.send("3\r\nbar\r\n0\r\nX-Sum: 6\r\n\r\n").await;
            assert_eq!(client.answer().await.text(), "whole", "{method}");
            let seen = service.transcript(0);
            assert!(seen.contains("foo") && seen.contains("bar"), "{method}: {seen}");
        }
    })
    .await;
}

/// Where a body means nothing, a service may leave it unread and read it as the next request: its connection must
/// not have one.
#[tokio::test]
async fn a09_a_body_where_none_is_due_ends_its_connection_behind_it() {
    watched(async {
        for method in ["GET", "HEAD", "DELETE", "OPTIONS"] {
            let service = Service::new(async |mut line: Line| {
                // Only heads are read: the body of each is left for the next.
                while let Some(head) = line.head().await {
                    line.say("HTTP/1.1 204 No Content\r\n\r\n").await;
                    if head.contains("connection: close") {
                        return;
                    }
                }
            });
            let door = Door::ready_before(service.port);
            let smuggled = request("GET", "/smuggled", "");
            let length = format!("Content-Length: {}\r\n", smuggled.len());
            let mut client = door.client(request(method, "/a", &length) + &smuggled).await;
            assert_eq!(client.answer_to_head().await.status, 204, "{method}");
            let mut other = door.client(request("GET", "/b", "")).await;
            assert_eq!(other.answer_to_head().await.status, 204, "{method}");
            assert_eq!(service.dials(), 2, "{method}");
            assert!(service.transcript(0).contains("connection: close\r\n"), "{method}");
            assert!(!service.transcript(1).contains("/smuggled"), "{method}");
        }
    })
    .await;
}

#[tokio::test]
async fn a14_a_client_is_told_to_continue_only_once_it_is_admitted() {
    watched(async {
        let asleep = Asleep::new();
        let door = Door::before(asleep.port);
        let expects = "Expect: 100-continue\r\nContent-Length: 5\r\n";
        let mut client = door.client(request("POST", "/", expects)).await;
        door.holds(1).await;
        let early = tokio::time::timeout(Duration::from_millis(100), client.exactly(1)).await;
        assert!(early.is_err(), "a held client was told to send");
        let service = asleep.wakes(async |mut line: Line| {
            line.head().await;
            line.exactly(5).await;
            line.say(answer("200 OK", "thanks")).await;
        });
        door.ready();
        assert_eq!(client.head().await, "HTTP/1.1 100 Continue\r\n\r\n");
        client.send("hello").await;
        assert_eq!(client.answer().await.text(), "thanks");
        assert!(!service.transcript(0).to_ascii_lowercase().contains("expect"));
    })
    .await;
}

#[tokio::test]
async fn a14_a_refused_client_is_never_told_to_continue() {
    watched(async {
        let asleep = Asleep::new();
        let door = Door::with(asleep.port, |settings| settings.hold = Duration::from_millis(50));
        let expects = "Expect: 100-continue\r\nContent-Length: 5\r\n";
        let mut client = door.client(request("POST", "/", expects)).await;
        assert_eq!(client.answer().await.status, 503);
    })
    .await;
}

/// The service says no before it has the body. The client gets the answer, and is not asked to go on.
#[tokio::test]
async fn an_answer_that_comes_before_the_body_ends_the_exchange() {
    watched(async {
        for closes in [true, false] {
            let service = Service::new(move |mut line: Line| async move {
                line.head().await;
                line.say(answer("413 Content Too Large", "too much")).await;
                if !closes {
                    line.listen().await;
                }
            });
            let door = Door::ready_before(service.port);
            let mut client =
                door.client(request("POST", "/", "Content-Length: 50000000\r\n")).await;
            let _ = tokio::time::timeout(
                Duration::from_millis(200),
                client.try_send(vec![b'x'; 1 << 20]),
            )
            .await;
            let answer = client.answer().await;
            assert_eq!((answer.status, answer.text()), (413, "too much"), "{closes}");
            // The rest of the body is not the next head.
            assert_eq!(answer.field("connection"), Some("close"));
            let _ = client.try_send(request("GET", "/next", "")).await;
            assert!(client.is_told_nothing().await);
            assert_eq!(service.requests(), 1);
        }
    })
    .await;
}

#[tokio::test]
async fn an_upload_that_breaks_off_never_looks_whole_to_the_service() {
    watched(async {
        for (framing, part) in [("Content-Length: 10\r\n", "hello"), (CHUNKED, "5\r\nhello\r\n")] {
            for breaks in ["left", "reset", "malformed"] {
                if breaks == "malformed" && framing != CHUNKED {
                    continue;
                }
                let (over, mut ended) = tokio::sync::watch::channel(0);
                let service = Service::new(move |mut line: Line| {
                    let over = over.clone();
                    async move {
                        line.listen().await;
                        over.send_modify(|ends| *ends += 1);
                    }
                });
                let door = Door::ready_before(service.port);
                let mut client = door.client(request("POST", "/", framing) + part).await;
                service.is_dialled(1).await;
                until("the part is there", || service.transcript(0).contains("hello")).await;
                match breaks {
                    "left" => drop(client),
                    "reset" => client.reset(),
                    _ => client.send("xyz\r\n").await,
                }
                ended.wait_for(|ends| *ends == 1).await.unwrap();
                let seen = service.transcript(0);
                let (_, body) = seen.split_once("\r\n\r\n").unwrap();
                assert!(!body.contains("0\r\n\r\n"), "{framing} {breaks}: {seen}");
                assert_eq!((service.dials(), seen.matches("hello").count()), (1, 1));
                until("nothing is open", || door.front.drain.open() == 0).await;
            }
        }
    })
    .await;
}

/// RFC 9112 section 7.1: who sends a broken body is told so.
#[tokio::test]
async fn a_malformed_body_is_answered_with_400() {
    watched(async {
        let service = Service::new(async |mut line: Line| line.listen().await);
        let door = Door::ready_before(service.port);
        let mut client = door.client(request("POST", "/", CHUNKED) + "xyz\r\n").await;
        let answer = client.answer().await;
        assert_eq!((answer.status, answer.whole), (400, true));
        assert!(client.is_told_nothing().await);
    })
    .await;
}

#[tokio::test]
async fn a21_a_held_body_stays_in_the_kernel_and_its_client_may_leave() {
    watched(async {
        let service = Service::that_takes_all();
        let door = Door::before(service.port);
        let body = vec![b'x'; 64 * 1024];
        for how in ["left", "half-closed", "reset"] {
            let mut client = door.client(request("POST", "/", "Content-Length: 65536\r\n")).await;
            client.send(&body).await;
            door.holds(1).await;
            assert_eq!(service.dials(), 0);
            match how {
                "left" => drop(client),
                "reset" => client.reset(),
                _ => client.half_close().await,
            }
            door.frees_every_place().await;
        }
        assert_eq!(service.dials(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_body_that_waited_in_the_kernel_arrives_whole() {
    watched(async {
        let asleep = Asleep::new();
        let door = Door::before(asleep.port);
        let body: Vec<u8> = (0..100_000_u32).flat_map(u32::to_be_bytes).collect();
        let head = request("POST", "/", &format!("Content-Length: {}\r\n", body.len()));
        let mut client = door.client(head).await;
        let count = body.len();
        let service = async {
            door.holds(1).await;
            let service = asleep.wakes(move |mut line: Line| async move {
                line.head().await;
                let body = line.exactly(count).await.unwrap_or_default();
                let sum: u64 = body.iter().map(|byte| u64::from(*byte)).sum();
                line.say(answer("200 OK", &sum.to_string())).await;
            });
            door.ready();
            service
        };
        let (_service, ()) = tokio::join!(service, client.send(&body));
        let sum: u64 = body.iter().map(|byte| u64::from(*byte)).sum();
        assert_eq!(client.answer().await.text(), sum.to_string());
    })
    .await;
}
