//! The three actors, and the patience that every test has with them.
//!
//! Must never sleep and hope: a test waits for what it wants to see, and gives up loudly.

use std::time::Duration;

use tokio::task::yield_now;
use tokio::time::{sleep, timeout};

#[path = "actors/client.rs"]
pub(crate) mod client;
#[path = "actors/door.rs"]
pub(crate) mod door;
#[path = "actors/ears.rs"]
pub(crate) mod ears;
#[path = "actors/service.rs"]
pub(crate) mod service;

/// RFC 6455 section 1.3: its own example, so that the expected answer is known without our code.
pub(crate) const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
/// The answer to [`KEY`].
pub(crate) const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
/// A place that a client left must be free within this (A4).
pub(crate) const PLACE_FREED_WITHIN: Duration = Duration::from_millis(50);

const WATCHDOG: Duration = Duration::from_secs(20);
const CONDITION_MAX: Duration = Duration::from_secs(10);
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// Runs a test under a watchdog.
pub(crate) async fn watched<T>(test: impl Future<Output = T>) -> T {
    timeout(WATCHDOG, test).await.expect("the watchdog ended the test")
}

/// Waits until `seen` holds.
pub(crate) async fn until(what: &str, seen: impl FnMut() -> bool) {
    assert!(comes_true(CONDITION_MAX, seen).await, "never came true: {what}");
}

/// Whether `seen` holds within `limit`. A busy machine may stop this process for as long: then the front gets a
/// few turns of its own before it is judged.
pub(crate) async fn comes_true(limit: Duration, mut seen: impl FnMut() -> bool) -> bool {
    let looking = async {
        while !seen() {
            sleep(LOOK_AGAIN).await;
        }
    };
    if timeout(limit, looking).await.is_ok() {
        return true;
    }
    for _ in 0..16 {
        yield_now().await;
    }
    seen()
}

/// The head of a handshake, with `extra` field lines, each ended by CRLF.
pub(crate) fn handshake(path: &str, extra: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: chat.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n{extra}\r\n"
    )
}

/// The head of a plain request, with `extra` field lines.
pub(crate) fn request(method: &str, path: &str, extra: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: chat.test\r\n{extra}\r\n")
}

/// The 101 that proves to have read [`KEY`].
pub(crate) fn switching(extra: &str) -> String {
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {ACCEPT}\r\n{extra}\r\n"
    )
}

/// A whole answer with a length.
pub(crate) fn answer(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// A server's text frame.
pub(crate) fn text(words: &str) -> Vec<u8> {
    let length = u8::try_from(words.len()).ok().filter(|length| *length < 126).expect("short");
    [&[0x81, length], words.as_bytes()].concat()
}

/// A server's Close.
pub(crate) fn close(code: u16) -> Vec<u8> {
    [&[0x88, 2], &code.to_be_bytes()[..]].concat()
}

/// A client's Close, masked with zeros.
pub(crate) fn masked_close(code: u16) -> Vec<u8> {
    [&[0x88, 0x82, 0, 0, 0, 0], &code.to_be_bytes()[..]].concat()
}
