//! Plain requests: everything on the public port that is not a handshake.
//!
//! Owns one exchange with the upstream. Must never read a body before the request is admitted,
//! never send a request twice unless nothing of it can have been seen or it is idempotent, and
//! never let one client's bytes meet another's answer.

pub mod answer;
pub mod upload;

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, HOST, HeaderValue, TRANSFER_ENCODING};
use http::{Method, Request, Response, Uri};
use http_body::Body as _;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::Instant;
use vestibule::gate::{GiveUp, Permit, Refusal};

use crate::body::{self, RequestFraming};
use crate::ending::{Ending, Party, Phase};
use crate::farewell::Reason;
use crate::front::Shared;
use crate::head::{HeadReader, Plain};
use crate::proxy::answer::BodyWay;
use crate::proxy::upload::{Upload, Uploaded};
use crate::stream::Stream;
use crate::upstream::dial::{Dial, nobody_listens};
use crate::upstream::pool::{self, Lent};

/// Interim answers passed on for one request; more are dropped.
const INTERIM_MAX: usize = 16;

/// What becomes of the client's connection after an exchange.
#[derive(Debug)]
pub enum After {
    /// It may bring the next request.
    Keep,
    /// It is over.
    Over(Ending),
    /// It is over once the client has been told this.
    Refuse(Reason, Ending),
}

/// Passes one admitted request on, and its answer back.
pub async fn exchange<S: Stream, D: Dial>(
    front: &Arc<Shared<D>>,
    client: &mut S,
    reader: &mut HeadReader,
    plain: Plain,
    permit: Permit,
) -> After {
    let lent = match lend(front, client, permit).await {
        Ok(lent) => lent,
        Err(after) => return after,
    };
    let (upload, source) = Upload::of(plain.framing);
    if plain.expects_continue && source.is_some() && reader.is_empty() {
        // Admitted, and the upstream is there: the client may send (RFC 9110 section 10.1.1).
        if client.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.is_err() {
            return After::Over(Ending::new(Party::Client, Phase::Settling));
        }
    }
    let mut buffer = BytesMut::from(reader.take_pending().as_slice());
    let keep = plain.keep_alive && !front.drain.has_begun();
    let (mut read, write) = tokio::io::split(client);
    let mut download = Box::pin(download(front, plain, upload, lent, write, keep));
    let (uploaded, downloaded) = match source {
        None => (Uploaded::Whole, download.await),
        Some(source) => {
            let mut upload = Box::pin(source.pump(&mut read, &mut buffer));
            tokio::select! {
                // The upstream answered before it had everything: the rest is unwanted.
                downloaded = &mut download => (Uploaded::Unwanted, downloaded),
                uploaded = &mut upload => match uploaded {
                    Uploaded::Whole | Uploaded::Unwanted => (uploaded, download.await),
                    Uploaded::Left => {
                        return After::Over(Ending::new(Party::Client, Phase::Settling));
                    }
                    Uploaded::Broken(error) => {
                        tracing::info!(%error, "a request body broke off");
                        return After::Over(Ending::new(Party::Client, Phase::Settling));
                    }
                },
            }
        }
    };
    reader.feed(&buffer);
    match downloaded {
        Downloaded::Whole if keep && matches!(uploaded, Uploaded::Whole) => After::Keep,
        Downloaded::Whole => After::Over(Ending::new(Party::Door, Phase::Settling)),
        Downloaded::ClientLeft => After::Over(Ending::new(Party::Client, Phase::Settling)),
        Downloaded::BrokeOff => After::Over(Ending::new(Party::Upstream, Phase::Settling)),
        Downloaded::Nothing(reason) => {
            After::Refuse(reason, Ending::new(Party::Upstream, Phase::Settling))
        }
    }
}

/// A connection to send on; while nobody listens, the request waits in the queue again.
async fn lend<S: Stream, D: Dial>(
    front: &Arc<Shared<D>>,
    client: &S,
    mut permit: Permit,
) -> Result<Lent, After> {
    loop {
        if let Some(lent) = front.pool.idle(Instant::now()).await {
            permit.answered();
            return Ok(lent);
        }
        let error = match pool::connect(&front.dial).await {
            Ok(lent) => {
                permit.answered();
                return Ok(lent);
            }
            Err(error) => error,
        };
        if !nobody_listens(&error) {
            tracing::warn!(%error, "could not reach the service");
            let ending = Ending::new(Party::Upstream, Phase::Dialling);
            return Err(After::Refuse(Reason::Unreachable, ending));
        }
        front.service.lost("it refuses connections", Instant::now());
        let again = tokio::select! {
            again = permit.retry() => again,
            () = client.left() => return Err(After::Over(Ending::new(Party::Client, Phase::Held))),
        };
        permit = again.map_err(|given_up| match given_up {
            GiveUp::Refused(refusal) => of_gate(refusal),
            GiveUp::LastAnswer => {
                After::Refuse(Reason::Unreachable, Ending::new(Party::Upstream, Phase::Dialling))
            }
        })?;
    }
}

fn of_gate(refusal: Refusal) -> After {
    After::Refuse(Reason::Gate(refusal), Ending::new(Party::Door, Phase::Held))
}

#[derive(Debug)]
enum Downloaded {
    Whole,
    ClientLeft,
    /// The upstream broke off in the middle of its answer.
    BrokeOff,
    /// Nothing of an answer has been written: a clean refusal is still possible.
    Nothing(Reason),
}

async fn download<D: Dial, W: AsyncWrite + Unpin>(
    front: &Arc<Shared<D>>,
    plain: Plain,
    upload: Upload,
    lent: Lent,
    mut write: W,
    keep: bool,
) -> Downloaded {
    let (method, version) = (plain.method.clone(), plain.version);
    let (interim, mut interims) = mpsc::channel::<Vec<u8>>(INTERIM_MAX);
    let mut sending = Box::pin(send(front, plain, upload, lent, interim));
    let sent = loop {
        tokio::select! {
            biased;
            Some(head) = interims.recv() => if write.write_all(&head).await.is_err() {
                return Downloaded::ClientLeft;
            },
            sent = &mut sending => break sent,
        }
    };
    let Some((answer, sender)) = sent else { return Downloaded::Nothing(Reason::Unreachable) };
    let (parts, mut incoming) = answer.into_parts();
    let way = match answer::way(&parts, &method, version) {
        Ok(way) => way,
        Err(unfit) => {
            tracing::warn!(%unfit, "the service's answer was not passed on");
            return Downloaded::Nothing(Reason::UpstreamDefect);
        }
    };
    let keep = keep && way != BodyWay::UntilEnd;
    if write.write_all(&answer::head(&parts, way, keep, version)).await.is_err() {
        return Downloaded::ClientLeft;
    }
    if way != BodyWay::None {
        match relay_body(&mut incoming, way, &mut write).await {
            Downloaded::Whole => {}
            other => return other,
        }
    }
    if incoming.is_end_stream() || way != BodyWay::None {
        front.pool.give_back(sender, Instant::now());
    }
    Downloaded::Whole
}

async fn relay_body<W: AsyncWrite + Unpin>(
    incoming: &mut Incoming,
    way: BodyWay,
    write: &mut W,
) -> Downloaded {
    let mut trailers = None;
    let mut chunk = BytesMut::new();
    while let Some(frame) = incoming.frame().await {
        let Ok(frame) = frame else { return Downloaded::BrokeOff };
        match frame.into_data() {
            Ok(data) if data.is_empty() => {}
            Ok(data) => {
                let written = if way == BodyWay::Chunked {
                    chunk.clear();
                    body::encode_chunk(&data, &mut chunk);
                    write.write_all(&chunk).await
                } else {
                    write.write_all(&data).await
                };
                if written.is_err() {
                    return Downloaded::ClientLeft;
                }
            }
            Err(frame) => trailers = frame.into_trailers().ok(),
        }
    }
    let last = match way {
        BodyWay::Chunked => body::last_chunk(trailers.as_ref()),
        _ => Bytes::new(),
    };
    match write.write_all(&last).await {
        Ok(()) => Downloaded::Whole,
        Err(_) => Downloaded::ClientLeft,
    }
}

type Sender = hyper::client::conn::http1::SendRequest<Upload>;

/// Sends the request; once more on a fresh connection if a pooled one was dead before any
/// answer, and either nothing of the request was written or it is idempotent and has no body.
async fn send<D: Dial>(
    front: &Arc<Shared<D>>,
    plain: Plain,
    upload: Upload,
    mut lent: Lent,
    interim: mpsc::Sender<Vec<u8>>,
) -> Option<(Response<Incoming>, Sender)> {
    let repeatable = is_idempotent(&plain.method) && matches!(plain.framing, RequestFraming::None);
    let mut request = request(&plain, upload, &interim);
    loop {
        let reused = lent.reused;
        let mut failed = match lent.sender.try_send_request(request).await {
            Ok(answer) => return Some((answer, lent.sender)),
            Err(failed) => failed,
        };
        let unsent = failed.take_message();
        let error = failed.into_error();
        request = match unsent {
            Some(unsent) if reused => unsent,
            None if reused && repeatable && !error.is_parse() => {
                self::request(&plain, Upload::none(), &interim)
            }
            _ => {
                tracing::warn!(%error, "the service did not answer a request");
                return None;
            }
        };
        lent = pool::connect(&front.dial).await.ok()?;
    }
}

fn request(plain: &Plain, upload: Upload, interim: &mpsc::Sender<Vec<u8>>) -> Request<Upload> {
    let mut request = Request::new(upload);
    *request.method_mut() = plain.method.clone();
    *request.uri_mut() = Uri::from(plain.target.clone());
    let fields = request.headers_mut();
    fields.clone_from(&plain.fields);
    fields.remove(CONTENT_LENGTH);
    fields.remove(TRANSFER_ENCODING);
    if !fields.contains_key(HOST) {
        // HTTP/1.0 has none, and HTTP/1.1 must: an old prober's request goes on as ours.
        fields.insert(HOST, HeaderValue::from_static("localhost"));
    }
    if let RequestFraming::Length(length) = plain.framing {
        fields.insert(CONTENT_LENGTH, length.into());
    }
    let interim = interim.clone();
    hyper::ext::on_informational(&mut request, move |answer| {
        // We have answered 100 ourselves; others beyond the bound are dropped.
        if answer.status() != http::StatusCode::CONTINUE {
            let _ = interim.try_send(answer::interim(answer.status(), answer.headers()));
        }
    });
    request
}

/// RFC 9110 section 9.2.2.
fn is_idempotent(method: &Method) -> bool {
    method.is_idempotent()
}
