//! Plain requests: everything on the public port that is not a handshake.
//!
//! Owns one exchange with the upstream. Must never read a body before the request is admitted,
//! never send a request twice unless nothing of it can have been seen or it is idempotent, and
//! never let one client's bytes meet another's answer.

pub mod answer;
mod ask;
mod download;
mod interims;
mod lend;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::BytesMut;
use tokio::io::AsyncWriteExt;
use vestibule::gate::Permit;

use crate::after::After;
use crate::ending::{Ending, Party, Phase};
use crate::farewell::Reason;
use crate::head::{HeadReader, Plain};
use crate::proxy::ask::Asking;
use crate::proxy::download::{Downloaded, Progress};
use crate::proxy::lend::Wanted;
use crate::shared::Shared;
use crate::stream::Stream;
use crate::stream::borrowed::Borrowed;
use crate::stream::steady::Steady;
use crate::upstream::dial::Dial;
use crate::upstream::upload::{Source, Upload, Uploaded};
use crate::wellness;

/// Passes one admitted request on, and its answer back, as long as the client is there.
pub async fn exchange<S: Stream, D: Dial>(
    front: &Arc<Shared<D>>,
    client: &mut S,
    reader: &mut HeadReader,
    plain: Plain,
    permit: Permit,
) -> After {
    let client: &S = client;
    tokio::select! {
        biased;
        after = both_ways(front, client, reader, plain, permit) => after,
        // The service may think or stream for long: it should learn that nobody listens.
        () = client.left() => After::Over(Ending::new(Party::Client, Phase::Settling)),
    }
}

async fn both_ways<S: Stream, D: Dial>(
    front: &Arc<Shared<D>>,
    client: &S,
    reader: &mut HeadReader,
    plain: Plain,
    permit: Permit,
) -> After {
    let arrival = permit.arrival();
    let wanted = Wanted { never_held: wellness::is_probe(front, &plain), fresh: false };
    let lent = match lend::lend(front, permit, wanted).await {
        Ok(lent) => lent,
        Err(reason) => return refuse(reason, Phase::Dialling),
    };
    let (upload, source) = Upload::of(plain.framing);
    if plain.expects_continue && source.is_some() && reader.is_empty() {
        // Admitted, and the upstream is there: the client may send (RFC 9110 section 10.1.1).
        let mut write = Steady::new(Borrowed(client));
        let go_on = write.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await;
        if go_on.is_err() {
            return After::Over(Ending::new(Party::Client, Phase::Settling));
        }
    }
    let keep = plain.keep_alive && !front.drain.has_begun();
    let progress = Progress { uploaded: AtomicBool::new(source.is_none()), ..Progress::default() };
    let asking = Asking { plain, wanted, arrival };
    let download = download::download(front, asking, upload, lent, client, keep, &progress);
    let Some(source) = source else { return downloaded_to(download.await) };
    let mut buffer = BytesMut::from(reader.take_pending().as_slice());
    let after = while_uploading(client, source, &mut buffer, download, &progress).await;
    reader.feed(&buffer);
    after
}

async fn while_uploading<S: Stream>(
    client: &S,
    source: Source,
    buffer: &mut BytesMut,
    download: impl Future<Output = Downloaded>,
    progress: &Progress,
) -> After {
    let mut download = Box::pin(download);
    let mut read = Borrowed(client);
    let mut upload = Box::pin(source.pump(&mut read, buffer));
    let uploaded = tokio::select! {
        biased;
        uploaded = &mut upload => uploaded,
        // The upstream answered before it had everything: the rest is unwanted, and is not the
        // next head.
        downloaded = &mut download => return downloaded_to(downloaded),
    };
    match uploaded {
        Uploaded::Whole => progress.uploaded.store(true, Ordering::Relaxed),
        Uploaded::Unwanted => {}
        Uploaded::Left => return After::Over(Ending::new(Party::Client, Phase::Settling)),
        Uploaded::Broken(error) => {
            let ending = Ending::new(Party::Client, Phase::Settling);
            let answering = progress.answering.load(Ordering::Relaxed);
            return if answering {
                After::Over(ending)
            } else {
                After::Refuse(Reason::Body(error), ending)
            };
        }
    }
    downloaded_to(download.await)
}

fn downloaded_to(downloaded: Downloaded) -> After {
    match downloaded {
        Downloaded::Whole { keep: true } => After::Keep,
        Downloaded::Whole { keep: false } => After::Over(Ending::new(Party::Door, Phase::Settling)),
        Downloaded::ClientLeft => After::Over(Ending::new(Party::Client, Phase::Settling)),
        Downloaded::BrokeOff { end_is_end: false } => {
            After::Over(Ending::new(Party::Upstream, Phase::Settling))
        }
        Downloaded::BrokeOff { end_is_end: true } => {
            After::Broken(Ending::new(Party::Upstream, Phase::Settling))
        }
        Downloaded::Nothing(reason) => refuse(reason, Phase::Settling),
    }
}

fn refuse(reason: Reason, phase: Phase) -> After {
    let ending = match reason {
        Reason::Gate(_) => Ending::new(Party::Door, Phase::Held),
        Reason::Short(_) => Ending::new(Party::Door, phase),
        _ => Ending::new(Party::Upstream, phase),
    };
    After::Refuse(reason, ending)
}
