//! An answer on its way down.
//!
//! Owns its order: interim answers, head, body, trailers. Must never let a part of an answer
//! look like all of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::{Bytes, BytesMut};
use http_body::Body as _;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::time::Instant;

use crate::body;
use crate::farewell::Reason;
use crate::proxy::answer::{self, BodyWay};
use crate::proxy::ask::{self, Asking};
use crate::proxy::interims::Interims;
use crate::shared::Shared;
use crate::stream::Stream;
use crate::stream::borrowed::Borrowed;
use crate::stream::steady::Steady;
use crate::upstream::dial::Dial;
use crate::upstream::pool::Lent;
use crate::upstream::upload::Upload;

/// How an answer came down.
#[derive(Debug)]
pub(super) enum Downloaded {
    /// All of it; `keep` as the client was told.
    Whole {
        keep: bool,
    },
    ClientLeft,
    /// The upstream broke off in the middle; `end_is_end` when the end of the client's
    /// connection would look like the end of the answer.
    BrokeOff {
        end_is_end: bool,
    },
    /// Nothing of an answer has been written: a clean refusal is still possible.
    Nothing(Reason),
}

/// What the two ways of an exchange know of each other.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// The request has been read to its end.
    pub(super) uploaded: AtomicBool,
    /// Something of the final answer has been written.
    pub(super) answering: AtomicBool,
}

pub(super) async fn download<S: Stream, D: Dial>(
    front: &Arc<Shared<D>>,
    asking: Asking,
    upload: Upload,
    lent: Lent,
    client: &S,
    keep: bool,
    progress: &Progress,
) -> Downloaded {
    let mut write = Steady::new(Borrowed(client));
    let (interims, mut heads) = Interims::new();
    let mut sending = Box::pin(ask::send(front, &asking, upload, lent, &interims));
    let sent = loop {
        tokio::select! {
            biased;
            () = interims.flooded() => {
                tracing::warn!("the service sent interim answers without end");
                return Downloaded::Nothing(Reason::UpstreamDefect);
            }
            Some(head) = heads.recv() => if write.write_all(&head).await.is_err() {
                return Downloaded::ClientLeft;
            },
            sent = &mut sending => break sent,
        }
    };
    drop(sending);
    let (answer, sender) = match sent {
        Ok(sent) => sent,
        Err(reason) => return Downloaded::Nothing(reason),
    };
    // Another thread may have put some between our last look and the answer.
    while let Ok(head) = heads.try_recv() {
        if write.write_all(&head).await.is_err() {
            return Downloaded::ClientLeft;
        }
    }
    let (parts, mut incoming) = answer.into_parts();
    let (method, version) = (&asking.plain.method, asking.plain.version);
    let way = match answer::way(&parts, method, version) {
        Ok(way) => way,
        Err(unfit) => {
            tracing::warn!(%unfit, "the service's answer was not passed on");
            return Downloaded::Nothing(Reason::UpstreamDefect);
        }
    };
    // What is left of a body that nobody wants can't be told from the next head.
    let uploaded = progress.uploaded.load(Ordering::Relaxed);
    let keep = keep && uploaded && way != BodyWay::UntilEnd;
    progress.answering.store(true, Ordering::Relaxed);
    front.journal.plain_answered(parts.status.as_u16());
    if write.write_all(&answer::head(&parts, way, keep, version)).await.is_err() {
        return Downloaded::ClientLeft;
    }
    if way != BodyWay::None {
        match relay_body(&mut incoming, way, &mut write).await {
            Relayed::Whole => {}
            Relayed::ClientLeft => return Downloaded::ClientLeft,
            Relayed::BrokeOff => {
                return Downloaded::BrokeOff { end_is_end: way == BodyWay::UntilEnd };
            }
        }
    }
    let reusable = uploaded && !ask::has_meaningless_body(&asking.plain);
    if reusable && (way != BodyWay::None || incoming.is_end_stream()) {
        front.pool.give_back(sender, Instant::now());
    }
    Downloaded::Whole { keep }
}

enum Relayed {
    Whole,
    ClientLeft,
    BrokeOff,
}

async fn relay_body<W: AsyncWrite + Unpin>(
    incoming: &mut Incoming,
    way: BodyWay,
    write: &mut Steady<W>,
) -> Relayed {
    let mut trailers = None;
    let mut chunk = BytesMut::new();
    while let Some(frame) = incoming.frame().await {
        let Ok(frame) = frame else { return Relayed::BrokeOff };
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
                    return Relayed::ClientLeft;
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
        Ok(()) => Relayed::Whole,
        Err(_) => Relayed::ClientLeft,
    }
}
