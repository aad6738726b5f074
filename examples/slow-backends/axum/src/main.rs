//! A slow-starting axum service. ../../README.md says what each variable means.
//!
//! Owns nothing but its own slowness; must never know what stands in front of it.

mod settings;

use std::fs::OpenOptions;
use std::future::pending;
use std::io::{self, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::SEC_WEBSOCKET_PROTOCOL;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use rustix::time::{ClockId, clock_gettime};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::sleep_until;

use crate::settings::{Mode, Settings};

/// The largest message that comes back.
const MESSAGE_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Bytes read at once; the default of 128 KiB is filled with zeros for every socket.
const READ_BUFFER: usize = 16 * 1024;

#[derive(Clone)]
struct Service {
    settings: Arc<Settings>,
    ready: watch::Receiver<bool>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let started = tokio::time::Instant::now();
    let settings = Arc::new(Settings::from_environment()?);
    let (publish, ready) = watch::channel(false);
    let service = Service { settings: Arc::clone(&settings), ready };

    sleep_until(started + settings.bind_after).await;
    let listener = TcpListener::bind(("127.0.0.1", settings.port)).await?;
    let mut terminate = signal(SignalKind::terminate())?;
    let serving = axum::serve(listener, router(service))
        .with_graceful_shutdown(async move { _ = terminate.recv().await });

    tokio::spawn(async move {
        if settings.mode == Mode::Crash {
            crash(&settings).await;
        }
        sleep_until(started + settings.ready_after).await;
        _ = publish.send(true);
        if let Err(error) = announce(&settings) {
            report(&error);
        }
        // Keeps the channel open for as long as the service lives.
        publish.closed().await;
    });
    Ok(serving.await?)
}

fn router(service: Service) -> Router {
    Router::new()
        .route("/", get(async || "hello from axum\n"))
        .route("/health", get(async || "ok\n"))
        .route("/echo", post(async |request: Request| Body::new(request.into_body())))
        .route("/ws", any(echo))
        .route("/ws/{*path}", any(echo))
        .layer(from_fn_with_state(service.clone(), starting))
        .with_state(service)
}

/// What every request gets while we start; once ready, its route.
async fn starting(State(mut service): State<Service>, request: Request, next: Next) -> Response {
    let is_health = request.uri().path() == "/health";
    let is_handshake = request.uri().path().starts_with("/ws");
    if service.settings.holds_itself && !is_health {
        _ = service.ready.wait_for(|ready| *ready).await;
    }
    if *service.ready.borrow() {
        return next.run(request).await;
    }
    match service.settings.mode {
        Mode::Silent => pending().await,
        Mode::Lying if is_health => "ok\n".into_response(),
        Mode::Lying | Mode::Close1011 | Mode::Crash if is_handshake => {
            close_1011(request, &service).await
        }
        _ => (StatusCode::SERVICE_UNAVAILABLE, "starting\n").into_response(),
    }
}

/// Accepts the handshake and closes the WebSocket at once, as an application does whose route fails.
async fn close_1011(request: Request, service: &Service) -> Response {
    let (mut parts, _body) = request.into_parts();
    let subprotocol = first_subprotocol(&parts.headers);
    match WebSocketUpgrade::from_request_parts(&mut parts, service).await {
        Ok(upgrade) => upgrade.protocols(subprotocol).on_upgrade(async |mut socket| {
            let close = CloseFrame { code: close_code::ERROR, reason: "starting".into() };
            _ = socket.send(Message::Close(Some(close))).await;
            // The peer's own Close ends it.
            while let Some(Ok(_)) = socket.recv().await {}
        }),
        Err(rejection) => rejection.into_response(),
    }
}

/// Text and binary messages go back as they came.
async fn echo(headers: HeaderMap, upgrade: WebSocketUpgrade) -> Response {
    upgrade
        .protocols(first_subprotocol(&headers))
        .max_message_size(MESSAGE_BYTES_MAX)
        .max_frame_size(MESSAGE_BYTES_MAX)
        .read_buffer_size(READ_BUFFER)
        .on_upgrade(async |mut socket: WebSocket| {
            while let Some(Ok(message)) = socket.recv().await {
                let sent = match message {
                    Message::Text(_) | Message::Binary(_) => socket.send(message).await,
                    // The library answers pings and closes by itself.
                    Message::Ping(_) | Message::Pong(_) | Message::Close(_) => Ok(()),
                };
                if sent.is_err() {
                    break;
                }
            }
        })
}

fn first_subprotocol(headers: &HeaderMap) -> Option<String> {
    let offered = headers.get(SEC_WEBSOCKET_PROTOCOL)?.to_str().ok()?;
    offered.split(',').next().map(|name| name.trim().to_owned())
}

/// Dies before it is ready, and leaves the mark that makes the next start a good one.
async fn crash(settings: &Settings) {
    tokio::time::sleep(settings.ready_after / 2).await;
    if let Some(marker) = &settings.crash_marker
        && let Err(error) = std::fs::write(marker, "")
    {
        report(&error);
    }
    std::process::exit(1);
}

/// Says that we are ready: a stamp for the race, a message for whoever started us.
fn announce(settings: &Settings) -> io::Result<()> {
    if let Some(path) = &settings.stamp {
        let now = clock_gettime(ClockId::Monotonic);
        let nanoseconds = Duration::new(now.tv_sec.unsigned_abs(), 0).as_nanos()
            + now.tv_nsec.unsigned_abs() as u128;
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        file.write_all(format!("{nanoseconds}\n").as_bytes())?;
    }
    if let Some(name) = &settings.notify_socket {
        let address = match name.strip_prefix('@') {
            Some(name) => SocketAddr::from_abstract_name(name)?,
            None => SocketAddr::from_pathname(name)?,
        };
        UnixDatagram::unbound()?.send_to_addr(b"READY=1", &address)?;
    }
    Ok(())
}

#[expect(clippy::print_stderr, reason = "an example has no log")]
fn report(error: &io::Error) {
    eprintln!("slow-axum: {error}");
}
