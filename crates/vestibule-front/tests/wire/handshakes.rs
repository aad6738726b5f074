//! Breaks what is passed between a client and a service around the hand-over.

use std::time::Duration;

use super::actors::door::Door;
use super::actors::service::Service;
use super::actors::{answer, close, handshake, masked_close, switching, text, until, watched};

#[tokio::test]
async fn a_refusal_of_the_service_goes_through_byte_for_byte() {
    watched(async {
        let body = "nö: {\"error\": \"token\"}\0\u{1}";
        let head = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer realm=\"chat\"\r\n\
                    Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-Request-Id: 7\r\n";
        let length = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
        let chunked = format!(
            "{head}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
            body.len()
        );
        for words in [length, chunked] {
            let service = Service::new(move |mut line| {
                let words = words.clone();
                async move { line.answers(words).await }
            });
            let door = Door::ready_before(service.port);
            let mut client = door.client(handshake("/chat", "")).await;
            let answer = client.answer().await;
            assert_eq!((answer.status, answer.text(), answer.whole), (401, body, true));
            assert_eq!(answer.field("www-authenticate"), Some("Bearer realm=\"chat\""));
            assert!(answer.head.contains("set-cookie: a=1\r\nset-cookie: b=2\r\nx-request-id: 7"));
            assert_eq!(answer.field("connection"), Some("close"));
            assert!(client.is_told_nothing().await);
        }
    })
    .await;
}

/// An answer that only the end of the connection ends must not look whole when it was cut.
#[tokio::test]
async fn a_refusal_that_breaks_off_is_seen_to_break_off() {
    watched(async {
        for head in ["Content-Length: 10\r\n", "Transfer-Encoding: chunked\r\n", ""] {
            let words = format!("HTTP/1.1 403 Forbidden\r\n{head}\r\n5\r\nhel");
            let service = Service::new(move |mut line| {
                let words = words.clone();
                async move {
                    line.head().await;
                    line.say(words).await;
                    line.reset();
                }
            });
            let door = Door::ready_before(service.port);
            let mut client = door.client(handshake("/chat", "")).await;
            let answer = client.answer().await;
            assert_eq!((answer.status, answer.whole), (403, false), "{head}");
        }
    })
    .await;
}

#[tokio::test]
async fn a07_an_answer_in_single_bytes_with_words_behind_it_is_one_tunnel() {
    watched(async {
        let words = [switching("").into_bytes(), text("first"), text("second")].concat();
        let service = Service::new(move |mut line| {
            let words = words.clone();
            async move {
                line.head().await;
                for byte in words {
                    line.say([byte]).await;
                    tokio::task::yield_now().await;
                }
                line.listen().await;
            }
        });
        let door = Door::warm_before(service.port);
        let mut client = door.client(handshake("/chat", "")).await;
        assert!(client.head().await.starts_with("HTTP/1.1 101 "));
        assert_eq!(client.frame().await.1, b"first");
        assert_eq!(client.frame().await.1, b"second");
    })
    .await;
}

#[tokio::test]
async fn a_subprotocol_and_an_extension_that_were_offered_come_through() {
    watched(async {
        let offered = "Sec-WebSocket-Protocol: chat.v1, chat.v2\r\n\
                       Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";
        let chosen = "Sec-WebSocket-Protocol: chat.v2\r\n\
                      Sec-WebSocket-Extensions: permessage-deflate\r\nSet-Cookie: a=1\r\n";
        let service = Service::new(async move |mut line| line.answers(switching(chosen)).await);
        let door = Door::warm_before(service.port);
        let mut client = door.client(handshake("/chat", offered)).await;
        let head = client.head().await;
        for line in chosen.lines().chain(["Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="]) {
            assert!(head.contains(line), "{line} in {head}");
        }
    })
    .await;
}

/// Each handshake has a connection of its own, whatever becomes of it, and none is used again.
#[tokio::test]
async fn every_handshake_has_one_fresh_connection() {
    watched(async {
        let service = Service::new(async |mut line| match line.index % 3 {
            0 => line.answers(answer("401 Unauthorized", "no")).await,
            1 => line.takes(close(4401)).await,
            _ => line.takes("").await,
        });
        let door = Door::warm_before(service.port);
        for index in 0..9 {
            let mut client = door.client(handshake("/chat", "")).await;
            let status = if index % 3 == 0 { client.answer().await.status } else { 101 };
            if status == 101 {
                client.head().await;
                client.send(masked_close(1000)).await;
            }
            assert_eq!(service.dials(), index + 1);
        }
        assert_eq!(service.requests(), 9);
    })
    .await;
}

#[tokio::test]
async fn bytes_flow_both_ways_unchanged_and_a_half_close_lets_the_other_way_flow_on() {
    watched(async {
        let service = Service::new(async |mut line| {
            line.head().await;
            line.say(switching("")).await;
            // An echo that begins only at the end of what it got.
            let all = line.all().await;
            line.say(all).await;
        });
        let door = Door::warm_before(service.port);
        let mut client = door.client(handshake("/chat", "")).await;
        client.head().await;
        let sent: Vec<u8> = (0..100_000_u32).flat_map(u32::to_be_bytes).collect();
        client
            .send([&[0x82, 0xff], &(sent.len() as u64).to_be_bytes()[..], &[0; 4], &sent].concat())
            .await;
        client.half_close().await;
        let back = client.rest().await.unwrap();
        assert_eq!(back.len(), sent.len() + 14);
        assert!(back.ends_with(&sent));
    })
    .await;
}

/// Timers of the handshake die at the 101.
#[tokio::test]
async fn a_tunnel_outlives_every_deadline_of_its_handshake() {
    watched(async {
        let short = Duration::from_millis(100);
        let service = Service::that_takes_all();
        let door = Door::with(service.port, |settings| {
            (settings.hold, settings.head_timeout) = (short, short);
            (settings.try_timeout, settings.settle) = (short, Duration::from_millis(10));
            settings.client_idle = short;
        });
        door.ready();
        let mut client = door.client(handshake("/chat", "")).await;
        client.head().await;
        let began = tokio::time::Instant::now();
        while began.elapsed() < short * 5 {
            tokio::time::sleep(short / 5).await;
            assert_eq!(door.front.drain.open(), 1, "after {:?}", began.elapsed());
        }
        client.send(masked_close(1000)).await;
        until("the Close arrived", || service.transcript(0).contains('\u{3}')).await;
    })
    .await;
}
