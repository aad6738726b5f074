//! Breaks the reading of outcomes: for each thing a service can do to a client, a tiny server
//! does it once, and the client must call it by its name.

use super::*;
use crate::scenario::{Address, Target};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use tokio_tungstenite::{
    accept_async,
    tungstenite::protocol::{CloseFrame, frame::coding::CloseCode},
};

/// Short, but far above what a loopback round trip takes.
const SETTLE: Duration = Duration::from_millis(60);

fn scenario(address: SocketAddr) -> Scenario {
    Scenario {
        settle: SETTLE,
        timeout: Duration::from_secs(20),
        ..Scenario::new(Target::Address(Address {
            host: address.ip().to_string(),
            port: address.port(),
        }))
    }
}

async fn visit(scenario: &Scenario, address: SocketAddr) -> Client {
    let authority = address.to_string();
    let visit = Visit::new(scenario, &authority, vec![address], Clock::start(), Arc::default());
    visit.unwrap().make(7, None).await
}

/// Serves one connection with `serve` while one client visits.
async fn seen_from<F>(
    change: impl FnOnce(&mut Scenario),
    serve: impl FnOnce(TcpStream) -> F,
) -> Client
where
    F: Future<Output = ()>,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut scenario = scenario(address);
    change(&mut scenario);
    let server = async {
        let (stream, _) = listener.accept().await.unwrap();
        serve(stream).await;
    };
    let both = async { tokio::join!(visit(&scenario, address), server).0 };
    timeout(Duration::from_secs(30), both).await.unwrap()
}

async fn read_head(stream: &mut TcpStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
}

/// Answers every message until the client leaves.
async fn echo(stream: TcpStream) {
    let mut socket = accept_async(stream).await.unwrap();
    while let Some(Ok(message)) = socket.next().await {
        if message.is_text() {
            socket.send(message).await.unwrap();
        }
    }
}

async fn accept_then_close(stream: TcpStream, code: u16) {
    let mut socket = accept_async(stream).await.unwrap();
    let frame = CloseFrame { code: CloseCode::from(code), reason: "".into() };
    socket.close(Some(frame)).await.unwrap();
    while let Some(Ok(_)) = socket.next().await {}
}

#[tokio::test]
async fn an_echo_is_ok_with_its_times() {
    let client = seen_from(|_| {}, echo).await;
    assert_eq!(client.seen, Seen::Ok);
    assert_eq!(client.number, 7);
    let (at_101, reply) = (client.at_101.unwrap(), client.first_reply.unwrap());
    assert!(client.arrived <= at_101 && at_101 <= reply);
    assert!(at_101 + SETTLE <= client.ended);
}

#[tokio::test]
async fn a_silent_socket_that_stays_open_is_ok() {
    let client = seen_from(
        |_| {},
        |stream| async {
            let mut socket = accept_async(stream).await.unwrap();
            while let Some(Ok(_)) = socket.next().await {}
        },
    )
    .await;
    assert_eq!((client.seen, client.first_reply), (Seen::Ok, None));
}

#[tokio::test]
async fn a_required_reply_that_never_comes_times_out() {
    let change = |scenario: &mut Scenario| {
        scenario.require_reply = true;
        scenario.timeout = Duration::from_millis(120);
    };
    let client = seen_from(change, |stream| async {
        let mut socket = accept_async(stream).await.unwrap();
        while let Some(Ok(_)) = socket.next().await {}
    })
    .await;
    assert_eq!(client.seen, Seen::TimedOut);
    assert!(client.at_101.is_some());
}

#[tokio::test]
async fn nobody_listening_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let client = visit(&scenario(address), address).await;
    assert_eq!(client.seen, Seen::Refused);
}

#[tokio::test]
async fn a_connection_without_an_answer_is_a_reset() {
    let by_fin = seen_from(|_| {}, |mut stream| async move { read_head(&mut stream).await });
    assert_eq!(by_fin.await.seen, Seen::Reset);
    // Unread input turns the close into a reset.
    let by_rst = seen_from(|_| {}, |stream| async move { stream.readable().await.unwrap() });
    assert_eq!(by_rst.await.seen, Seen::Reset);
}

#[tokio::test]
async fn a_status_is_told() {
    for status in [404, 502, 503] {
        let client = seen_from(
            |_| {},
            |mut stream| async move {
                read_head(&mut stream).await;
                let answer = format!("HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n");
                stream.write_all(answer.as_bytes()).await.unwrap();
            },
        )
        .await;
        assert_eq!(client.seen, Seen::Status(status));
        assert_eq!(client.at_101, None);
    }
}

#[tokio::test]
async fn a_close_after_the_101_is_told_by_its_code() {
    for code in [1000, 1011, 1012, 1013] {
        let client = seen_from(|_| {}, |stream| accept_then_close(stream, code)).await;
        assert_eq!(client.seen, Seen::Closed(code));
        assert!(client.at_101.is_some());
    }
}

#[tokio::test]
async fn an_end_without_a_close_is_1006() {
    let client = seen_from(
        |_| {},
        |stream| async {
            drop(accept_async(stream).await.unwrap());
        },
    )
    .await;
    assert_eq!(client.seen, Seen::Closed(1006));
}

// A service that greets first and fails afterwards has not served anybody.
#[tokio::test]
async fn a_greeting_does_not_excuse_a_1011() {
    let client = seen_from(
        |_| {},
        |stream| async {
            let mut socket = accept_async(stream).await.unwrap();
            socket.send(Message::text("welcome")).await.unwrap();
            socket
                .close(Some(CloseFrame { code: CloseCode::Error, reason: "".into() }))
                .await
                .unwrap();
            while let Some(Ok(_)) = socket.next().await {}
        },
    )
    .await;
    assert_eq!(client.seen, Seen::Closed(1011));
    assert!(client.first_reply.is_some());
}

#[tokio::test]
async fn an_answer_and_a_normal_goodbye_are_ok() {
    let client = seen_from(
        |_| {},
        |stream| async {
            let mut socket = accept_async(stream).await.unwrap();
            let message = socket.next().await.unwrap().unwrap();
            assert_eq!(message.to_text().unwrap(), "ping-7");
            socket.send(message).await.unwrap();
            let frame = CloseFrame { code: CloseCode::Normal, reason: "".into() };
            socket.close(Some(frame)).await.unwrap();
            while let Some(Ok(_)) = socket.next().await {}
        },
    )
    .await;
    assert_eq!(client.seen, Seen::Ok);
}

#[tokio::test]
async fn silence_times_out() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let scenario = Scenario { timeout: Duration::from_millis(80), ..scenario(address) };
    let client = visit(&scenario, address).await;
    assert_eq!((client.seen, client.at_101), (Seen::TimedOut, None));
}

#[tokio::test]
async fn another_protocol_is_a_protocol_error() {
    for answer in [
        "SSH-2.0-OpenSSH_9\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: wrong\r\n\r\n",
    ] {
        let client = seen_from(
            |_| {},
            |mut stream| async move {
                read_head(&mut stream).await;
                stream.write_all(answer.as_bytes()).await.unwrap();
            },
        )
        .await;
        assert_eq!(client.seen, Seen::ProtocolError, "{answer}");
    }
}

#[test]
fn a_header_that_cannot_be_sent_is_turned_down() {
    let bad = [("X-A".to_owned(), "a\r\nb".to_owned())];
    assert!(handshake("h:1", "/ws", &bad).is_err());
    assert!(handshake("h:1", "/w s", &[]).is_err());
    let good = [("Origin".to_owned(), "https://a.example".to_owned())];
    let request = handshake("h:1", "/ws?token=1", &good).unwrap();
    assert_eq!(request.uri().path_and_query().unwrap(), "/ws?token=1");
    assert_eq!(request.headers()["host"], "h:1");
    assert_eq!(request.headers()["origin"], "https://a.example");
}
