//! Breaks the hold with clients that leave, half-close, or speak early, over real sockets and hyper's own
//! server: once with the wrapped listener, once with the layer alone, which can't see them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests say what they expect by unwrapping")]

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::routing::get;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use vestibule::{Door, Settings};

const HANDSHAKE: &[u8] =
    b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";

/// How long the layer holds here.
const HOLD: Duration = Duration::from_secs(3);

/// What frees a place must free it so soon, at the best of a few tries: this machine has other work, too.
const SOON: Duration = Duration::from_millis(50);
const TRIES: usize = 5;

/// A service that never gets ready.
struct Service {
    door: Door,
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Drop for Service {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Service {
    async fn start(is_watched: bool) -> Self {
        let settings = Settings::detect(&HashMap::<&str, &str>::new());
        let door = Door::start_with(Settings { hold: HOLD, ..settings }, async |_startup| {
            std::future::pending().await
        });
        let peer = async |ConnectInfo(peer): ConnectInfo<SocketAddr>| format!("{}\n", peer.ip());
        let app = Router::new().route("/peer", get(peer));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let behind = door.clone();
        let serving = tokio::spawn(async move {
            if is_watched {
                axum::serve(behind.listener(listener), behind.service(app)).await.unwrap();
            } else {
                axum::serve(listener, app.layer(behind.layer())).await.unwrap();
            }
        });
        Self { door, address, serving }
    }

    /// A client whose handshake is held.
    async fn hold(&self) -> TcpStream {
        let mut client = TcpStream::connect(self.address).await.unwrap();
        client.write_all(HANDSHAKE).await.unwrap();
        self.held(1).await;
        client
    }

    /// Waits until so many are held, and says how long that took.
    async fn held(&self, count: usize) -> Duration {
        let began = Instant::now();
        for _ in 0..20_000 {
            if self.door.gate().counts().held == count {
                return began.elapsed();
            }
            sleep(Duration::from_millis(1)).await;
        }
        panic!("{} are held, not {count}", self.door.gate().counts().held);
    }
}

/// All that the client still gets.
async fn read_all(client: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    timeout(Duration::from_secs(20), client.read_to_end(&mut answer)).await.unwrap().unwrap();
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn t01_a_client_that_left_behind_one_byte_more_frees_its_place_at_once() {
    let service = Service::start(true).await;
    let mut best = Duration::MAX;
    for _ in 0..TRIES {
        let mut client = service.hold().await;
        client.write_all(b"x").await.unwrap();
        drop(client);
        best = best.min(service.held(0).await);
    }
    assert!(best < SOON, "{best:?}");
}

#[tokio::test]
async fn t01_the_layer_alone_keeps_such_a_client_to_its_deadline() {
    let service = Service::start(false).await;
    let mut client = service.hold().await;
    let began = Instant::now();
    client.write_all(b"x").await.unwrap();
    drop(client);
    service.held(0).await;
    assert!(began.elapsed() > HOLD / 2, "{:?}", began.elapsed());
    assert_eq!(service.door.gate().counts().left_total, 0);
}

#[tokio::test]
async fn a20_t02_a_client_that_left_or_half_closed_frees_its_place_at_once() {
    for is_watched in [true, false] {
        let service = Service::start(is_watched).await;
        let mut best = [Duration::MAX; 2];
        for _ in 0..TRIES {
            drop(service.hold().await);
            best[0] = best[0].min(service.held(0).await);
            let mut client = service.hold().await;
            client.shutdown().await.unwrap();
            best[1] = best[1].min(service.held(0).await);
        }
        assert!(best.iter().all(|best| *best < SOON), "{best:?}");
    }
}

#[tokio::test]
async fn a04_early_bytes_end_the_hold_and_are_named() {
    let service = Service::start(true).await;
    let mebibyte = vec![b'x'; 1 << 20];
    for early in [&b"x"[..], b"\x81\x80abcd", b"GET /peer HTTP/1.1\r\nHost: a\r\n\r\n", &mebibyte] {
        let mut client = service.hold().await;
        // The server may close before it has read all of them.
        let _ = client.write_all(early).await;
        service.held(0).await;
        if early.len() < 1_024 {
            let answer = read_all(&mut client).await;
            assert!(
                answer.starts_with("HTTP/1.1 400 ") && answer.contains("early_bytes"),
                "{answer}"
            );
            assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
        }
    }
}

#[tokio::test]
async fn a04_t05_what_is_pipelined_behind_a_handshake_is_early_and_never_served() {
    let service = Service::start(true).await;
    for behind in [&b"x"[..], b"GET /peer HTTP/1.1\r\nHost: a\r\n\r\n"] {
        let mut client = TcpStream::connect(service.address).await.unwrap();
        client.write_all(&[HANDSHAKE, behind].concat()).await.unwrap();
        let answer = read_all(&mut client).await;
        assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("early_bytes"), "{answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
    }
}

#[tokio::test]
async fn plain_requests_before_a_handshake_on_one_connection_are_served_and_know_their_peer() {
    let service = Service::start(true).await;
    let mut client = TcpStream::connect(service.address).await.unwrap();
    let plain = b"GET /peer HTTP/1.1\r\nHost: a\r\n\r\n";
    client.write_all(&[plain, &plain[..], HANDSHAKE].concat()).await.unwrap();
    service.held(1).await;
    service.door.drain();
    let answer = read_all(&mut client).await;
    assert_eq!(answer.matches("HTTP/1.1 200 ").count(), 2, "{answer}");
    assert_eq!(answer.matches("\r\n\r\n127.0.0.1\n").count(), 2, "{answer}");
    assert!(answer.contains("503") && answer.contains("draining"), "{answer}");
}
