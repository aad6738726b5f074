//! The connections that the front reads and writes.
//!
//! Owns what a public or upstream connection must be able to do beyond reading and writing, and
//! the two kinds of real socket. Must never buffer: bytes that the kernel holds stay there.

pub mod borrowed;
pub mod placed;
pub mod scratch;
pub(crate) mod steady;

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

/// A silent peer is asked after this long whether it is still there.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(60);
/// And then this often.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(15);
/// Sent bytes that stay unacknowledged for this long end the connection (`TCP_USER_TIMEOUT`).
const UNACKNOWLEDGED_MAX: Duration = Duration::from_secs(120);

/// A connection that can tell that its peer left without reading what the peer sent before.
///
/// Generic code takes this trait instead of a socket, so that a simulated network can drive it.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send + Sync + 'static {
    /// Resolves once the peer has shut down its sending side or reset the connection, even
    /// while bytes that it sent before are still unread (`EPOLLRDHUP`).
    fn left(&self) -> impl Future<Output = ()> + Send;

    /// Reads as [`AsyncRead::poll_read`] does, while others may write or watch. One task reads at
    /// a time.
    fn poll_read_shared(&self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>)
    -> Poll<io::Result<()>>;

    /// Writes as [`AsyncWrite::poll_write`] does, while others may read or watch. One task writes
    /// at a time.
    fn poll_write_shared(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>>;

    /// From now on, dropping the connection breaks it instead of ending it: for a peer that
    /// would take the end for the end of what it reads. A Unix socket knows no difference.
    fn break_off(&self);
}

/// A real connection over TCP or a Unix socket.
#[derive(Debug)]
pub enum Socket {
    /// A TCP connection.
    Tcp(TcpStream),
    /// A Unix domain connection.
    Unix(UnixStream),
}

impl Socket {
    /// Takes a TCP connection within this machine: no delay. Its peer can't vanish without the
    /// kernel's word, so nothing needs to ask.
    pub fn local(stream: TcpStream) -> Self {
        // A sandbox may refuse an option; the connection works without it.
        let _ = SockRef::from(&stream).set_tcp_nodelay(true);
        Self::Tcp(stream)
    }

    /// Takes a TCP connection with a peer that may vanish without a word: no delay, and the
    /// kernel's own watch for it.
    pub fn remote(stream: TcpStream) -> Self {
        let socket = SockRef::from(&stream);
        let _ = socket.set_tcp_nodelay(true);
        let _ = socket.set_tcp_keepalive(
            &TcpKeepalive::new().with_time(KEEPALIVE_IDLE).with_interval(KEEPALIVE_INTERVAL),
        );
        let _ = socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED_MAX));
        Self::Tcp(stream)
    }
}

/// The address of a public peer; `None` for a Unix socket.
pub type Peer = Option<IpAddr>;

impl Stream for Socket {
    async fn left(&self) {
        // `PRIORITY` is never armed for these sockets, so that only the closing of the peer's
        // sending side satisfies it: tokio reports that state with either interest.
        let left = match self {
            Self::Tcp(stream) => stream.ready(Interest::PRIORITY).await,
            Self::Unix(stream) => stream.ready(Interest::PRIORITY).await,
        };
        // An error here means that the runtime is going away, and with it the connection.
        drop(left);
    }

    fn poll_read_shared(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            let read = match self {
                Self::Tcp(stream) => {
                    ready!(stream.poll_read_ready(cx))?;
                    stream.try_read(buf.initialize_unfilled())
                }
                Self::Unix(stream) => {
                    ready!(stream.poll_read_ready(cx))?;
                    stream.try_read(buf.initialize_unfilled())
                }
            };
            match read {
                // Each such answer clears the readiness, so that the next look waits.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => return Poll::Ready(read.map(|count| buf.advance(count))),
            }
        }
    }

    fn poll_write_shared(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            let written = match self {
                Self::Tcp(stream) => {
                    ready!(stream.poll_write_ready(cx))?;
                    stream.try_write(buf)
                }
                Self::Unix(stream) => {
                    ready!(stream.poll_write_ready(cx))?;
                    stream.try_write(buf)
                }
            };
            match written {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                written => return Poll::Ready(written),
            }
        }
    }

    fn break_off(&self) {
        if let Self::Tcp(stream) = self {
            // If the kernel refuses, the connection merely ends.
            let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Unix(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Unix(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    async fn pair() -> (Socket, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (server, _) = listener.accept().await.unwrap();
        (Socket::remote(server), client)
    }

    /// A held plain request keeps its body in the kernel: leaving must show behind unread bytes.
    #[tokio::test]
    async fn leaving_is_seen_behind_unread_bytes_and_keeps_them() {
        let (mut server, mut client) = pair().await;
        client.write_all(b"unread").await.unwrap();
        tokio::select! {
            () = server.left() => panic!("the client is still there"),
            ready = async { match &server { Socket::Tcp(s) => s.readable().await, Socket::Unix(_) => unreachable!() } } => ready.unwrap(),
        }
        drop(client);
        server.left().await;
        let mut bytes = Vec::new();
        server.read_to_end(&mut bytes).await.unwrap();
        assert_eq!(bytes, b"unread");
    }
}
