//! Breaks the way of an answer: none, broken off, early, interim, or one that lies about its length.

use super::actors::door::Door;
use super::actors::service::{Line, Service};
use super::actors::{answer, request, switching, until, watched};

fn saying(words: impl Into<Vec<u8>>) -> Service {
    let words = words.into();
    Service::new(move |mut line: Line| {
        let words = words.clone();
        async move { line.answers_all(words).await }
    })
}

#[tokio::test]
async fn answers_without_a_body_keep_the_connection_in_step() {
    watched(async {
        let service = Service::new(async |mut line: Line| {
            while let Some(head) = line.head().await {
                let words = match head.split(' ').nth(1) {
                    Some("/204") => "HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n".into(),
                    Some("/204-lying") => {
                        "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n".into()
                    }
                    Some("/304") => "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n".into(),
                    Some("/head") => "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n".into(),
                    Some("/head-chunked") => {
                        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".into()
                    }
                    _ => answer("200 OK", "last"),
                };
                line.say(words).await;
            }
        });
        let door = Door::ready_before(service.port);
        let mut client = door.client(request("GET", "/204", "")).await;
        let none = client.answer().await;
        assert_eq!((none.status, none.field("x-a")), (204, Some("b")));
        assert!(
            none.field("transfer-encoding").is_none() && none.field("content-length").is_none()
        );
        // RFC 9110 section 8.6: a 204 has no Content-Length; a client may believe it.
        client.send(request("GET", "/204-lying", "")).await;
        assert_eq!(client.answer().await.field("content-length"), None);
        client.send(request("GET", "/304", "")).await;
        assert_eq!(client.answer().await.status, 304);
        client.send(request("HEAD", "/head", "")).await;
        assert_eq!(client.answer_to_head().await.field("content-length"), Some("5"));
        client.send(request("HEAD", "/head-chunked", "")).await;
        assert_eq!(client.answer_to_head().await.status, 200);
        client.send(request("GET", "/", "")).await;
        assert_eq!(client.answer().await.text(), "last");
    })
    .await;
}

#[tokio::test]
async fn early_hints_are_passed_on_before_the_answer_and_100_is_not() {
    watched(async {
        let hints = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n";
        let service = saying(format!("{hints}{hints}{}", answer("200 OK", "a")));
        let door = Door::ready_before(service.port);
        let mut client = door.client(request("GET", "/", "")).await;
        for _ in 0..2 {
            let head = client.head().await;
            assert!(head.starts_with("HTTP/1.1 103 ") && head.contains("rel=preload"), "{head}");
        }
        assert_eq!(client.answer().await.text(), "a");
    })
    .await;
}

/// With the front on several threads: hints and the answer behind them come in one segment.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn early_hints_are_never_lost_between_two_threads() {
    watched(async {
        let hint = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
        let service = saying(format!("{hint}{}", answer("200 OK", "a")));
        let door = Door::ready_before(service.port);
        let mut client = door.client("").await;
        for round in 0..300 {
            client.send(request("GET", "/", "")).await;
            assert!(client.head().await.starts_with("HTTP/1.1 103 "), "round {round}");
            assert_eq!(client.answer().await.text(), "a");
        }
    })
    .await;
}

/// RFC 9110 section 15.2: HTTP/1.0 has no interim answers.
#[tokio::test]
async fn an_http_1_0_client_sees_no_interim_answer() {
    watched(async {
        let hint = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
        let service = saying(format!("{hint}{}", answer("200 OK", "a")));
        let door = Door::ready_before(service.port);
        let mut client = door.client("GET / HTTP/1.0\r\nHost: a\r\n\r\n").await;
        assert_eq!(client.answer().await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn a_chunked_answer_and_one_until_the_end_reach_every_client_whole() {
    watched(async {
        let chunked = "HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n\
                       5\r\nhello\r\n6\r\n world\r\n0\r\nX-Sum: 11\r\n\r\n";
        let service = saying(chunked);
        let door = Door::ready_before(service.port);
        let mut client = door.client(request("GET", "/", "")).await;
        let answer = client.answer().await;
        assert_eq!((answer.text(), answer.whole), ("hello world", true));
        assert_eq!(answer.trailers.to_ascii_lowercase(), "x-sum: 11\n");
        client.send(request("GET", "/", "")).await;
        assert_eq!(client.answer().await.text(), "hello world");
        let mut old = door.client("GET / HTTP/1.0\r\nHost: a\r\n\r\n").await;
        let answer = old.answer().await;
        assert!(answer.field("transfer-encoding").is_none());
        assert_eq!((answer.text(), answer.whole), ("hello world", true));

        let service = Service::new(async |mut line: Line| {
            line.head().await;
            line.say("HTTP/1.1 200 OK\r\n\r\nhello").await;
        });
        let door = Door::ready_before(service.port);
        let mut client = door.client(request("GET", "/", "")).await;
        let answer = client.answer().await;
        assert_eq!((answer.text(), answer.whole), ("hello", true));
    })
    .await;
}

/// However the body is framed towards the client, a part of it must never look like all of it.
#[tokio::test]
async fn an_answer_that_breaks_off_is_seen_to_break_off() {
    watched(async {
        let framings = ["Content-Length: 10\r\n", "Transfer-Encoding: chunked\r\n"];
        for (framing, version, resets) in framings
            .into_iter()
            .flat_map(|framing| [(framing, "1.1"), (framing, "1.0")])
            .flat_map(|(framing, version)| [(framing, version, true), (framing, version, false)])
        {
            let service = Service::new(move |mut line: Line| async move {
                line.head().await;
                line.say(format!("HTTP/1.1 200 OK\r\n{framing}\r\n5\r\nhello\r\n").replace(
                    "\r\n\r\n5\r\nhello\r\n",
                    if framing.contains("chunked") {
                        "\r\n\r\n5\r\nhello\r\n"
                    } else {
                        "\r\n\r\nhello"
                    },
                ))
                .await;
                if resets {
                    line.reset();
                }
            });
            let door = Door::ready_before(service.port);
            let mut client = door.client(format!("GET / HTTP/{version}\r\nHost: a\r\n\r\n")).await;
            let answer = client.answer().await;
            assert!(!answer.whole, "{framing} HTTP/{version} {resets}: {answer:?}");
            assert!(client.rest().await.is_err() || client.rest().await.unwrap().is_empty());
        }
    })
    .await;
}

#[tokio::test]
async fn a02_an_unsolicited_101_is_refused_and_its_connection_never_used_again() {
    watched(async {
        let service = saying(switching(""));
        let door = Door::ready_before(service.port);
        for round in 1..=3 {
            let mut client = door.client(request("GET", "/", "")).await;
            assert_eq!(client.answer().await.status, 502);
            assert_eq!((service.dials(), service.requests()), (round, round));
        }
    })
    .await;
}

#[tokio::test]
async fn a09_an_answer_whose_length_could_be_read_two_ways_is_refused() {
    watched(async {
        for fields in [
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
            "Content-Length: 5\r\nContent-Length: 5\r\n",
            "Content-Length: 5\r\nContent-Length: 6\r\n",
            "Content-Length: 5, 5\r\n",
            "Content-Length: +5\r\n",
            "Transfer-Encoding: gzip, chunked\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: xchunked\r\n",
        ] {
            let service = saying(format!("HTTP/1.1 200 OK\r\n{fields}\r\n5\r\nhello\r\n0\r\n\r\n"));
            let door = Door::ready_before(service.port);
            let mut client = door.client(request("GET", "/", "")).await;
            let answer = client.answer().await;
            assert_eq!((answer.status, answer.whole), (502, true), "{fields}");
            let mut second = door.client(request("GET", "/", "")).await;
            second.answer().await;
            assert_eq!(service.dials(), 2, "{fields}: the connection is not used again");
        }
    })
    .await;
}

/// hyper skips as many interim answers as come, in silence.
#[tokio::test]
async fn t06_a_service_that_never_stops_saying_wait_is_refused_and_dropped() {
    watched(async {
        for version in ["HTTP/1.1", "HTTP/1.0"] {
            let service = Service::new(async |mut line: Line| {
                line.head().await;
                let hint = "HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n";
                line.say(hint.repeat(20_000) + &answer("200 OK", "late")).await;
                line.listen().await;
            });
            let door = Door::ready_before(service.port);
            let words = request("GET", "/", "").replace("HTTP/1.1", version);
            let mut client = door.client(words).await;
            let mut head = client.head().await;
            for _ in 0..200 {
                if !head.starts_with("HTTP/1.1 103 ") {
                    break;
                }
                head = client.head().await;
            }
            assert!(head.starts_with("HTTP/1.1 502 "), "{version}: {head}");
            let next = door.client(request("GET", "/", "Connection: close\r\n")).await;
            service.is_dialled(2).await;
            drop(next);
        }
    })
    .await;
}

#[tokio::test]
async fn an_answer_whose_head_is_beyond_all_bounds_is_refused() {
    watched(async {
        let long = format!("X: {}\r\n", "a".repeat(100_000));
        let many = "X: y\r\n".repeat(300);
        for fields in [long, many] {
            let service = saying(format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: 0\r\n\r\n"));
            let door = Door::ready_before(service.port);
            let mut client = door.client(request("GET", "/", "")).await;
            assert_eq!(client.answer().await.status, 502);
        }
    })
    .await;
}

/// Surplus bytes of one answer must never begin the next client's.
#[tokio::test]
async fn a15_surplus_bytes_never_meet_another_request() {
    watched(async {
        let service = Service::new(async |mut line: Line| {
            while line.head().await.is_some() {
                let words = if line.index == 0 { "poison" } else { "honest" };
                line.say(answer("200 OK", "12345") + &answer("200 OK", words)).await;
            }
        });
        let door = Door::ready_before(service.port);
        for _ in 0..5 {
            let mut client = door.client(request("GET", "/", "")).await;
            assert_eq!(client.answer().await.text(), "12345");
        }
    })
    .await;
}

/// Event streams are silent for long: only a door that watches tells the service that its reader is gone.
#[tokio::test]
async fn the_service_learns_that_a_client_left_while_it_thinks_or_streams() {
    watched(async {
        for words in ["", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"] {
            let (gone, mut told) = tokio::sync::watch::channel(0);
            let service = Service::new(move |mut line: Line| {
                let gone = gone.clone();
                async move {
                    line.head().await;
                    line.say(words).await;
                    line.listen().await;
                    gone.send_modify(|gone| *gone += 1);
                }
            });
            let door = Door::ready_before(service.port);
            let mut client = door.client(request("GET", "/", "")).await;
            service.is_dialled(1).await;
            until("the request is there", || service.requests() == 1).await;
            if !words.is_empty() {
                client.head().await;
            }
            drop(client);
            told.wait_for(|gone| *gone == 1).await.unwrap();
            until("nothing is open", || door.front.drain.open() == 0).await;
        }
    })
    .await;
}
