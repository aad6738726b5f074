//! One request, one answer.
//!
//! Owns the connection of one try and what is read of it. hyper frames the answer; the connection runs inside
//! the try, so that nothing is left when the try is dropped. Must never read more than [`READ_MAX`] bytes, the
//! handshake of TLS and interim answers included.

use std::error::Error as _;
use std::pin::pin;

use http::header::{LOCATION, RETRY_AFTER};
use http::{StatusCode, Uri};
use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixStream;
use tokio_rustls::rustls::pki_types::{CertificateDer, UnixTime};
use vestibule::check::{Reason, Stage, Trouble};
use x509_cert::Certificate;
use x509_cert::der::Decode;

use super::request::{Request, plain};
use crate::capped::{ANSWER_MAX, Capped};
use crate::opening::{Heard, Opening};
use crate::socket::{dial, trouble_behind, trouble_of};
use crate::tls;

/// As much is read of one connection: a body of [`ANSWER_MAX`], and as much for all around it.
const READ_MAX: usize = 2 * ANSWER_MAX;

/// The longest head of an answer.
const HEAD_MAX: usize = 32 * 1024;

/// What is known of an answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// Where it sends us, without user and query.
    pub(crate) location: Option<String>,
    /// Whether it says how long to stay away.
    pub(crate) retry_after: bool,
    /// Its body, if it was asked for, up to 64 KiB.
    pub(crate) body: Vec<u8>,
    /// Whether there is more of it.
    pub(crate) cut: bool,
    /// When its certificate ends.
    pub(crate) not_after: Option<UnixTime>,
}

/// Asks once.
///
/// # Errors
///
/// The trouble on the way to a whole answer.
pub(crate) async fn ask(
    request: &Request,
    wants_body: bool,
    stage: &Stage,
) -> Result<Answer, Trouble> {
    let (host, port) = request.place();
    if let Some(path) = &request.unix {
        stage.waits(Reason::ConnectTimeout, "a connection");
        let stream = UnixStream::connect(path).await.map_err(|error| trouble_of(&error))?;
        return over(stream, &host, request, wants_body, stage).await;
    }
    let stream = dial(&host, port, stage).await?;
    over(stream, &host, request, wants_body, stage).await
}

async fn over<S>(
    stream: S,
    host: &str,
    request: &Request,
    wants_body: bool,
    stage: &Stage,
) -> Result<Answer, Trouble>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let stream = Capped::within(stream, READ_MAX);
    let Some(config) = &request.tls else {
        return exchange(stream, request, wants_body, stage).await;
    };
    let mut session = tls::session(stream, host, config.clone(), stage).await?;
    let certificates = session.get_ref().1.peer_certificates();
    let not_after = certificates.and_then(<[_]>::first).and_then(not_after);
    let answer = exchange(&mut session, request, wants_body, stage).await?;
    Ok(Answer { not_after, ..answer })
}

fn not_after(certificate: &CertificateDer<'_>) -> Option<UnixTime> {
    let certificate = Certificate::from_der(certificate).ok()?;
    let not_after = certificate.tbs_certificate.validity.not_after;
    Some(UnixTime::since_unix_epoch(not_after.to_unix_duration()))
}

async fn exchange<S>(
    stream: S,
    request: &Request,
    wants_body: bool,
    stage: &Stage,
) -> Result<Answer, Trouble>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (stream, heard) = Opening::of(stream);
    let mut client = http1::Builder::new();
    client.max_buf_size(HEAD_MAX).writev(false);
    let handshake = client.handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|error| trouble_with(&error, &heard))?;
    let whole = async {
        stage.waits(Reason::Silent, "the head of its answer");
        let answer = sender.send_request(asked(request)).await?;
        let (status, headers) = (answer.status(), answer.headers());
        let location = headers.get(LOCATION).and_then(|to| to.to_str().ok());
        let location = location.and_then(|to| request.url.join(to).ok()).map(|to| plain(&to));
        let retry_after = headers.contains_key(RETRY_AFTER);
        let (mut body, mut cut) = (Vec::new(), false);
        if wants_body {
            stage.waits(Reason::Silent, "the body of its answer");
            (body, cut) = read(answer.into_body()).await?;
        }
        Ok(Answer { status, location, retry_after, body, cut, not_after: None })
    };
    let (mut whole, mut connection) = (pin!(whole), pin!(connection));
    let mut ended = None;
    let answer: Result<_, hyper::Error> = tokio::select! {
        biased;
        answer = &mut whole => answer,
        // A part of the answer may still be on its way between the two.
        end = &mut connection => {
            ended = Some(end);
            whole.await
        }
    };
    match (answer, ended) {
        (Ok(answer), _) => Ok(answer),
        // What was cancelled was so because of how the connection ended.
        (Err(error), None) if error.is_canceled() => {
            Err(trouble_with(&connection.await.err().unwrap_or(error), &heard))
        }
        (Err(error), Some(Err(why))) if error.is_canceled() => Err(trouble_with(&why, &heard)),
        (Err(error), _) => Err(trouble_with(&error, &heard)),
    }
}

fn asked(request: &Request) -> http::Request<Empty<Bytes>> {
    let mut asked = http::Request::new(Empty::new());
    *asked.method_mut() = request.method.clone();
    *asked.headers_mut() = request.headers.clone();
    // A URL's path and query are a valid target.
    let target = match request.url.query() {
        Some(query) => format!("{}?{query}", request.url.path()),
        None => request.url.path().to_owned(),
    };
    *asked.uri_mut() = target.parse().unwrap_or(Uri::from_static("/"));
    asked
}

async fn read(mut body: Incoming) -> Result<(Vec<u8>, bool), hyper::Error> {
    let mut read = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        let room = ANSWER_MAX - read.len();
        read.extend_from_slice(&data[..data.len().min(room)]);
        if data.len() > room {
            return Ok((read, true));
        }
    }
    Ok((read, false))
}

fn trouble_with(error: &hyper::Error, heard: &Heard) -> Trouble {
    if let Some(trouble) = trouble_behind(error) {
        return trouble;
    }
    // An answer that came before its request was taken: what is wrong with it is the cause.
    if let Some(cause) = error.source().and_then(|cause| cause.downcast_ref::<hyper::Error>()) {
        return trouble_with(cause, heard);
    }
    if error.is_parse_too_large() {
        return Trouble::new(Reason::TooLarge, format!("a head beyond {HEAD_MAX} bytes"));
    }
    if error.is_parse() {
        return Trouble::new(Reason::Protocol, format!("not HTTP/1.1: {}", heard.shown()));
    }
    if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
        let detail = format!("it left before the end of its answer, having sent {}", heard.shown());
        return Trouble::new(Reason::Reset, detail);
    }
    match heard.is_empty() {
        true => Trouble::new(Reason::Other, error.to_string()),
        false => Trouble::new(Reason::Protocol, format!("{error}: {}", heard.shown())),
    }
}
