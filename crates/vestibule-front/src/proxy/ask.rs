//! A plain request on its way up.
//!
//! Owns how it is written and whether it may be sent a second time. Must never send one twice
//! that the upstream may have acted on.

use std::sync::Arc;

use http::header::{CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri};
use hyper::body::Incoming;
use vestibule::gate::Arrival;

use crate::body::RequestFraming;
use crate::farewell::Reason;
use crate::head::{Plain, Version};
use crate::proxy::answer;
use crate::proxy::interims::Interims;
use crate::proxy::lend::{Wanted, lend_again};
use crate::shared::Shared;
use crate::upstream::dial::Dial;
use crate::upstream::pool::Lent;
use crate::upstream::requests::Kind;
use crate::upstream::upload::Upload;

/// A request, and on which terms it may wait for a connection.
pub(super) struct Asking {
    pub(super) plain: Plain,
    pub(super) wanted: Wanted,
    /// What it declared to the gate, for a second hold.
    pub(super) arrival: Arrival,
}

pub(super) type Sender = hyper::client::conn::http1::SendRequest<Upload>;

/// Sends the request; once more on a fresh connection if a pooled one was dead before any
/// answer, and either nothing of the request was written or it is idempotent and has no body.
pub(super) async fn send<D: Dial>(
    front: &Arc<Shared<D>>,
    asking: &Asking,
    upload: Upload,
    mut lent: Lent,
    interims: &Arc<Interims>,
) -> Result<(Response<Incoming>, Sender), Reason> {
    let plain = &asking.plain;
    // RFC 9110 section 9.2.2.
    let repeatable = plain.method.is_idempotent() && matches!(plain.framing, RequestFraming::None);
    let mut request = request(plain, upload, interims);
    loop {
        // Only a connection from the pool is reused, and the second one never is.
        let reused = lent.reused;
        front.upstream_requests.begin(Kind::Plain);
        let mut failed = match lent.sender.try_send_request(request).await {
            Ok(answer) => return Ok((answer, lent.sender)),
            Err(failed) => failed,
        };
        let unsent = failed.take_message();
        if unsent.is_some() {
            front.upstream_requests.take_back(Kind::Plain);
        }
        let error = failed.into_error();
        request = match unsent {
            Some(unsent) if reused => unsent,
            None if reused && repeatable && !error.is_parse() => {
                self::request(plain, Upload::none(), interims)
            }
            _ => {
                tracing::warn!(%error, "the service did not answer a request");
                return Err(Reason::Unreachable);
            }
        };
        lent = lend_again(front, asking.arrival, asking.wanted).await?;
    }
}

fn request(plain: &Plain, upload: Upload, interims: &Arc<Interims>) -> Request<Upload> {
    let mut request = Request::new(upload);
    *request.method_mut() = plain.method.clone();
    *request.uri_mut() = Uri::from(plain.target.clone());
    let fields = request.headers_mut();
    fields.clone_from(&plain.fields);
    // HTTP/1.0 may lack it, HTTP/1.1, which we speak, may not (RFC 9112 section 3.2).
    fields.entry(HOST).or_insert(HeaderValue::from_static(""));
    fields.remove(CONTENT_LENGTH);
    fields.remove(TRANSFER_ENCODING);
    match plain.framing {
        RequestFraming::None => {}
        RequestFraming::Length(length) => {
            fields.insert(CONTENT_LENGTH, length.into());
        }
        // Said aloud: without it hyper drops the body of a GET in silence.
        RequestFraming::Chunked => {
            fields.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        }
    }
    if has_meaningless_body(plain) {
        fields.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    // HTTP/1.0 has no interim answers (RFC 9110 section 15.2).
    let passes = plain.version == Version::Http11;
    let interims = Arc::clone(interims);
    hyper::ext::on_informational(&mut request, move |answer| {
        // We have answered 100 ourselves.
        let passes = passes && answer.status() != StatusCode::CONTINUE;
        interims.came(passes.then(|| answer::interim(answer.status(), answer.headers())));
    });
    request
}

/// A body where none has a meaning (RFC 9110 section 9.3): a service that ignores it would read it as
/// the next request of the connection, so the connection is asked to end behind this one.
pub(super) fn has_meaningless_body(plain: &Plain) -> bool {
    let without_meaning = plain.method.is_safe() || plain.method == Method::DELETE;
    without_meaning && !matches!(plain.framing, RequestFraming::None | RequestFraming::Length(0))
}
