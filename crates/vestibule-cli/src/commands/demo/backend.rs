//! The demo's slow backend: a real process that takes WebSockets long before it is ready.
//!
//! Owns the service that the incident is told with: the port opens, sockets are accepted and at
//! once closed with 1011, and only seconds later everything works. Must never know whether it
//! stands behind a door.

use std::convert::Infallible;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use rustix::time::{ClockId, Timespec, clock_gettime};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{sleep, timeout};
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::Error as SocketError;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::duration::duration;
use crate::error::Error;
use crate::exit::Exit;

/// The path that tells readiness.
const HEALTH: &[u8] = b"GET /health ";
/// How long the first bytes of a request may take.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Between two looks at a request line that is not yet whole.
const PEEK_PAUSE: Duration = Duration::from_millis(2);

/// A service with a slow start, for the demo.
#[derive(Debug, clap::Args)]
pub(crate) struct BackendArgs {
    /// The port to listen on
    #[arg(long, env = "PORT")]
    port: u16,

    /// When the port opens
    #[arg(long, value_parser = duration, default_value = "500ms")]
    bind_after: Duration,

    /// When WebSockets begin to work
    #[arg(long, value_parser = duration, default_value = "2500ms")]
    ready_after: Duration,

    /// Where to note the moment of readiness, for a race
    #[arg(long, env = "VESTIBULE_RACE_STAMP")]
    stamp: Option<PathBuf>,
}

/// Serves until SIGTERM.
#[expect(clippy::needless_pass_by_value, reason = "every command takes its arguments whole")]
pub(crate) fn serve(args: BackendArgs) -> Result<Exit, Error> {
    let failed = |error: io::Error| Error::system(format!("demo backend: {error}"));
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
        tokio::select! {
            served = life(&args) => served.map(|never| match never {}).map_err(failed),
            _ = terminate.recv() => Ok(Exit::Ok),
        }
    })
}

/// Ends only by a failure.
async fn life(args: &BackendArgs) -> io::Result<Infallible> {
    let ready = Arc::new(AtomicBool::new(false));
    let becoming_ready = async {
        sleep(args.ready_after).await;
        // The clock is read first: no client may seem to be served before readiness.
        let now = clock_gettime(ClockId::Monotonic);
        ready.store(true, Ordering::Release);
        args.stamp.as_deref().map_or(Ok(()), |path| stamp(path, now))
    };
    let (never, ()) = tokio::try_join!(accept(args, &ready), becoming_ready)?;
    Ok(never)
}

async fn accept(args: &BackendArgs, ready: &Arc<AtomicBool>) -> io::Result<Infallible> {
    sleep(args.bind_after).await;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, args.port)).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        let ready = Arc::clone(ready);
        // A client that misbehaves or leaves ends its own connection only.
        tokio::spawn(async move { answer(stream, &ready).await.ok() });
    }
}

/// Appends a moment to a race's stamp file.
fn stamp(path: &Path, now: Timespec) -> io::Result<()> {
    let ns = i128::from(now.tv_sec) * 1_000_000_000 + i128::from(now.tv_nsec);
    OpenOptions::new().append(true).open(path)?.write_all(format!("{ns}\n").as_bytes())
}

async fn answer(mut stream: TcpStream, ready: &AtomicBool) -> Result<(), SocketError> {
    let ready = || ready.load(Ordering::Acquire);
    let asks_health = timeout(HEAD_TIMEOUT, asks_health(&stream));
    if asks_health.await.map_err(io::Error::from)?? {
        let status = if ready() { "200 OK" } else { "503 Service Unavailable" };
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).await?;
        return Ok(());
    }
    let mut socket = accept_async(stream).await?;
    if !ready() {
        // The incident, in one line: accepted before the service was ready.
        let frame = CloseFrame { code: CloseCode::Error, reason: "still starting".into() };
        socket.close(Some(frame)).await?;
    }
    while let Some(message) = socket.next().await {
        let message = message?;
        if message.is_text() || message.is_binary() {
            socket.send(message).await?;
        }
    }
    Ok(())
}

/// Looks at the request line without taking it, so that the handshake finds it whole.
async fn asks_health(stream: &TcpStream) -> io::Result<bool> {
    let mut start = [0; HEALTH.len()];
    loop {
        let seen = stream.peek(&mut start).await?;
        if seen == HEALTH.len() || seen == 0 || !HEALTH.starts_with(&start[..seen]) {
            return Ok(start[..seen] == *HEALTH);
        }
        sleep(PEEK_PAUSE).await;
    }
}
