//! A tunnel between two in-memory pipes, driven as the front drives it.

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use vestibule_front::tunnel::{CloseCode, Ended, Tunnel, drive};

use crate::wire::{Frame, read_strictly};

/// The head every rig's tunnel starts with; it looks like no frame.
pub(crate) const HEAD: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\n\r\n";

pub(crate) struct Rig {
    pub(crate) client: DuplexStream,
    pub(crate) upstream: DuplexStream,
    pub(crate) task: JoinHandle<Ended>,
    pub(crate) close: oneshot::Sender<(CloseCode, String)>,
}

impl Rig {
    /// A tunnel that has just been handed over, over pipes of `room` bytes each way.
    pub(crate) fn new(room: usize) -> Self {
        Self::with(Tunnel::new(HEAD.to_vec(), HEAD.len(), Vec::new()), room)
    }

    pub(crate) fn with(tunnel: Tunnel, room: usize) -> Self {
        let (client, client_side) = duplex(room);
        let (upstream, upstream_side) = duplex(room);
        let (close, asked) = oneshot::channel();
        let asked = async move {
            match asked.await {
                Ok(asked) => asked,
                Err(_) => std::future::pending().await,
            }
        };
        let task = tokio::spawn(drive(tunnel, client_side, upstream_side, asked));
        Self { client, upstream, task, close }
    }

    /// Asks for a Close with code 1012, and lets the tunnel see it.
    pub(crate) async fn close(&mut self) {
        let (spent, _) = oneshot::channel();
        let close = std::mem::replace(&mut self.close, spent);
        close.send((CloseCode::RESTARTING, "planned".to_owned())).unwrap();
        settle().await;
    }

    pub(crate) async fn skip_head(&mut self) {
        let mut head = vec![0; HEAD.len()];
        self.client.read_exact(&mut head).await.unwrap();
        assert_eq!(head, HEAD);
    }

    /// Lets the upstream send `bytes`, and the tunnel move them.
    pub(crate) async fn upstream_sends(&mut self, bytes: &[u8]) {
        self.upstream.write_all(bytes).await.unwrap();
        settle().await;
    }

    pub(crate) async fn client_sends(&mut self, bytes: &[u8]) {
        self.client.write_all(bytes).await.unwrap();
        settle().await;
    }

    /// All that still comes to the client; the head must have been skipped.
    pub(crate) async fn client_reads_all(&mut self) -> Vec<u8> {
        read_all(&mut self.client).await
    }

    pub(crate) async fn client_reads_frames(&mut self) -> (Vec<Frame>, usize) {
        read_strictly(&self.client_reads_all().await)
    }
}

pub(crate) async fn read_all(pipe: &mut DuplexStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    pipe.read_to_end(&mut bytes).await.unwrap();
    bytes
}

/// Lets every task that can run do so, while no time passes.
pub(crate) async fn settle() {
    for _ in 0..64 {
        tokio::task::yield_now().await;
    }
}

/// Runs a property's body on a runtime of its own, with paused time.
pub(crate) fn paused<T>(body: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(body)
}
