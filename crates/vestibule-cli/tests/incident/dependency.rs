//! A dependency that dies and comes back, and counts who asks it.
//!
//! Owns its port and its count. It answers any request: 200 while it is well, else 503.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// The dependency; dropping it ends it.
pub(crate) struct Dependency {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    _serving: JoinSet<()>,
}

#[derive(Default)]
struct Shared {
    is_well: AtomicBool,
    asked: AtomicUsize,
    at_once: AtomicUsize,
    at_once_most: AtomicUsize,
}

impl Dependency {
    /// Starts it.
    pub(crate) async fn start(is_well: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::<Shared>::default();
        shared.is_well.store(is_well, Ordering::SeqCst);
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, Arc::clone(&shared)));
        Self { address, shared, _serving: serving }
    }

    /// From now on, and counted anew.
    pub(crate) fn gets(&self, is_well: bool) {
        self.shared.is_well.store(is_well, Ordering::SeqCst);
        self.shared.asked.store(0, Ordering::SeqCst);
    }

    /// How often it was asked since it last changed.
    pub(crate) fn asked(&self) -> usize {
        self.shared.asked.load(Ordering::SeqCst)
    }

    /// The most that asked it at one time, ever.
    pub(crate) fn at_once_most(&self) -> usize {
        self.shared.at_once_most.load(Ordering::SeqCst)
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            shared.asked.fetch_add(1, Ordering::SeqCst);
            let now = shared.at_once.fetch_add(1, Ordering::SeqCst) + 1;
            shared.at_once_most.fetch_max(now, Ordering::SeqCst);
            // Whoever leaves in the middle has still asked.
            let _ = answer(stream, shared.is_well.load(Ordering::SeqCst)).await;
            shared.at_once.fetch_sub(1, Ordering::SeqCst);
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn answer(mut stream: TcpStream, is_well: bool) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && stream.read_buf(&mut head).await? > 0 {}
    let status = if is_well { "200 OK" } else { "503 Service Unavailable" };
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    stream.write_all(answer.as_bytes()).await
}

/// Asks it once, as any client does.
pub(crate) async fn ask(address: SocketAddr) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: dependency\r\n\r\n").await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(answer.starts_with(b"HTTP/1.1 200"))
}
