//! The form of every answer.
//!
//! Owns its fields and its body. Must never echo anything of a request, and never be kept by
//! anybody: whatever is said here is true for a moment.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{
    ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName,
    RETRY_AFTER, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, Response, StatusCode};
use http_body::{Frame, SizeHint};
use tokio::sync::mpsc;
use vestibule::health::Document;

use super::guard::Turned;

/// What goes back.
pub(super) type Reply = Response<Body>;

const TEXT: &str = "text/plain; charset=utf-8";
/// <https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md>
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// <https://html.spec.whatwg.org/multipage/server-sent-events.html>
const EVENT_STREAM: &str = "text/event-stream";

/// On every answer, whatever it is.
const ALWAYS: [(HeaderName, &str); 4] = [
    (CACHE_CONTROL, "no-store"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (CONTENT_SECURITY_POLICY, "default-src 'none'"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// The body of an answer.
#[derive(Debug)]
pub(super) enum Body {
    /// All of it, until it is taken.
    Whole(Bytes),
    /// A part now and then, as long as somebody says something.
    Parts(mpsc::Receiver<Bytes>),
}

impl Body {
    /// Whether more of it may come for as long as somebody listens.
    pub(super) const fn is_stream(&self) -> bool {
        matches!(self, Self::Parts(_))
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut *self {
            Self::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Self::Parts(parts) => parts.poll_recv(cx).map(|part| part.map(Frame::data).map(Ok)),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Parts(_) => SizeHint::default(),
        }
    }
}

/// A plain text.
pub(super) fn text(status: u16, words: &str) -> Reply {
    whole(status, TEXT, Bytes::copy_from_slice(words.as_bytes()))
}

/// The health document.
pub(super) fn json(document: &Document) -> Reply {
    match serde_json::to_vec_pretty(document) {
        Ok(mut words) => {
            words.push(b'\n');
            whole(200, "application/json", words.into())
        }
        Err(_) => text(500, "no document\n"),
    }
}

/// A scrape.
pub(super) fn metrics(scrape: String) -> Reply {
    whole(200, OPEN_METRICS, scrape.into())
}

/// The stream that `parts` feeds.
pub(super) fn events(parts: mpsc::Receiver<Bytes>) -> Reply {
    reply(200, EVENT_STREAM, Body::Parts(parts))
}

/// The head of the stream, for who asked for no more.
pub(super) fn no_events() -> Reply {
    whole(200, EVENT_STREAM, Bytes::new())
}

/// Too many follow along already.
pub(super) fn too_many_followers() -> Reply {
    let mut reply = text(503, "as many as may be follow along already\n");
    reply.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("10"));
    reply
}

/// The same answer to a HEAD request (RFC 9110 section 9.3.2).
pub(super) fn without_body(reply: Reply) -> Reply {
    let (mut parts, body) = reply.into_parts();
    if let Body::Whole(bytes) = body {
        parts.headers.insert(http::header::CONTENT_LENGTH, bytes.len().into());
    }
    Response::from_parts(parts, Body::Whole(Bytes::new()))
}

/// The same answer as the last of its connection: what is left of a body must not be taken for the next request.
pub(super) fn and_close(mut reply: Reply) -> Reply {
    reply.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    reply
}

/// What somebody hears that the guard did not admit.
pub(super) fn turned_away(turned: Turned) -> Reply {
    let mut reply = text(turned.status(), turned.words());
    let fields = reply.headers_mut();
    match turned {
        Turned::Method => {
            fields.insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        }
        Turned::NotPost => {
            fields.insert(ALLOW, HeaderValue::from_static("POST"));
        }
        Turned::Token => {
            fields.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        Turned::Body => return and_close(reply),
        Turned::Host | Turned::Origin | Turned::NoRoute => {}
    }
    reply
}

fn whole(status: u16, kind: &'static str, words: Bytes) -> Reply {
    reply(status, kind, Body::Whole(words))
}

fn reply(status: u16, kind: &'static str, body: Body) -> Reply {
    let mut reply = Response::new(body);
    *reply.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let fields = reply.headers_mut();
    fields.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    for (name, value) in ALWAYS {
        fields.insert(name, HeaderValue::from_static(value));
    }
    reply
}
