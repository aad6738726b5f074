//! The server that a check meets.
//!
//! Owns a port on which one fault is at work, and what its connections come to: how much was sent, and whether
//! the check closed what it had opened. It runs on a runtime of its own, so that tasks on the other are those of
//! checks alone. Must never leave a connection of its own behind.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use socket2::{Domain, SockRef, Socket, Type};
use tokio::io::{AsyncWriteExt, copy, sink};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use crate::fault::{End, Fault, Way};

/// How long a check's connections may take to be closed once it is over.
const CLOSED_WITHIN: Duration = Duration::from_secs(2);

/// A port with a fault.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    over: watch::Sender<bool>,
    running: Option<JoinHandle<Came>>,
    /// Sockets that are only there.
    _kept: Vec<Socket>,
}

/// What came of all connections of a port.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Came {
    /// How many there were.
    pub(crate) connections: usize,
    /// The most that was sent on one.
    pub(crate) sent: u64,
    /// How many the check did not close.
    pub(crate) left: usize,
}

/// What a fault needs to know of a protocol.
#[derive(Clone, Debug)]
pub(crate) struct Protocol {
    /// The healthy server.
    pub(crate) origin: SocketAddr,
    /// How an answer begins that never needs to end.
    pub(crate) endless: &'static [u8],
    /// Where an answer is cut.
    pub(crate) cut: usize,
    /// Whether its servers wait to be asked.
    pub(crate) asked: bool,
}

impl Proxy {
    /// A new port with this fault.
    pub(crate) fn new(fault: Fault, protocol: Protocol, aside: &Handle) -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        let address = socket.local_addr().unwrap().as_socket().unwrap();
        let (over, ended) = watch::channel(false);
        let proxy = |running, kept| Self { address, over, running, _kept: kept };
        match fault {
            // Bound, so that nobody else can have the port, and not listening.
            Fault::Refuses => proxy(None, vec![socket]),
            Fault::FullQueue => {
                socket.listen(0).unwrap();
                let filling = std::iter::repeat_with(|| {
                    let filler = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
                    filler.set_nonblocking(true).unwrap();
                    let _under_way = filler.connect(&address.into());
                    filler
                });
                let mut kept: Vec<_> = filling.take(4).collect();
                kept.push(socket);
                proxy(None, kept)
            }
            _ => {
                // So little is on its way to a check that what it reads can be told from what was sent.
                socket.set_send_buffer_size(16 * 1024).unwrap();
                socket.listen(64).unwrap();
                socket.set_nonblocking(true).unwrap();
                let _inside = aside.enter();
                let listener = TcpListener::from_std(socket.into()).unwrap();
                proxy(Some(aside.spawn(serve(listener, fault, protocol, ended))), Vec::new())
            }
        }
    }

    /// The check is over: what came of its connections?
    pub(crate) async fn close(mut self) -> Came {
        self.over.send_replace(true);
        match self.running.take() {
            Some(running) => running.await.unwrap(),
            None => Came::default(),
        }
    }
}

async fn serve(
    listener: TcpListener,
    fault: Fault,
    protocol: Protocol,
    mut over: watch::Receiver<bool>,
) -> Came {
    let protocol = Arc::new(protocol);
    let mut running = JoinSet::new();
    let ended = over.clone();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (client, _) = accepted.unwrap();
                running.spawn(one(client, fault, Arc::clone(&protocol), ended.clone()));
            }
            _ = over.wait_for(|over| *over) => break,
        }
    }
    let mut came = Came::default();
    for (sent, closed) in running.join_all().await {
        came.connections += 1;
        came.sent = came.sent.max(sent);
        came.left += usize::from(!closed);
    }
    came
}

/// One connection: how much was sent on it, and whether the client closed it.
async fn one(
    mut client: TcpStream,
    fault: Fault,
    protocol: Arc<Protocol>,
    mut over: watch::Receiver<bool>,
) -> (u64, bool) {
    client.set_nodelay(true).unwrap();
    let wrote = AtomicU64::new(0);
    let Protocol { origin, endless, cut, asked } = *protocol;
    let way = Way { fault, origin, endless, cut, asked, wrote: &wrote };
    let end = tokio::select! {
        end = way.mislead(&mut client) => end,
        _ = over.wait_for(|over| *over) => Ok(End::Close),
    };
    let closed = match end {
        // The client has reset it.
        Err(_) => true,
        Ok(End::Reset) => {
            SockRef::from(&client).set_linger(Some(Duration::ZERO)).unwrap();
            true
        }
        Ok(End::Close) => {
            if fault != Fault::SlowClose {
                let _ = client.shutdown().await;
            }
            let _ = over.wait_for(|over| *over).await;
            timeout(CLOSED_WITHIN, copy(&mut client, &mut sink())).await.is_ok()
        }
    };
    (wrote.load(Ordering::Relaxed), closed)
}
