//! Somebody in front of a dependency who counts.
//!
//! Owns a port that leads to the dependency's, and three numbers: connections ever accepted, open now, and the
//! most that were open at one time. Whoever connects while the dependency is down is left after the same pause,
//! so that two who ask at once would be seen.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncWriteExt as _, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// How far away the dependency seems: a connection lives at least as long.
const FAR: Duration = Duration::from_millis(50);
/// How long the end of one connection may be unseen when the next comes. Much less than [`FAR`].
const UNSEEN: Duration = Duration::from_millis(20);

/// The port; its connections end with it.
pub(crate) struct Counted {
    port: u16,
    counts: Arc<Counts>,
    _accepting: JoinSet<()>,
}

#[derive(Default)]
struct Counts {
    accepted: AtomicUsize,
    open: tokio::sync::watch::Sender<usize>,
    most: AtomicUsize,
}

impl Counted {
    /// In front of this port on 127.0.0.1.
    pub(crate) async fn before(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let counts = Arc::<Counts>::default();
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, server, Arc::clone(&counts)));
        Self { port, counts, _accepting: accepting }
    }

    /// Its port on 127.0.0.1.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Connections so far.
    pub(crate) fn accepted(&self) -> usize {
        self.counts.accepted.load(Ordering::SeqCst)
    }

    /// The most that were open at one time.
    pub(crate) fn at_once_most(&self) -> usize {
        self.counts.most.load(Ordering::SeqCst)
    }
}

async fn accept(listener: TcpListener, server: u16, counts: Arc<Counts>) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        counts.accepted.fetch_add(1, Ordering::SeqCst);
        let mut open = counts.open.subscribe();
        // What this answers keeps the number locked: not beyond this line.
        drop(timeout(UNSEEN, open.wait_for(|open| *open == 0)).await);
        counts.open.send_modify(|open| *open += 1);
        counts.most.fetch_max(*counts.open.borrow(), Ordering::SeqCst);
        let counts = Arc::clone(&counts);
        connections.spawn(async move {
            between(client, server).await;
            counts.open.send_modify(|open| *open -= 1);
        });
        while connections.try_join_next().is_some() {}
    }
}

/// One connection, until either side leaves.
async fn between(mut client: TcpStream, server: u16) {
    sleep(FAR).await;
    let Ok(mut server) = TcpStream::connect(("127.0.0.1", server)).await else {
        let _left = client.shutdown().await;
        return;
    };
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    tokio::select! {
        _ = copy(&mut from_client, &mut to_server) => {}
        _ = copy(&mut from_server, &mut to_client) => {}
    }
}
