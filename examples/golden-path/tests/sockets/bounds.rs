//! What a client may do too much of, and what becomes of it.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;

use crate::client::{Client, Got};
use crate::service::{RUN, Service, THINK};

/// Breaks if a user gets more sockets than allowed, or if one that was closed is still counted.
#[tokio::test]
async fn one_socket_too_many_is_closed_and_the_others_stay() {
    let service = Service::with(|settings| settings.socket.sockets_max = 2).await;
    let (ann, ben) = (service.user("ann").await, service.user("ben").await);
    let (mut one, two) = (Client::new(&service, &ann).await, Client::new(&service, &ann).await);
    let protocol = format!("golden-path.v1, bearer.{}", ann.access);
    let fields = [("sec-websocket-protocol", protocol.as_str())];
    let (stream, _) = crate::client::handshake(&service, "", &fields).await.unwrap();
    let mut third = Client { stream, hello: json!(null), last: 0 };
    assert_eq!(third.close().await, 4429);
    Client::new(&service, &ben).await;
    let mut two = two;
    two.stream.close(None).await.unwrap();
    while two.stream.next().await.is_some() {}
    one.message(&ann, "What time is it?").await;
    assert_eq!(one.events(RUN.len()).await, RUN);
    // The service gives a seat back when it has seen the end, which may be after us.
    let until = Instant::now() + Duration::from_secs(10);
    while service.app.sockets.open() > 1 && Instant::now() < until {
        tokio::task::yield_now().await;
    }
    Client::new(&service, &ann).await;
}

/// Breaks if more messages than allowed are taken, or if the one that is not taken has no answer, or the wrong one.
#[tokio::test]
async fn one_message_too_many_is_refused_by_its_number() {
    let service = Service::with(|settings| settings.socket.messages_a_minute = 2).await;
    let ann = service.user("ann").await;
    let mut client = Client::new(&service, &ann).await;
    for _ in 0..2 {
        client.message(&ann, "What time is it?").await;
        assert_eq!(client.events(RUN.len()).await, RUN);
    }
    let third = client.message(&ann, "And now?").await;
    let refused = client.frame().await;
    assert_eq!((&refused["type"], &refused["what"]), (&json!("refused"), &json!("message")));
    assert_eq!(refused["message"], json!(third));
    let mut other = Client::new(&service, &ann).await;
    other.message(&ann, "From elsewhere?").await;
    assert_eq!(other.frame().await["type"], "refused", "a socket more is not a minute more");
}

/// Breaks if a message that can't be stored ends the socket, or if its sender is not told which it was.
#[tokio::test]
async fn a_message_that_is_not_taken_is_refused_by_its_number() {
    let service = Service::start().await;
    let (ann, ben) = (service.user("ann").await, service.user("ben").await);
    let mut client = Client::new(&service, &ann).await;
    for text in [String::new(), "x".repeat(8001)] {
        let message = client.message(&ann, &text).await;
        assert_eq!(client.frame().await["message"], json!(message));
    }
    let strange = client.message(&ben, "What time is it?").await;
    let of_another = client.frame().await;
    assert_eq!(of_another["message"], json!(strange));
    let id = Uuid::new_v4();
    let frame = json!({ "type": "message", "thread": id, "message": id, "text": "x" });
    client.say(frame.to_string()).await;
    assert_eq!(
        client.frame().await["reason"],
        of_another["reason"],
        "another's looks like nobody's"
    );
    for _ in 0..5 {
        client.message(&ann, THINK).await;
    }
    loop {
        let frame = client.frame().await;
        if frame["type"] == "refused" {
            break;
        }
    }
    assert_eq!(service.app.store.open_runs(ann.id).await.unwrap(), 4);
}

/// Breaks if the same message, sent again because nobody knew, is answered twice.
#[tokio::test]
async fn a_message_sent_again_is_answered_once() {
    let service = Service::start().await;
    let ann = service.user("ann").await;
    let mut client = Client::new(&service, &ann).await;
    let message = Uuid::new_v4();
    let frame = json!({ "type": "message", "thread": ann.thread, "message": message, "text": "x" });
    for _ in 0..3 {
        client.say(frame.to_string()).await;
    }
    assert_eq!(client.events(RUN.len()).await, RUN);
    client.say(r#"{"type":"ping"}"#).await;
    assert_eq!(client.frame().await["type"], "pong", "and nothing more");
    assert_eq!(service.app.store.last_event(ann.id).await.unwrap(), RUN.len() as i64);
}

/// Breaks if nonsense is answered for ever, or ends the socket at once, or is repeated.
#[tokio::test]
async fn ten_malformed_frames_are_refused_and_the_next_ends_the_socket() {
    let service = Service::start().await;
    let ann = service.user("ann").await;
    let mut client = Client::new(&service, &ann).await;
    for text in ["", "{", "[]", "null", r#"{"type":"nonsense"}"#].iter().cycle().take(10) {
        client.say(*text).await;
        let refused = client.frame().await;
        assert_eq!((&refused["type"], &refused["what"]), (&json!("refused"), &json!("frame")));
        assert!(!refused.to_string().contains("nonsense"));
    }
    client.say("{").await;
    assert_eq!(client.close().await, 1008);
}

/// Breaks if what is no short text is taken.
#[tokio::test]
async fn frames_that_are_too_long_or_no_text_end_the_socket() {
    let service = Service::start().await;
    let ann = service.user("ann").await;
    let mut longest = Client::new(&service, &ann).await;
    let ping = r#"{"type":"ping"}"#;
    longest.say(format!("{ping}{}", " ".repeat(64 * 1024 - ping.len()))).await;
    assert_eq!(longest.frame().await["type"], "pong");
    let mut too_long = Client::new(&service, &ann).await;
    // It may be closed before all is sent.
    let _ = too_long.stream.send(Message::text(" ".repeat(64 * 1024 + 1))).await;
    assert_eq!(too_long.close().await, 1008);
    let mut binary = Client::new(&service, &ann).await;
    binary.stream.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    assert_eq!(binary.close().await, 1003);
}

/// Breaks if a client that is gone without a word is kept, or one that only reads is not.
#[tokio::test]
async fn who_says_nothing_for_two_and_a_half_heartbeats_is_closed() {
    let beat = Duration::from_millis(200);
    let service = Service::with(|settings| settings.socket.heartbeat = beat).await;
    let ann = service.user("ann").await;
    // It does not read, so it does not answer pings either.
    let mut gone = Client::new(&service, &ann).await;
    let began = Instant::now();
    // This one reads, and its pongs are all it says.
    let mut reading = Client::new(&service, &ann).await;
    while service.app.sockets.open() > 1 {
        let next = tokio::time::timeout(Duration::from_millis(20), reading.next()).await;
        assert!(next.is_err(), "{next:?}");
        assert!(began.elapsed() < Duration::from_secs(20), "the silent one is kept");
    }
    assert!(began.elapsed() >= beat * 2, "{:?}", began.elapsed());
    // Not by its own reading, which would answer the pings of a connection that is over.
    let mut rest = Vec::new();
    gone.stream.get_mut().read_to_end(&mut rest).await.unwrap();
    assert!(rest.windows(4).any(|bytes| matches!(bytes, [0x88, _, 0x11, 0x38])), "Close 4408");
    reading.message(&ann, "What time is it?").await;
    assert_eq!(reading.events(RUN.len()).await, RUN);
}

/// Breaks if clients that do not read make the service keep what they missed, or are kept for ever.
#[tokio::test]
async fn who_reads_too_slowly_is_closed_and_costs_a_bounded_number_of_bytes() {
    const CROWD: u64 = 100;
    let within = Duration::from_millis(1500);
    let service = Service::with(|settings| settings.socket.write_within = within).await;
    let ann = service.user("ann").await;
    // 9 MB for each of them. Other tests of this process have their share in what is measured.
    service.store_much(&ann, 300, 30_000).await;
    let before = resident();
    let mut crowd = Vec::new();
    for _ in 0..CROWD {
        crowd.push(Client::behind(&service, &ann, 0).await);
    }
    let mut most = 0;
    let began = Instant::now();
    while service.app.sockets.open() > 0 {
        most = most.max(resident().saturating_sub(before));
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(began.elapsed() < Duration::from_secs(20), "they are kept");
    }
    assert!(most < CROWD * 3_000_000, "{most} bytes for {CROWD} sockets");
    let mut slow = crowd.remove(0);
    loop {
        match slow.next().await {
            Got::Frame(frame) => {
                slow.last += 1;
                assert_eq!(frame["id"], json!(slow.last));
            }
            Got::Close(code) => {
                assert_eq!(code, 4408);
                break;
            }
            // The Close did not fit any more.
            Got::End => break,
        }
    }
    let mut again = Client::behind(&service, &ann, slow.last).await;
    again.events(301 - usize::try_from(slow.last).unwrap()).await;
}

/// How much memory this process has, in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}
