//! Dials the upstream.
//!
//! Owns the address, which comes from configuration alone. Must never take any part of it from
//! a request, and never pool: a dialled connection belongs to whoever asked.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::str::FromStr;

use rustix::io::Errno;
use tokio::net::{TcpStream, ToSocketAddrs, UnixStream};

use crate::stream::{Socket, Stream};
use crate::upstream::shortage::Shortage;

/// Makes connections to the upstream.
pub trait Dial: Send + Sync + 'static {
    /// What a connection is.
    type Stream: Stream;

    /// One fresh connection.
    ///
    /// # Errors
    /// What the kernel said; refused and unreachable are told apart by the caller.
    fn dial(&self) -> impl Future<Output = io::Result<Self::Stream>> + Send;
}

/// Where the service behind us listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upstream {
    /// A port of our child's on loopback; IPv4 first, then IPv6, since a service that binds
    /// `localhost` may get either.
    Loopback(u16),
    /// A host name or address, and a port.
    Host(String, u16),
    /// A Unix socket.
    Unix(PathBuf),
}

/// An upstream address that could not be understood.
#[derive(Debug, thiserror::Error)]
#[error("not an upstream address: use HOST:PORT, PORT or unix:PATH")]
pub struct UpstreamSyntax;

impl FromStr for Upstream {
    type Err = UpstreamSyntax;

    fn from_str(text: &str) -> Result<Self, UpstreamSyntax> {
        if let Some(path) = text.strip_prefix("unix:") {
            return if path.is_empty() { Err(UpstreamSyntax) } else { Ok(Self::Unix(path.into())) };
        }
        if let Ok(port) = text.strip_prefix(':').unwrap_or(text).parse() {
            return if port == 0 { Err(UpstreamSyntax) } else { Ok(Self::Loopback(port)) };
        }
        let (host, port) = text.rsplit_once(':').ok_or(UpstreamSyntax)?;
        let host = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
        let port = port.parse().ok().filter(|port| *port != 0).ok_or(UpstreamSyntax)?;
        let odd = |c: char| c.is_whitespace() || matches!(c, '/' | '@' | '[' | ']');
        if host.is_empty() || host.contains(odd) {
            return Err(UpstreamSyntax);
        }
        Ok(Self::Host(host.into(), port))
    }
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loopback(port) => write!(f, "127.0.0.1:{port}"),
            Self::Host(host, port) if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Host(host, port) => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl Dial for Upstream {
    type Stream = Socket;

    async fn dial(&self) -> io::Result<Socket> {
        match self {
            Self::Loopback(port) => match tcp((Ipv4Addr::LOCALHOST, *port)).await {
                Ok(stream) => Ok(stream),
                Err(first) => tcp((Ipv6Addr::LOCALHOST, *port)).await.map_err(|_| first),
            },
            Self::Host(host, port) => tcp((host.as_str(), *port)).await,
            Self::Unix(path) => UnixStream::connect(path).await.map(Socket::Unix),
        }
    }
}

async fn tcp(address: impl ToSocketAddrs) -> io::Result<Socket> {
    TcpStream::connect(address).await.and_then(met)
}

/// Where nobody listens on a local port that the kernel may also give to us, a dial can meet
/// itself (RFC 9293 section 3.5, simultaneous open): it must not be taken for the service.
fn met(stream: TcpStream) -> io::Result<Socket> {
    let peer = stream.peer_addr()?;
    if !peer.ip().is_loopback() {
        return Ok(Socket::remote(stream));
    }
    if stream.local_addr()? == peer {
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    Ok(Socket::local(stream))
}

/// Whether a failed dial says that the service is not there: refused, no such host, no route. A
/// [`Shortage`] of our own, or a permission that we lack, says nothing of it, and neither does a
/// full backlog.
pub fn nobody_listens(error: &io::Error) -> bool {
    let code = error.raw_os_error().map(Errno::from_raw_os_error);
    let ours = Shortage::of(error).is_some()
        || code.is_some_and(|code| matches!(code, Errno::ACCESS | Errno::PERM | Errno::AGAIN));
    !ours && error.kind() != io::ErrorKind::TimedOut
}

/// Whether the service is there, and its backlog full: a moment later it may have room.
pub fn is_busy(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Would break if a connection of a port with itself were taken for a service's.
    #[tokio::test]
    async fn a_dial_that_meets_itself_is_no_service() {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let own = socket.local_addr().unwrap();
        let stream = socket.connect(own).await.unwrap();
        assert!(nobody_listens(&met(stream).unwrap_err()));
    }

    #[test]
    fn every_spelling_of_an_upstream_is_read_and_nonsense_is_refused() {
        let host = |h: &str, p| Some(Upstream::Host(h.into(), p));
        let rows = [
            ("8081", Some(Upstream::Loopback(8081))),
            ("127.0.0.1:8081", host("127.0.0.1", 8081)),
            ("[::1]:8081", host("::1", 8081)),
            ("app:80", host("app", 80)),
            ("unix:/run/app", Some(Upstream::Unix("/run/app".into()))),
            ("app:0", None),
            ("http://app:80", None),
            ("user@app:80", None),
            (":", None),
            ("app", None),
        ];
        for (text, wanted) in rows {
            assert_eq!(text.parse().ok(), wanted, "{text}");
        }
    }
}
