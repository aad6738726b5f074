//! Everything that a socket can do to whoever dials it.
//!
//! Owns the faults and what each does to one connection; their words are toxiproxy's where it has one. Must never
//! end by itself while the client may still be misled: `proxy` ends it.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy, sink};
use tokio::net::TcpStream;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until};

/// Longer than any budget here.
const FOR_EVER: Duration = Duration::from_secs(600);

/// What is wrong with a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing.
    Healthy,
    /// Nobody listens.
    Refuses,
    /// The accept queue is full: no answer to a SYN.
    FullQueue,
    /// Each answer is late, within the time.
    Latency,
    /// Each answer is later than the time.
    TooLate,
    /// Few bytes a second, but enough.
    Bandwidth,
    /// A byte a segment.
    Slicer,
    /// A byte now and then: never an end.
    Drip,
    /// The answer is whole, but the end of the connection comes late.
    SlowClose,
    /// It reads and says nothing.
    Silence,
    /// It does not even read.
    HalfOpen,
    /// It resets instead of an answer.
    ResetPeer,
    /// It closes at once.
    Closes,
    /// It closes amid its answer.
    LimitData,
    /// It resets amid its answer.
    LimitReset,
    /// It answers with bytes of no protocol.
    Garbage,
    /// It answers with zeroes.
    Zeroes,
    /// It is a web server.
    Http,
    /// It is an SSH server.
    Ssh,
    /// It is a TLS server with an alert.
    TlsAlert,
    /// It begins an answer which it never ends, as fast as it can.
    Endless,
}

impl Fault {
    pub(crate) const ALL: [Self; 21] = [
        Self::Healthy,
        Self::Refuses,
        Self::FullQueue,
        Self::Latency,
        Self::TooLate,
        Self::Bandwidth,
        Self::Slicer,
        Self::Drip,
        Self::SlowClose,
        Self::Silence,
        Self::HalfOpen,
        Self::ResetPeer,
        Self::Closes,
        Self::LimitData,
        Self::LimitReset,
        Self::Garbage,
        Self::Zeroes,
        Self::Http,
        Self::Ssh,
        Self::TlsAlert,
        Self::Endless,
    ];

    pub(crate) fn word(self) -> String {
        let name = format!("{self:?}");
        let mut word = String::new();
        for (at, letter) in name.char_indices() {
            if at > 0 && letter.is_uppercase() {
                word.push('_');
            }
            word.extend(letter.to_lowercase());
        }
        word
    }
}

/// A connection's way through a fault.
pub(crate) struct Way<'a> {
    pub(crate) fault: Fault,
    /// The healthy server.
    pub(crate) origin: SocketAddr,
    /// How an answer of its protocol begins that never needs to end.
    pub(crate) endless: &'a [u8],
    /// Where an answer is cut.
    pub(crate) cut: usize,
    /// Whether its servers wait to be asked.
    pub(crate) asked: bool,
    /// Bytes written to the client.
    pub(crate) wrote: &'a AtomicU64,
}

/// How a connection goes on behind its fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Closed in order.
    Close,
    /// Reset.
    Reset,
}

impl Way<'_> {
    /// Does its worst.
    pub(crate) async fn mislead(&self, client: &mut TcpStream) -> io::Result<End> {
        if self.asked && matches!(self.fault, Fault::ResetPeer | Fault::Http | Fault::Endless) {
            client.peek(&mut [0]).await?;
        }
        match self.fault {
            Fault::HalfOpen => std::future::pending::<()>().await,
            Fault::Silence => drop(copy(client, &mut sink()).await?),
            Fault::ResetPeer => return Ok(End::Reset),
            Fault::Garbage => {
                let mut noise = fastrand::Rng::with_seed(7);
                let bytes = std::iter::repeat_with(|| noise.u8(128..));
                self.says(client, &bytes.take(512).collect::<Vec<_>>()).await?;
            }
            Fault::Zeroes => self.says(client, &[0; 512]).await?,
            Fault::Http => {
                let refused = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 3\r\n\r\nno\n";
                self.says(client, refused).await?;
            }
            Fault::Ssh => self.says(client, b"SSH-2.0-OpenSSH_9.9\r\n").await?,
            Fault::TlsAlert => self.says(client, &[21, 3, 3, 0, 2, 2, 40]).await?,
            Fault::Endless => {
                self.write(client, self.endless).await?;
                loop {
                    self.write(client, &[b'a'; 16 * 1024]).await?;
                }
            }
            Fault::Closes | Fault::Refuses | Fault::FullQueue => {}
            _ => return self.relay(client).await,
        }
        Ok(End::Close)
    }

    /// Says this and listens on.
    async fn says(&self, client: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
        self.write(client, bytes).await?;
        copy(client, &mut sink()).await.map(drop)
    }

    async fn write(&self, to: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
        let wrote = to.write(bytes).await?;
        self.wrote.fetch_add(wrote as u64, Ordering::Relaxed);
        if wrote < bytes.len() { Box::pin(self.write(to, &bytes[wrote..])).await } else { Ok(()) }
    }

    async fn relay(&self, client: &mut TcpStream) -> io::Result<End> {
        let mut origin = TcpStream::connect(self.origin).await?;
        origin.set_nodelay(true)?;
        let (mut from_client, mut to_client) = client.split();
        let (mut from_origin, mut to_origin) = origin.split();
        let up = async {
            let _ = copy(&mut from_client, &mut to_origin).await;
            let _ = to_origin.shutdown().await;
            std::future::pending().await
        };
        tokio::select! {
            end = self.answer(&mut from_origin, &mut to_client) => end,
            never = up => never,
        }
    }

    /// The origin's answer, through the fault.
    async fn answer(
        &self,
        from: &mut (impl AsyncRead + Unpin),
        to: &mut (impl AsyncWrite + Unpin),
    ) -> io::Result<End> {
        let mut part = vec![0; 4096];
        let mut passed = 0;
        loop {
            let read = from.read(&mut part).await?;
            if read == 0 {
                if self.fault == Fault::SlowClose {
                    late_by(FOR_EVER).await;
                }
                return Ok(End::Close);
            }
            let part = &part[..read];
            match self.fault {
                Fault::Latency => late_by(Duration::from_millis(20)).await,
                Fault::TooLate => late_by(FOR_EVER).await,
                _ => {}
            }
            match self.fault {
                Fault::Bandwidth => {
                    for some in part.chunks(256) {
                        self.write(to, some).await?;
                        late_by(Duration::from_millis(5)).await;
                    }
                }
                Fault::Slicer => {
                    for one in part.chunks(1) {
                        self.write(to, one).await?;
                        yield_now().await;
                    }
                }
                Fault::Drip => {
                    for one in part.chunks(1) {
                        self.write(to, one).await?;
                        late_by(Duration::from_millis(300)).await;
                    }
                }
                Fault::LimitData | Fault::LimitReset => {
                    let room = self.cut - passed;
                    self.write(to, &part[..read.min(room)]).await?;
                    passed += read.min(room);
                    if passed == self.cut {
                        let reset = self.fault == Fault::LimitReset;
                        return Ok(if reset { End::Reset } else { End::Close });
                    }
                }
                _ => self.write(to, part).await?,
            }
        }
    }
}

/// Lateness is what some faults are.
async fn late_by(time: Duration) {
    sleep_until(Instant::now() + time).await;
}
