//! Peers that say too much, or something else.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tonic::transport::Server;
use vestibule::check::{Reason, Stage, Trouble};
use vestibule_checks::{Kind, Options, build};

use crate::asked::{check, text};
use crate::daemon::free_port;
use crate::grpc_server::serving;
use crate::of;

/// An empty SETTINGS frame (RFC 9113, section 6.5).
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];

/// A PING frame that asks for nothing (section 6.7): ACK.
const PING: &[u8] = &[0, 0, 8, 6, 1, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];

/// GOAWAY with ENHANCE_YOUR_CALM (section 7).
const CALM: &[u8] = &[0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 11];

/// GOAWAY without an error: it is leaving, and has taken nothing.
const LEAVING: &[u8] = &[0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// Longer than any cap, as often as somebody takes it.
const ENDLESS: usize = 64 * 1024 * 1024;

/// A peer that says this behind the first word that it hears, then the same without an end.
struct Liar {
    port: u16,
    took: Arc<AtomicUsize>,
    task: AbortHandle,
}

impl Liar {
    async fn says(first: &'static [u8], again: &'static [u8]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let took = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&took);
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _gone = lie(&mut stream, first, again, &count).await;
            }
        });
        Self { port, took, task: task.abort_handle() }
    }

    async fn meets(&self) -> Trouble {
        let options = Options::url(format!("grpc://127.0.0.1:{}", self.port));
        check(Kind::Grpc, &options).try_once(&Stage::default()).await.unwrap_err()
    }
}

impl Drop for Liar {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn lie(
    stream: &mut TcpStream,
    first: &[u8],
    again: &[u8],
    took: &AtomicUsize,
) -> std::io::Result<()> {
    let _some = stream.read(&mut [0; 1024]).await?;
    stream.write_all(first).await?;
    let endless = again.repeat(64 * 1024 / again.len().max(1));
    while !again.is_empty() && took.load(Ordering::Relaxed) < ENDLESS {
        stream.write_all(&endless).await?;
        took.fetch_add(endless.len(), Ordering::Relaxed);
    }
    while stream.read(&mut [0; 1024]).await? > 0 {}
    Ok(())
}

#[tokio::test]
async fn f28_what_does_not_speak_http_2_is_told_with_its_first_bytes() {
    for (first, shown) in [
        (
            &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
            "no HTTP/2: \"HTTP/1.1 400 Bad Request\\r\\n\\r\\n\"",
        ),
        (b"-ERR unknown command\r\n", "no HTTP/2: \"-ERR unknown command\\r\\n\""),
        (
            &[0x15, 3, 1, 0, 2, 2, 70, 0, 0, 0],
            "no HTTP/2: \"\\x15\\x03\\x01\\x00\\x02\\x02F\\x00\\x00\\x00\"",
        ),
    ] {
        let trouble = Liar::says(first, b"").await.meets().await;
        assert_eq!((trouble.reason(), trouble.detail()), (Reason::Protocol, shown));
    }
}

#[tokio::test]
async fn a25_a_grpc_peer_that_never_ends_costs_no_more_than_the_cap() {
    for (first, again) in
        [(SETTINGS, PING), (SETTINGS, SETTINGS), (b"HTTP/1.1 200 OK\r\n", b"x: y\r\n")]
    {
        let liar = Liar::says(first, again).await;
        let trouble = liar.meets().await;
        let reasons = [Reason::TooLarge, Reason::Protocol, Reason::Overloaded];
        assert!(reasons.contains(&trouble.reason()), "{trouble}");
        let took = liar.took.load(Ordering::Relaxed);
        assert!(took < ENDLESS / 2, "{took} bytes were taken: only the kernel's buffers may");
    }
}

#[tokio::test]
async fn grpc_that_is_leaving_or_wants_calm_is_told() {
    let said = |frame: &[u8]| [SETTINGS, frame].concat().leak() as &'static [u8];
    assert_eq!(Liar::says(said(CALM), b"").await.meets().await.reason(), Reason::Overloaded);
    assert_eq!(Liar::says(said(LEAVING), b"").await.meets().await.reason(), Reason::ShuttingDown);
}

#[tokio::test]
async fn grpc_without_a_health_service_is_told() {
    let port = free_port();
    let (_, service) = tonic_health::server::health_reporter();
    let other = tonic::service::interceptor::InterceptedService::new(service, |_| {
        Err(tonic::Status::unimplemented("no such method"))
    });
    let runtime = serving(port, Server::builder().add_service(other));
    let (reason, text, tries) = of(port).fails().await;
    assert_eq!((reason, tries), (Reason::Protocol, 1));
    assert_eq!(text, "it has no health service (UNIMPLEMENTED)");
    runtime.shutdown_background();
}

#[tokio::test]
async fn what_a_server_answers_instead_of_a_status_has_its_reason() {
    for (code, expected) in [
        (tonic::Code::Unavailable, Reason::NotServing),
        (tonic::Code::Unauthenticated, Reason::WrongCredentials),
        (tonic::Code::PermissionDenied, Reason::NotPermitted),
        (tonic::Code::ResourceExhausted, Reason::Overloaded),
        (tonic::Code::Internal, Reason::Other),
    ] {
        let port = free_port();
        let (_, service) = tonic_health::server::health_reporter();
        let answer = move |_| Err(tonic::Status::new(code, "in its words"));
        let other = tonic::service::interceptor::InterceptedService::new(service, answer);
        let runtime = serving(port, Server::builder().add_service(other));
        let (reason, text, _) = of(port).fails().await;
        assert_eq!(reason, expected, "{text}");
        assert!(text.ends_with(": in its words"), "{text}");
        runtime.shutdown_background();
    }
}

#[test]
fn a32_no_mistake_in_a_grpc_check_shows_a_value() {
    for options in [
        Options::url("canary://canary"),
        Options::url("grpc://canary:canary@h:1"),
        Options::url("grpc://canary"),
        Options::url("grpc://canary:1/canary"),
        Options::url("canary"),
        Options::url("grpc://canary:1").with("ca_file", text("canary")),
    ] {
        let flaws = build(Kind::Grpc, &options).err().expect("a mistake");
        assert!(!format!("{flaws:?}").contains("canary"), "{flaws:?}");
    }
}
