//! The last words to a client that gets nothing else.
//!
//! Owns writing a refusal and leaving so that it arrives. Must never echo anything of a
//! request, and never stay longer than a moment.

mod code;

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use vestibule::gate::Refusal;

use crate::body::BodyError;
use crate::head::{Handshake, HeadError};
use crate::refuse;
use crate::stream::scratch::read_once;
use crate::upstream::settle::Unsettled;
use crate::upstream::shortage::Shortage;

/// How long we read what a refused client still sends: closing with unread input would reset
/// the connection, and the refusal could be lost with it.
const LINGER: Duration = Duration::from_secs(2);
/// And how much of it.
const LINGER_BYTES_MAX: usize = 256 * 1024;
/// A browser that is closed at once after its accept counts it as a failed connection; some
/// clients then come back without any pause.
const CLOSE_AFTER_ACCEPT: Duration = Duration::from_secs(1);
/// What we lack comes back as others end: so long, and up to twice so long, a client should stay away.
const SHORT_RETRY: Duration = Duration::from_secs(2);
/// How long writing a refusal may take.
const WRITE_MAX: Duration = Duration::from_secs(5);

/// How a handshake is refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// With an HTTP status, before the upgrade.
    #[default]
    Http,
    /// Accepted, then closed with 1013: browsers hide the status of a failed handshake.
    Close,
}

/// Why a client is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// The gate refused it.
    #[error("{}", .0.code())]
    Gate(Refusal),
    /// Its head is not acceptable.
    #[error("{0}")]
    Head(HeadError),
    /// Its head took too long.
    #[error("head_timeout")]
    HeadTimeout,
    /// It spoke before its handshake was answered.
    #[error("early_bytes")]
    EarlyBytes,
    /// The service is not ready, and this request is never held.
    #[error("not_ready")]
    NotReady,
    /// The service could not be reached, or broke off before it answered.
    #[error("unreachable")]
    Unreachable,
    /// We lack what a connection to the service needs.
    #[error("short: {0}")]
    Short(Shortage),
    /// The last try of a hand-over did not settle.
    #[error("unsettled: {0}")]
    Unsettled(Unsettled),
    /// The service answered, but not as the protocol wants it.
    #[error("upstream_defect")]
    UpstreamDefect,
    /// Its body is not framed as the protocol wants it.
    #[error("{0}")]
    Body(BodyError),
}

/// Says it over HTTP and leaves.
pub async fn over_http<S>(client: &mut S, reason: &Reason)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    last_words(client, &http_words(reason)).await;
}

/// Says it in answer to a HEAD request, without a body (RFC 9110 section 9.3.2), and leaves.
pub async fn over_http_to_head<S>(client: &mut S, reason: &Reason)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    last_words(client, &refuse::without_body(http_words(reason))).await;
}

/// Accepts the handshake, and a second later closes with 1013 and leaves.
pub async fn over_websocket<S>(client: &mut S, handshake: &Handshake, refusal: &Refusal)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let retry_ms = u64::try_from(retry_after(refusal).as_millis()).unwrap_or(u64::MAX);
    let (head, close) = refuse::websocket_refusal(handshake, retry_ms);
    if !matches!(timeout(WRITE_MAX, client.write_all(&head)).await, Ok(Ok(()))) {
        return;
    }
    // What the client says meanwhile is read and dropped, so that the Close is not reset away.
    let close_at = Instant::now() + CLOSE_AFTER_ACCEPT;
    if read_on(client, close_at).await == Heard::Left {
        return;
    }
    sleep_until(close_at).await;
    last_words(client, &close).await;
}

/// Closes our side and reads to the peer's end, for a moment.
pub async fn leave<S>(client: &mut S)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    if client.shutdown().await.is_ok() {
        read_on(client, Instant::now() + LINGER).await;
    }
}

async fn last_words<S>(client: &mut S, words: &[u8])
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    if matches!(timeout(WRITE_MAX, client.write_all(words)).await, Ok(Ok(()))) {
        leave(client).await;
    }
}

/// What came of reading on.
#[derive(PartialEq, Eq)]
enum Heard {
    /// The client has ended its side.
    Left,
    /// It is still there, or says more than we care to read.
    Enough,
}

async fn read_on<S: AsyncRead + Unpin>(client: &mut S, until: Instant) -> Heard {
    let mut read = 0;
    while read < LINGER_BYTES_MAX {
        match timeout_at(until, read_once(client, LINGER_BYTES_MAX, |_| ())).await {
            Ok(Ok(count)) if count > 0 => read += count,
            Ok(_) => return Heard::Left,
            Err(_elapsed) => return Heard::Enough,
        }
    }
    Heard::Enough
}

/// Spread over the whole range: those that are refused together must not come back together.
fn retry_after(refusal: &Refusal) -> Duration {
    let (least, most) = refusal.retry_after_range();
    least + most.saturating_sub(least).mul_f64(fastrand::f64())
}

fn http_words(reason: &Reason) -> Vec<u8> {
    let bad_gateway = |code, detail: &str| refuse::http_refusal(502, code, detail, None, &[]);
    match reason {
        Reason::Gate(refusal) => refuse::http_refusal(
            503,
            refusal.code(),
            &refusal.to_string(),
            Some(retry_after(refusal)),
            &[],
        ),
        Reason::Head(HeadError::Http2) => refuse::http2_refusal(),
        Reason::Head(error) => refuse::head_refusal(*error),
        Reason::Body(error) => {
            refuse::http_refusal(400, error.code(), &error.to_string(), None, &[])
        }
        Reason::HeadTimeout => {
            refuse::http_refusal(408, "head_timeout", "the request's head took too long", None, &[])
        }
        Reason::EarlyBytes => refuse::http_refusal(
            400,
            "early_bytes",
            "bytes came before the handshake was answered (RFC 6455 section 4.1)",
            None,
            &[],
        ),
        Reason::NotReady => {
            let soon = Some(Duration::from_secs(1));
            refuse::http_refusal(503, "not_ready", "the service is not ready", soon, &[])
        }
        Reason::Short(_) => {
            let detail = "the door can make no connection to the service just now";
            let wait = SHORT_RETRY.mul_f64(1.0 + fastrand::f64());
            refuse::http_refusal(503, "short", detail, Some(wait), &[])
        }
        Reason::Unreachable => {
            bad_gateway("unreachable", "the service could not be reached, or broke off")
        }
        Reason::Unsettled(_) => bad_gateway(
            "unsettled",
            "the service did not take the handshake, even when asked again",
        ),
        Reason::UpstreamDefect => {
            bad_gateway("upstream_defect", "the service's answer breaks the protocol")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Would break if everyone who is refused at once were told the same moment.
    #[test]
    fn a23_those_refused_together_are_told_to_come_back_apart() {
        let (least, most) = Refusal::QueueFull.retry_after_range();
        let told: Vec<_> = (0..200).map(|_| retry_after(&Refusal::QueueFull)).collect();
        assert!(told.iter().all(|wait| (least..=most).contains(wait)));
        let quarter = (most - least) / 4;
        assert!(told.iter().any(|wait| *wait < least + quarter));
        assert!(told.iter().any(|wait| *wait > most - quarter));
    }
}
