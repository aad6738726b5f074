//! Peers that say too much, or something else.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use vestibule::check::{Reason, Stage, Trouble};
use vestibule_checks::{Kind, Options, Value};

use crate::asked::{check, text};
use crate::nats_server::TOKEN;

const INFO: &str = "INFO {\"version\":\"9\",\"headers\":true}\r\n";

/// Longer than any cap, as often as somebody takes it.
const ENDLESS: usize = 64 * 1024 * 1024;

/// A peer that says this at once, and this behind the first word that it hears; then the same without an end.
struct Liar {
    port: u16,
    took: Arc<AtomicUsize>,
    task: AbortHandle,
}

impl Liar {
    async fn says(first: &'static str, then: &'static str, again: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let took = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&took);
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _gone = lie(&mut stream, [first, then, again], &count).await;
            }
        });
        Self { port, took, task: task.abort_handle() }
    }

    /// What a try meets.
    async fn meets(&self) -> Trouble {
        let url = format!("nats://127.0.0.1:{}", self.port);
        let options = Options::url(url).with("token", text(TOKEN));
        let nats = check(Kind::Nats, &options.with("jetstream", Value::Switch(true)));
        nats.try_once(&Stage::default()).await.unwrap_err()
    }
}

impl Drop for Liar {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn lie(
    stream: &mut TcpStream,
    [first, then, again]: [&str; 3],
    took: &AtomicUsize,
) -> std::io::Result<()> {
    stream.write_all(first.as_bytes()).await?;
    if !then.is_empty() {
        let _some = stream.read(&mut [0; 1024]).await?;
        stream.write_all(then.as_bytes()).await?;
    }
    let endless = again.repeat(64 * 1024 / again.len().max(1));
    while !again.is_empty() && took.load(Ordering::Relaxed) < ENDLESS {
        stream.write_all(endless.as_bytes()).await?;
        took.fetch_add(endless.len(), Ordering::Relaxed);
    }
    while stream.read(&mut [0; 1024]).await? > 0 {}
    Ok(())
}

#[tokio::test]
async fn f28_what_does_not_speak_nats_is_told_with_its_first_bytes() {
    for (first, shown) in [
        ("HTTP/1.1 400 Bad Request\r\n\r\n", "no NATS: \"HTTP/1.1 400 Bad Request\\r\\n\\r\\n\""),
        ("SSH-2.0-OpenSSH_9.2\r\n", "no NATS: \"SSH-2.0-OpenSSH_9.2\\r\\n\""),
        ("\u{1b}]0;owned\u{7}", "no NATS: \"\\x1b]0;owned\\x07\""),
        ("INFO no json\r\n", "no NATS: \"INFO no json\\r\\n\""),
        ("PING\r\n", "it does not begin with INFO"),
    ] {
        let trouble = Liar::says(first, "", "").await.meets().await;
        assert_eq!((trouble.reason(), trouble.detail()), (Reason::Protocol, shown));
    }
}

#[tokio::test]
async fn a25_a_nats_peer_that_never_ends_costs_no_more_than_the_cap() {
    for (first, then, again) in [
        ("INFO {\"x\":\"", "", "aaaaaaaa"),
        (INFO, "PONG\r\nMSG _INBOX.x 1 65500\r\n", "aaaaaaaa"),
        (INFO, "PONG\r\n", "PING\r\n"),
        (INFO, "+OK\r\n", "+OK\r\n"),
        (INFO, "PONG\r\n", INFO),
        (INFO, "-ERR 'x", "aaaaaaaa"),
        (INFO, "PONG\r\nMSG _INBOX.x 1 999999999\r\n", "aaaaaaaa"),
    ] {
        let liar = Liar::says(first, then, again).await;
        let trouble = liar.meets().await;
        assert_eq!(trouble.reason(), Reason::TooLarge, "{first:?} {then:?}: {trouble}");
        let took = liar.took.load(Ordering::Relaxed);
        assert!(took < ENDLESS / 2, "{took} bytes were taken: only the kernel's buffers may");
    }
}

#[tokio::test]
async fn a32_a_nats_peer_that_repeats_who_we_are_is_not_repeated() {
    for then in ["-ERR 'I know canary-token'\r\n", "CONNECT canary-token\r\n"] {
        let trouble = Liar::says(INFO, then, "").await.meets().await;
        assert!(!trouble.detail().contains("canary"), "{trouble}");
    }
}

#[tokio::test]
async fn nats_words_in_the_clear_before_tls_are_believed_by_nobody() {
    let info = "INFO {\"version\":\"9\",\"tls_required\":true}\r\nPONG\r\n";
    let trouble = Liar::says(info, "", "").await.meets().await;
    assert_eq!(trouble.reason(), Reason::Protocol);
    assert!(
        trouble.detail().contains("before TLS") || trouble.detail().contains("where TLS begins")
    );
}

#[tokio::test]
async fn a_nats_peer_that_hangs_up_or_leaves_is_told() {
    let info = "INFO {\"version\":\"9\",\"ldm\":true}\r\n";
    assert_eq!(Liar::says(info, "", "").await.meets().await.reason(), Reason::LameDuck);
    let shutdown = Liar::says(INFO, "-ERR 'Server Shutdown'\r\n", "").await;
    assert_eq!(shutdown.meets().await.reason(), Reason::ShuttingDown);
}
