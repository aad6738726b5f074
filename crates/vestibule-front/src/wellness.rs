//! Requests that ask whether the service is well, which are never held.
//!
//! Owns the public health path, the ready path, and known probers. Must never say "ready" for a
//! service that was not seen ready.

use std::sync::Arc;

use http::Method;
use tokio::io::AsyncWriteExt;

use crate::after::After;
use crate::body::RequestFraming;
use crate::ending::{Ending, Party, Phase};
use crate::farewell::Reason;
use crate::head::Plain;
use crate::shared::Shared;
use crate::stream::Stream;
use crate::stream::steady::Steady;
use crate::upstream::dial::Dial;

const READY: &str = "{\"status\":\"ready\"}\n";
const NOT_READY: &str = "{\"status\":\"not_ready\"}\n";

/// Answers a request that is never held; `None` for all others, and for those of them that a
/// ready service answers itself.
pub async fn answer<S: Stream, D: Dial>(
    front: &Arc<Shared<D>>,
    client: &mut S,
    plain: &Plain,
) -> Option<After> {
    let settings = front.settings();
    let ready = front.readiness.state().is_ready();
    let asks = plain.method == Method::GET || plain.method == Method::HEAD;
    if asks && settings.public_health.as_deref() == Some(plain.path()) {
        // An unread body would be taken for the next head.
        let keep = plain.keep_alive && plain.framing == RequestFraming::None;
        let words = health(ready, plain.method == Method::HEAD, keep);
        return Some(match Steady::new(client).write_all(words.as_bytes()).await {
            Ok(()) if keep => After::Keep,
            Ok(()) => After::Over(Ending::new(Party::Door, Phase::Head)),
            Err(_) => After::Over(Ending::new(Party::Client, Phase::Head)),
        });
    }
    if !ready && is_probe(front, plain) {
        let ending = Ending::new(Party::Door, Phase::Head);
        return Some(After::Refuse(Reason::NotReady, ending));
    }
    None
}

/// Whether a request asks the service itself how it is. It is passed on, and never held.
pub fn is_probe<D: Dial>(front: &Arc<Shared<D>>, plain: &Plain) -> bool {
    let asks = plain.method == Method::GET || plain.method == Method::HEAD;
    plain.is_prober || (asks && front.settings().ready_path.as_deref() == Some(plain.path()))
}

fn health(ready: bool, head_only: bool, keep: bool) -> String {
    let (status, body) =
        if ready { ("200 OK", READY) } else { ("503 Service Unavailable", NOT_READY) };
    let length = body.len();
    let body = if head_only { "" } else { body };
    // HTTP/1.0 clients need to be told; to others it is no news.
    let connection = if keep { "keep-alive" } else { "close" };
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n\
         Connection: {connection}\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}
