//! Breaks the layer with requests of every kind in every stance, futures dropped in a hold, early bytes, and an
//! inner service that must not be asked too soon. Paused time.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use http::{Response, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tower_service::Service;

use super::*;
use crate::gate::{Limits, Refusal, Stance};
use crate::readiness::Failure;

/// Answers everything, and counts how often it was asked whether it can.
#[derive(Clone, Default)]
struct Chat {
    asked: Arc<AtomicUsize>,
    served: Arc<AtomicUsize>,
}

impl Service<Request<()>> for Chat {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _request: Request<()>) -> Self::Future {
        self.served.fetch_add(1, Ordering::Relaxed);
        ready(Ok(Response::new("hello".to_owned())))
    }
}

const HOLD: Duration = Duration::from_secs(20);

fn layer(stance: Stance) -> HoldLayer {
    let gate = Gate::new(Limits { held_max: 2, ..Limits::default() });
    gate.take_stance(stance);
    HoldLayer::new(gate, HOLD)
}

fn handshake() -> Request<()> {
    Request::get("/ws").header("upgrade", "websocket").body(()).unwrap()
}

fn plain(path: &str) -> Request<()> {
    Request::get(path).body(()).unwrap()
}

/// The answer's status, if there is one after a few turns.
async fn status_soon(layer: &HoldLayer, request: Request<()>) -> Option<StatusCode> {
    let mut answer = Box::pin(layer.layer(Chat::default()).call(request));
    for _ in 0..5 {
        tokio::select! {
            biased;
            answer = &mut answer => return Some(answer.unwrap().status()),
            () = tokio::task::yield_now() => {}
        }
    }
    None
}

#[tokio::test(start_paused = true)]
async fn invariant_1_no_handshake_reaches_the_service_before_readiness() {
    let layer = layer(Stance::Hold);
    let chat = Chat::default();
    let held = tokio::spawn(layer.layer(chat.clone()).call(handshake()));
    tokio::time::sleep(Duration::from_secs(5)).await;
    let counts =
        |chat: &Chat| (chat.asked.load(Ordering::Relaxed), chat.served.load(Ordering::Relaxed));
    assert_eq!((counts(&chat), layer.rules.gate.counts().held), ((0, 0), 1));
    layer.rules.gate.take_stance(Stance::Admit);
    assert_eq!(held.await.unwrap().unwrap().status(), 200);
    assert_eq!(counts(&chat), (1, 1));
    assert_eq!(layer.rules.gate.counts().handing_over, 0);
}

#[tokio::test(start_paused = true)]
async fn handshakes_alone_are_held_unless_everything_is_and_some_paths_never() {
    let ok = Some(StatusCode::OK);
    let holds = layer(Stance::Hold);
    assert_eq!(status_soon(&holds, handshake()).await, None);
    assert_eq!(status_soon(&holds, plain("/")).await, ok);
    let everything = holds.clone().everything().never("/healthz");
    assert_eq!(status_soon(&everything, plain("/")).await, None);
    assert_eq!(status_soon(&everything, plain("/healthz")).await, ok);
    assert_eq!(status_soon(&everything, plain("/healthz/x")).await, None);
    let warm = layer(Stance::Admit).everything();
    assert_eq!(status_soon(&warm, handshake()).await, ok);
    assert_eq!(status_soon(&warm, plain("/")).await, ok);
}

#[tokio::test(start_paused = true)]
async fn a_failed_service_refuses_handshakes_and_its_plain_requests_pass() {
    let failed = Stance::Refuse(Refusal::Failed(Failure::new("no database")));
    let refuses = layer(failed);
    assert_eq!(status_soon(&refuses, handshake()).await, Some(StatusCode::SERVICE_UNAVAILABLE));
    assert_eq!(status_soon(&refuses, plain("/")).await, Some(StatusCode::OK));
}

#[tokio::test(start_paused = true)]
async fn invariant_2_a_hold_ends_at_the_clients_clock_or_at_its_own_bound() {
    for (agent, waits) in [("Python/3.13 websockets/15.0", 9), ("curl/8.0", 20)] {
        let began = Instant::now();
        let mut request = handshake();
        request.headers_mut().insert("user-agent", agent.parse().unwrap());
        let answer = layer(Stance::Hold).layer(Chat::default()).call(request).await.unwrap();
        assert_eq!(
            (answer.status(), began.elapsed().as_secs()),
            (StatusCode::SERVICE_UNAVAILABLE, waits)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn invariant_3_a_full_gate_refuses_at_once_and_a_dropped_future_frees_its_place() {
    let layer = layer(Stance::Hold);
    let hold = || tokio::spawn(layer.layer(Chat::default()).call(handshake()));
    let (first, second) = (hold(), hold());
    tokio::task::yield_now().await;
    assert_eq!(layer.rules.gate.counts().held, 2);
    assert_eq!(status_soon(&layer, handshake()).await, Some(StatusCode::SERVICE_UNAVAILABLE));
    first.abort();
    second.abort();
    assert!(first.await.unwrap_err().is_cancelled() && second.await.unwrap_err().is_cancelled());
    assert_eq!(layer.rules.gate.counts().held, 0);
}

#[tokio::test(start_paused = true)]
async fn a04_an_early_byte_on_a_watched_stream_ends_the_hold() {
    let layer = layer(Stance::Hold);
    let (mut client, server) = duplex(1_024);
    let mut stream = layer.watch(server);
    let mut request = handshake();
    request.extensions_mut().insert(stream.link().clone());
    let held = tokio::spawn(layer.layer(Chat::default()).call(request));
    tokio::task::yield_now().await;
    assert_eq!(layer.rules.gate.counts().held, 1);
    client.write_all(b"x").await.unwrap();
    stream.read_u8().await.unwrap();
    assert_eq!(held.await.unwrap().unwrap().status(), StatusCode::BAD_REQUEST);
    assert_eq!(layer.rules.gate.counts().held, 0);

    // A plain request may be followed by another.
    let mut request = plain("/");
    request.extensions_mut().insert(stream.link().clone());
    let held = tokio::spawn(layer.clone().everything().layer(Chat::default()).call(request));
    tokio::task::yield_now().await;
    client.write_all(b"GET").await.unwrap();
    stream.read_u8().await.unwrap();
    tokio::task::yield_now().await;
    assert!(!held.is_finished());
    held.abort();
}
