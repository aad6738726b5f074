//! The public listener.
//!
//! Owns binding and accepting. Must never exit or spin because one accept failed: a peer that
//! is gone is skipped, a process out of descriptors pauses, and says so.

mod exhausted;
pub mod pauses;

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use socket2::{Domain, Protocol, Type};
use tokio::net::{TcpListener, UnixListener};

use self::exhausted::{Exhausted, until_accepted};
use crate::stream::{Peer, Socket, Stream};

/// Connections that the kernel may finish for us before we accept them; it caps this by
/// `net.core.somaxconn`, 4096 on current Linux.
pub const BACKLOG: i32 = 4096;
/// Where to listen: `HOST:PORT`, `:PORT`, `PORT` or `unix:PATH`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// Every address of the machine, IPv6 and IPv4.
    Everywhere(u16),
    /// One TCP address.
    Tcp(SocketAddr),
    /// A Unix socket at this path.
    Unix(PathBuf),
}

/// An address that could not be understood.
#[derive(Debug, thiserror::Error)]
#[error("not an address to listen on: use HOST:PORT, :PORT, PORT or unix:PATH")]
pub struct ListenSyntax;

/// A source of public connections.
pub trait Listener: Send + 'static {
    /// What it yields.
    type Stream: Stream;

    /// The next connection, and its peer's address. Resolves only with a usable connection.
    fn accept(&mut self) -> impl Future<Output = (Self::Stream, Peer)> + Send;

    /// How often accepting paused for want of descriptors or memory, for whoever shows it. Only
    /// grows.
    fn pauses(&self) -> Arc<AtomicU64> {
        Arc::default()
    }
}

/// A bound public listener.
#[derive(Debug)]
pub struct PublicListener {
    socket: ListenerSocket,
    exhausted: Exhausted,
}

#[derive(Debug)]
enum ListenerSocket {
    Tcp(TcpListener),
    /// Its file goes when this is dropped.
    Unix(UnixListener, SocketFile),
}

/// A Unix socket's file; removed on drop if it is still ours.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    inode: u64,
}

impl FromStr for Listen {
    type Err = ListenSyntax;

    fn from_str(text: &str) -> Result<Self, ListenSyntax> {
        if let Some(path) = text.strip_prefix("unix:") {
            return if path.is_empty() { Err(ListenSyntax) } else { Ok(Self::Unix(path.into())) };
        }
        if let Ok(port) = text.strip_prefix(':').unwrap_or(text).parse() {
            return Ok(Self::Everywhere(port));
        }
        if let Some(port) = text.strip_prefix("localhost:") {
            let port = port.parse().map_err(|_| ListenSyntax)?;
            return Ok(Self::Tcp((Ipv4Addr::LOCALHOST, port).into()));
        }
        text.parse().map(Self::Tcp).map_err(|_| ListenSyntax)
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everywhere(port) => write!(f, "port {port} on every address"),
            Self::Tcp(address) => write!(f, "{address}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl PublicListener {
    /// Binds. Needs a tokio runtime.
    ///
    /// # Errors
    /// What the kernel said: the address is taken, not ours, or not permitted.
    pub fn bind(listen: &Listen) -> io::Result<Self> {
        let socket = match listen {
            Listen::Everywhere(port) => {
                let bound = bind_tcp((Ipv6Addr::UNSPECIFIED, *port).into());
                bound.or_else(|error| match error.kind() {
                    // Half of the addresses would look like all of them.
                    io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied => Err(error),
                    // Without IPv6 in the kernel or the container, IPv4 alone is everywhere.
                    _ => bind_tcp((Ipv4Addr::UNSPECIFIED, *port).into()),
                })
            }
            Listen::Tcp(address) => bind_tcp(*address),
            Listen::Unix(path) => bind_unix(path),
        };
        Ok(Self { socket: socket?, exhausted: Exhausted::default() })
    }

    /// The address that clients can dial, for the log.
    pub fn local(&self) -> String {
        match &self.socket {
            ListenerSocket::Tcp(_) => {
                self.tcp_address().map_or_else(|| "?".into(), |address| address.to_string())
            }
            ListenerSocket::Unix(_, file) => format!("unix:{}", file.path.display()),
        }
    }

    /// The address that it is bound to; `None` for a Unix socket.
    pub fn tcp_address(&self) -> Option<SocketAddr> {
        match &self.socket {
            ListenerSocket::Tcp(listener) => listener.local_addr().ok(),
            ListenerSocket::Unix(..) => None,
        }
    }
}

impl ListenerSocket {
    async fn accept(&self) -> io::Result<(Socket, Peer)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                Ok((Socket::remote(stream), Some(peer.ip().to_canonical())))
            }
            Self::Unix(listener, _) => {
                let (stream, _) = listener.accept().await?;
                Ok((Socket::Unix(stream), None))
            }
        }
    }
}

impl Listener for PublicListener {
    type Stream = Socket;

    async fn accept(&mut self) -> (Socket, Peer) {
        let Self { socket, exhausted } = self;
        until_accepted(exhausted, || socket.accept()).await
    }

    fn pauses(&self) -> Arc<AtomicU64> {
        self.exhausted.total()
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Someone may have put another socket there since; only ours may go.
        let ours = std::fs::symlink_metadata(&self.path).is_ok_and(|m| m.ino() == self.inode);
        if ours {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn bind_tcp(address: SocketAddr) -> io::Result<ListenerSocket> {
    let socket = socket2::Socket::new(
        Domain::for_address(address),
        Type::STREAM.nonblocking().cloexec(),
        Some(Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(!address.ip().is_unspecified())?;
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into()).map(ListenerSocket::Tcp)
}

fn bind_unix(path: &Path) -> io::Result<ListenerSocket> {
    if is_stale(path) {
        std::fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    let inode = std::fs::symlink_metadata(path)?.ino();
    Ok(ListenerSocket::Unix(listener, SocketFile { path: path.into(), inode }))
}

/// Whether a dead process left this socket: nobody refuses for a live one. A link, another file, and
/// a socket that we may not dial or whose queue is full are somebody's.
fn is_stale(path: &Path) -> bool {
    let dial = || {
        let kind = Type::STREAM.nonblocking().cloexec();
        socket2::Socket::new(Domain::UNIX, kind, None)?.connect(&socket2::SockAddr::unix(path)?)
    };
    std::fs::symlink_metadata(path).is_ok_and(|meta| meta.file_type().is_socket())
        && dial().is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_an_address_is_read_and_nonsense_is_refused() {
        let v4 = "127.0.0.1:80".parse().unwrap();
        let rows = [
            ("8080", Some(Listen::Everywhere(8080))),
            (":0", Some(Listen::Everywhere(0))),
            ("127.0.0.1:80", Some(Listen::Tcp(v4))),
            ("localhost:80", Some(Listen::Tcp(v4))),
            ("[::1]:80", Some(Listen::Tcp("[::1]:80".parse().unwrap()))),
            ("unix:/tmp/a", Some(Listen::Unix("/tmp/a".into()))),
            ("unix:", None),
            ("65536", None),
            ("example.org", None),
            ("", None),
        ];
        for (text, wanted) in rows {
            assert_eq!(text.parse().ok(), wanted, "{text}");
        }
    }

    /// A dead process leaves its socket file; a live one must not lose its own.
    #[tokio::test]
    async fn a_stale_socket_file_is_replaced_and_a_live_one_is_a_conflict() {
        let dir = tempfile::tempdir().unwrap();
        let listen = Listen::Unix(dir.path().join("door"));
        let path = dir.path().join("door");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let first = PublicListener::bind(&listen).unwrap();
        assert!(PublicListener::bind(&listen).is_err());
        drop(first);
        assert!(!path.exists());
    }

    /// A link in the socket's place must neither be followed nor removed.
    #[tokio::test]
    async fn a40_a_link_or_a_file_in_the_sockets_place_is_refused_and_stays() {
        let dir = tempfile::tempdir().unwrap();
        let (link, file) = (dir.path().join("link"), dir.path().join("file"));
        drop(std::os::unix::net::UnixListener::bind(dir.path().join("dead")).unwrap());
        std::os::unix::fs::symlink(dir.path().join("dead"), &link).unwrap();
        std::fs::write(&file, "mine").unwrap();
        for path in [link, file] {
            let error = PublicListener::bind(&Listen::Unix(path.clone())).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
            assert!(path.symlink_metadata().is_ok());
        }
    }

    /// Its queue is full, and a dial would wait: it lives all the same.
    #[tokio::test]
    async fn a40_a_busy_socket_is_not_taken_for_a_dead_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("busy");
        let address = socket2::SockAddr::unix(&path).unwrap();
        let busy = socket2::Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        busy.bind(&address).unwrap();
        busy.listen(0).unwrap();
        let mut waiting = Vec::new();
        loop {
            let next = socket2::Socket::new(Domain::UNIX, Type::STREAM.nonblocking(), None);
            waiting.push(next.unwrap());
            if waiting.last().unwrap().connect(&address).is_err() {
                break;
            }
        }
        assert!(PublicListener::bind(&Listen::Unix(path.clone())).is_err());
        assert!(path.exists());
    }

    /// Would break if the other half of the addresses were taken for all of them.
    #[tokio::test]
    async fn f41_a_port_of_which_half_is_taken_is_taken() {
        for address in [SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)), "[::]:0".parse().unwrap()] {
            let half = socket2::Socket::new(Domain::for_address(address), Type::STREAM, None);
            let Ok(half) = half else {
                println!("no such family here: {address}");
                continue;
            };
            if address.is_ipv6() {
                half.set_only_v6(true).unwrap();
            }
            half.bind(&address.into()).unwrap();
            half.listen(1).unwrap();
            let port = half.local_addr().unwrap().as_socket().unwrap().port();
            let error = PublicListener::bind(&Listen::Everywhere(port)).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::AddrInUse, "{address}");
        }
    }
}
