//! One WebSocket client: it dials, asks for its 101, speaks once, stays a moment, and tells what
//! it saw.
//!
//! Owns the reading of what happened from sockets and frames. Must never try twice: a browser
//! shows its user the first failure.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::{
    net::TcpStream,
    time::{Instant, timeout, timeout_at},
};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest as _,
        error::ProtocolError,
        handshake::client::Request,
        http::{HeaderName, HeaderValue},
        protocol::{WebSocketConfig, frame::coding::CloseCode},
    },
};

use crate::{
    clock::Clock,
    error::RaceError,
    scenario::Scenario,
    seen::{Client, Seen},
    trace::{Recorder, Tap},
};

/// How long a client that is done waits for the service to answer its Close.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(1);
/// The code that stands for a Close without one (RFC 6455 section 7.4.1).
const NO_CODE: u16 = 1005;
/// The code that stands for an end without a Close (RFC 6455 section 7.4.1).
const NO_CLOSE: u16 = 1006;
/// Bytes a client reads at once: what a chat says fits.
const READ_BUFFER: usize = 4 * 1024;

type Socket = WebSocketStream<Tap<TcpStream>>;

/// What every client of a race does; shared by all of them.
#[derive(Debug)]
pub(crate) struct Visit {
    addresses: Vec<SocketAddr>,
    request: Request,
    message: Option<String>,
    require_reply: bool,
    settle: Duration,
    timeout: Duration,
    clock: Clock,
    port_open: Arc<OnceLock<Instant>>,
    talking: AtomicUsize,
}

impl Visit {
    /// Prepares the visits of a scenario at `addresses`, called `authority` in the Host field.
    /// The first client that can connect sets `port_open`.
    pub(crate) fn new(
        scenario: &Scenario,
        authority: &str,
        addresses: Vec<SocketAddr>,
        clock: Clock,
        port_open: Arc<OnceLock<Instant>>,
    ) -> Result<Self, RaceError> {
        Ok(Self {
            addresses,
            request: handshake(authority, &scenario.path, &scenario.headers)?,
            message: scenario.message.clone(),
            require_reply: scenario.require_reply,
            settle: scenario.settle,
            timeout: scenario.timeout,
            clock,
            port_open,
            talking: AtomicUsize::new(0),
        })
    }

    /// How many clients have their 101 and are not yet done.
    pub(crate) fn talking(&self) -> usize {
        self.talking.load(Ordering::Relaxed)
    }

    /// Makes one visit, from the first packet to the last.
    pub(crate) async fn make(&self, number: usize, recorder: Option<Recorder>) -> Client {
        let arrived = Instant::now();
        let deadline = arrived + self.timeout;
        let mut at_101 = None;
        let mut first_reply = None;
        let mut socket = None;
        let seen = match timeout_at(deadline, self.knock(recorder)).await {
            Err(_) => Seen::TimedOut,
            Ok(Err(seen)) => seen,
            Ok(Ok(open)) => {
                at_101 = Some(Instant::now());
                self.talking.fetch_add(1, Ordering::Relaxed);
                let socket = socket.insert(open);
                let seen = self.stay(socket, number, deadline, &mut first_reply).await;
                self.talking.fetch_sub(1, Ordering::Relaxed);
                seen
            }
        };
        let ended = Instant::now();
        if let Some(socket) = &mut socket {
            // What a service does with a goodbye is no longer this client's story.
            let _ = timeout(LEAVE_TIMEOUT, leave(socket)).await;
        }
        let since_start = |moment| self.clock.since_start(moment);
        Client {
            number,
            arrived: since_start(arrived),
            at_101: at_101.map(since_start),
            first_reply: first_reply.map(since_start),
            ended: since_start(ended),
            seen,
        }
    }

    /// Dials and asks for the 101.
    async fn knock(&self, recorder: Option<Recorder>) -> Result<Socket, Seen> {
        let stream = dial(&self.addresses).await?;
        self.port_open.get_or_init(Instant::now);
        let mut request = self.request.clone();
        let key = tokio_tungstenite::tungstenite::handshake::client::generate_key();
        if let Ok(key) = HeaderValue::from_str(&key) {
            request.headers_mut().insert("sec-websocket-key", key);
        }
        // The library's own buffer is 128 KiB, filled with zeros: a crowd of them would take more
        // of the machine than what is measured.
        let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER);
        let stream = Tap::new(stream, recorder);
        match client_async_with_config(request, stream, Some(config)).await {
            Ok((socket, _)) => Ok(socket),
            Err(error) => Err(seen_before_101(&error)),
        }
    }

    /// Speaks once and watches the socket for the settle window.
    async fn stay(
        &self,
        socket: &mut Socket,
        number: usize,
        deadline: Instant,
        first_reply: &mut Option<Instant>,
    ) -> Seen {
        let settled = Instant::now() + self.settle;
        if let Some(message) = &self.message {
            let text = message.replace("{client}", &number.to_string());
            // A socket that refuses the write has a Close, or its end, waiting to be read.
            let _ = timeout_at(settled, socket.send(Message::text(text))).await;
        }
        loop {
            let answered = first_reply.is_some() || !self.require_reply;
            let until = if answered { settled } else { deadline.max(settled) };
            if Instant::now() >= until {
                break;
            }
            match timeout_at(until, socket.next()).await {
                Err(_) => break,
                Ok(Some(Ok(Message::Text(_) | Message::Binary(_)))) => {
                    first_reply.get_or_insert_with(Instant::now);
                }
                Ok(Some(Ok(Message::Close(frame)))) => {
                    let code = frame.map_or(NO_CODE, |frame| u16::from(frame.code));
                    return seen_in_close(code, first_reply.is_some());
                }
                Ok(Some(Ok(_))) => {}
                Ok(Some(Err(error))) => return seen_after_101(&error),
                Ok(None) => return Seen::Closed(NO_CLOSE),
            }
        }
        if self.require_reply && first_reply.is_none() {
            return Seen::TimedOut;
        }
        Seen::Ok
    }
}

/// The request every client sends, but for its key.
fn handshake(
    authority: &str,
    path: &str,
    headers: &[(String, String)],
) -> Result<Request, RaceError> {
    let refused = |what: String| RaceError::Request { what };
    let shown = path.split('?').next().unwrap_or_default();
    let request = format!("ws://{authority}{path}").into_client_request();
    let mut request = request.map_err(|_| refused(shown.to_owned()))?;
    for (index, (name, value)) in headers.iter().enumerate() {
        // Where the colon was forgotten, what is taken for the name may be a secret.
        let unnamed = || refused(format!("the name of header {}", index + 1));
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unnamed())?;
        let value = HeaderValue::from_str(value);
        let value = value.map_err(|_| refused(format!("the value of header {name}")))?;
        request.headers_mut().insert(name, value);
    }
    Ok(request)
}

/// Connects to the first address that accepts.
async fn dial(addresses: &[SocketAddr]) -> Result<TcpStream, Seen> {
    let stream = TcpStream::connect(addresses).await.map_err(|error| match error.kind() {
        io::ErrorKind::ConnectionRefused => Seen::Refused,
        io::ErrorKind::ConnectionReset => Seen::Reset,
        io::ErrorKind::TimedOut => Seen::TimedOut,
        _ => Seen::Unreachable,
    })?;
    // A dial of an unbound port can meet itself when the kernel picks the same source port.
    if stream.local_addr().ok() == stream.peer_addr().ok() {
        return Err(Seen::Refused);
    }
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

/// What a failed handshake looked like.
fn seen_before_101(error: &Error) -> Seen {
    match error {
        Error::Http(response) => Seen::Status(response.status().as_u16()),
        Error::Io(_) | Error::Protocol(ProtocolError::HandshakeIncomplete) => Seen::Reset,
        _ => Seen::ProtocolError,
    }
}

/// What a broken socket looked like.
fn seen_after_101(error: &Error) -> Seen {
    match error {
        Error::Io(_)
        | Error::ConnectionClosed
        | Error::AlreadyClosed
        | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Seen::Closed(NO_CLOSE),
        _ => Seen::ProtocolError,
    }
}

/// A Close inside the settle window. Only a service that has answered and then says goodbye in
/// the normal way has served its user.
fn seen_in_close(code: u16, replied: bool) -> Seen {
    let normal = code == u16::from(CloseCode::Normal) || code == NO_CODE;
    if replied && normal { Seen::Ok } else { Seen::Closed(code) }
}

/// Closes, or answers a Close, and reads to the end as a browser does.
async fn leave(socket: &mut Socket) {
    let _ = socket.close(None).await;
    while let Some(Ok(_)) = socket.next().await {}
}

#[cfg(test)]
mod tests;
