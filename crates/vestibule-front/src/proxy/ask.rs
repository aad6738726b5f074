//! A plain request on its way up.
//!
//! Owns how it is written and whether it may be sent a second time. Must never send one twice
//! that the upstream may have acted on.

use std::sync::Arc;

use http::header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::{HeaderValue, Request, Response, StatusCode, Uri};
use hyper::body::Incoming;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::body::RequestFraming;
use crate::farewell::Reason;
use crate::head::{Plain, Version};
use crate::proxy::answer;
use crate::proxy::lend::{Wanted, lend_again};
use crate::shared::Shared;
use crate::upstream::dial::Dial;
use crate::upstream::pool::Lent;
use crate::upstream::upload::Upload;

/// A request, and on which terms it may wait for a connection.
pub(super) struct Asking {
    pub(super) plain: Plain,
    pub(super) wanted: Wanted,
    /// Until when it may be held.
    pub(super) deadline: Instant,
}

pub(super) type Sender = hyper::client::conn::http1::SendRequest<Upload>;

/// Sends the request; once more on a fresh connection if a pooled one was dead before any
/// answer, and either nothing of the request was written or it is idempotent and has no body.
pub(super) async fn send<D: Dial>(
    front: &Arc<Shared<D>>,
    asking: &Asking,
    upload: Upload,
    mut lent: Lent,
    interim: mpsc::Sender<Vec<u8>>,
) -> Result<(Response<Incoming>, Sender), Reason> {
    let plain = &asking.plain;
    // RFC 9110 section 9.2.2.
    let repeatable = plain.method.is_idempotent() && matches!(plain.framing, RequestFraming::None);
    let mut request = request(plain, upload, &interim);
    loop {
        // Only a connection from the pool is reused, and the second one never is.
        let reused = lent.reused;
        let mut failed = match lent.sender.try_send_request(request).await {
            Ok(answer) => return Ok((answer, lent.sender)),
            Err(failed) => failed,
        };
        let unsent = failed.take_message();
        let error = failed.into_error();
        request = match unsent {
            Some(unsent) if reused => unsent,
            None if reused && repeatable && !error.is_parse() => {
                self::request(plain, Upload::none(), &interim)
            }
            _ => {
                tracing::warn!(%error, "the service did not answer a request");
                return Err(Reason::Unreachable);
            }
        };
        lent = lend_again(front, asking.deadline, asking.wanted).await?;
    }
}

fn request(plain: &Plain, upload: Upload, interim: &mpsc::Sender<Vec<u8>>) -> Request<Upload> {
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
    if plain.version == Version::Http10 {
        // It has no interim answers (RFC 9110 section 15.2).
        return request;
    }
    let interim = interim.clone();
    hyper::ext::on_informational(&mut request, move |answer| {
        // We have answered 100 ourselves; others beyond the bound are dropped.
        if answer.status() != StatusCode::CONTINUE {
            let _ = interim.try_send(answer::interim(answer.status(), answer.headers()));
        }
    });
    request
}
