//! A connection to a gRPC server, for one question.
//!
//! Owns dialling, TLS with HTTP/2 agreed upon, and the bounds on what is read. Must never ask twice.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Uri, uri};
use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tonic::Streaming;
use tonic::body::Body;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};
use vestibule::check::{Reason, Stage, Trouble};

use super::At;
use super::inside::Inside;
use super::meaning;
use crate::capped::{ANSWER_MAX, Capped};
use crate::opening::{Heard, Opening};
use crate::{socket, tls};

/// No message of the health protocol is longer; one of them is a number.
const MESSAGE_MAX: usize = 4 * 1024;

/// As many bytes of heads, and of one frame, are taken at a time.
const HEADS_MAX: u32 = 16 * 1024;

/// A watched connection that is silent is asked for a sign of life: no more often than servers bear
/// (grpc/proposal A8: at least five minutes).
const SIGN_OF_LIFE: Duration = Duration::from_secs(330);

/// And has so long for it.
const SIGN_OF_LIFE_TIMEOUT: Duration = Duration::from_secs(20);

/// A connection, driven by whoever asks on it.
pub(super) struct Link {
    client: HealthClient<Calls>,
    inside: Inside,
    heard: Heard,
}

/// The statuses that a server sends, one after the other.
pub(super) struct Statuses {
    link: Link,
    stream: Streaming<HealthCheckResponse>,
}

impl Link {
    /// Connects.
    pub(super) async fn open(at: &At, stage: &Stage) -> Result<Self, Trouble> {
        let stream = socket::dial(&at.host, at.port, stage).await?;
        let stream = Capped::new(stream);
        let Some(config) = &at.tls else {
            return Self::over(stream, at, uri::Scheme::HTTP).await;
        };
        let stream = tls::session(stream, &at.host, Arc::clone(config), stage).await?;
        if stream.get_ref().1.alpn_protocol() != Some(b"h2") {
            return Err(Trouble::new(Reason::Protocol, "it speaks TLS there, but not HTTP/2"));
        }
        Self::over(stream, at, uri::Scheme::HTTPS).await
    }

    /// Connects and watches. There is no pass whose timeout would need words.
    pub(super) async fn open_and_watch(
        at: &At,
        request: HealthCheckRequest,
    ) -> Result<Statuses, Trouble> {
        let mut link = Self::open(at, &Stage::default()).await?;
        let answer = link.inside.along(link.client.watch(request)).await;
        match answer {
            Ok(answer) => Ok(Statuses { link, stream: answer.into_inner() }),
            Err(status) => Err(meaning::of_error(&status, &link.heard)),
        }
    }

    /// The status of the service asked about.
    pub(super) async fn check(&mut self, request: HealthCheckRequest) -> Result<i32, Trouble> {
        let answer = self.inside.along(self.client.check(request)).await;
        match answer {
            Ok(answer) => Ok(answer.into_inner().status),
            Err(status) => Err(meaning::of_error(&status, &self.heard)),
        }
    }

    async fn over<S>(stream: S, at: &At, scheme: uri::Scheme) -> Result<Self, Trouble>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (stream, heard) = Opening::plausible(stream, meaning::is_settings);
        let mut inside = Inside::default();
        let mut builder = http2::Builder::new(inside.giver());
        builder
            .timer(TokioTimer::new())
            .initial_stream_window_size(HEADS_MAX)
            .initial_connection_window_size(u32::try_from(ANSWER_MAX).unwrap_or(HEADS_MAX))
            .max_frame_size(HEADS_MAX)
            .max_header_list_size(HEADS_MAX)
            .keep_alive_interval(SIGN_OF_LIFE)
            .keep_alive_timeout(SIGN_OF_LIFE_TIMEOUT);
        let handshake = inside.along(builder.handshake(TokioIo::new(stream))).await;
        let (sender, connection) = handshake.map_err(|error| {
            let other = || Trouble::new(Reason::Protocol, error.to_string());
            meaning::behind(&error, &heard).unwrap_or_else(other)
        })?;
        let giver = inside.giver();
        hyper::rt::Executor::execute(&giver, async move {
            // Its error is that of the call, which knows more.
            let _ = connection.await;
        });
        let (open, close) = if at.host.contains(':') { ("[", "]") } else { ("", "") };
        let authority = format!("{open}{}{close}:{}", at.host, at.port);
        let origin = Uri::builder().scheme(scheme).authority(authority).path_and_query("/").build();
        let origin = origin.map_err(|error| Trouble::new(Reason::Other, error.to_string()))?;
        let client = HealthClient::with_origin(Calls(sender), origin);
        Ok(Self { client: client.max_decoding_message_size(MESSAGE_MAX), inside, heard })
    }
}

impl Statuses {
    /// The next status.
    pub(super) async fn next(&mut self) -> Result<i32, Trouble> {
        let Link { inside, heard, .. } = &mut self.link;
        match inside.along(self.stream.message()).await {
            Ok(Some(answer)) => Ok(answer.status),
            Ok(None) => Err(Trouble::new(Reason::Reset, "it ended the watch")),
            Err(status) => Err(meaning::of_error(&status, heard)),
        }
    }
}

/// Calls on one connection, as tonic's client makes them.
struct Calls(SendRequest<Body>);

impl tower_service::Service<Request<Body>> for Calls {
    type Response = http::Response<Incoming>;
    type Error = hyper::Error;
    type Future = std::pin::Pin<
        Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send + 'static>,
    >;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(self.0.send_request(request))
    }
}
