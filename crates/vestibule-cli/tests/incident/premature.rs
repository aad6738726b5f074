//! A service that lies about its readiness, each in its own way.
//!
//! Owns the backend of one play, in this process. It must never know whether a door stands before it.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

/// What it does before it is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unready {
    /// It accepts the WebSocket and closes it with 1011.
    Closes,
    /// It does not listen.
    Refuses,
    /// It answers with 503.
    Answers503,
}

/// A port of loopback that nobody has, below the range of outgoing ones.
pub(crate) fn free_address() -> SocketAddr {
    let mut ports = (0..64).map(|_| fastrand::u16(20_000..32_000));
    let port = ports.find(|port| std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok());
    (Ipv4Addr::LOCALHOST, port.unwrap()).into()
}

/// Serves until it is dropped; ready at `ready`. Its port is open when this returns, unless it refuses until then.
pub(crate) fn serve(
    address: SocketAddr,
    unready: Unready,
    ready: Instant,
) -> impl Future<Output = ()> {
    let listener = (unready != Unready::Refuses).then(|| listen(address));
    async move {
        let listener = match listener {
            Some(listener) => listener,
            None => {
                sleep_until(ready).await;
                listen(address)
            }
        };
        let mut connections = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            connections.spawn(async move { answer(stream, unready, ready).await });
            while connections.try_join_next().is_some() {}
        }
    }
}

fn listen(address: SocketAddr) -> TcpListener {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind(address).unwrap();
    socket.listen(1024).unwrap()
}

/// Whoever leaves in the middle ends only its own connection.
async fn answer(mut stream: TcpStream, unready: Unready, ready: Instant) -> Option<()> {
    let is_ready = Instant::now() >= ready;
    if !is_ready && unready == Unready::Answers503 {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if stream.read_buf(&mut head).await.ok()? == 0 {
                return None;
            }
        }
        let refusal =
            "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        return stream.write_all(refusal.as_bytes()).await.ok();
    }
    let mut socket = accept_async(stream).await.ok()?;
    if !is_ready {
        let frame = CloseFrame { code: CloseCode::Error, reason: "still starting".into() };
        socket.close(Some(frame)).await.ok()?;
    }
    while let Some(Ok(message)) = socket.next().await {
        if message.is_text() {
            socket.send(message).await.ok()?;
        }
    }
    Some(())
}

/// How long after a play's begin it is ready.
pub(crate) const READY_AFTER: Duration = Duration::from_millis(600);
