//! The health protocol of gRPC, for who probes with it: <https://grpc.io/docs/guides/health-checking/>.
//!
//! Owns what its services say, and the bounds of an HTTP/2 connection. Must never answer any other call, and never
//! say "serving" for a service that was not seen ready.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream;
use http::Response;
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tonic::codegen::tokio_stream::Stream;
use tonic::{Request, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};
use tower_service::Service as _;
use vestibule::readiness;

use crate::shared::Shared;
use crate::upstream::dial::Dial;

use super::{Admin, reply};

/// Calls at a time on one connection: a prober has one, a balancer a watch for each service.
const STREAMS_MAX: u32 = 8;
/// Largest list of fields, as large as a head.
const FIELDS_MAX: u32 = 8 * 1024;
/// Largest message: the name of a service.
const MESSAGE_MAX: usize = 1024;
/// Bytes that a client may send unread, on one call and on all.
const WINDOW: u32 = 16 * 1024;
/// From a call's fields to the head of its answer.
const CALL_WITHIN: Duration = Duration::from_secs(5);
/// A silent client is asked so often whether it is still there, and has so long to say so.
const ASKED_EVERY: Duration = Duration::from_secs(20);
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);

/// Serves one connection to its end.
pub(super) async fn serve<S, D>(admin: Arc<Admin<D>>, stream: S) -> hyper::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    D: Dial,
{
    let told = Told { front: Arc::clone(&admin.front) };
    let health = HealthServer::new(told).max_decoding_message_size(MESSAGE_MAX);
    let answering = service_fn(move |request| {
        let (admin, health) = (Arc::clone(&admin), health.clone());
        async move { Ok::<_, Infallible>(answer(&admin, health, request).await) }
    });
    http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(FIELDS_MAX)
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .max_send_buf_size(WINDOW as usize)
        .keep_alive_interval(ASKED_EVERY)
        .keep_alive_timeout(ANSWERED_WITHIN)
        .serve_connection(TokioIo::new(stream), answering)
        .await
}

/// The one way to an answer: first the guard, then the health protocol.
async fn answer<D: Dial>(
    admin: &Admin<D>,
    mut health: HealthServer<Told<D>>,
    request: http::Request<Incoming>,
) -> Response<tonic::body::Body> {
    if let Err(turned) = admin.guard.admit_call(&request) {
        return reply::turned_away(turned).map(tonic::body::Body::new);
    }
    match timeout(CALL_WITHIN, health.call(request)).await {
        Ok(Ok(answer)) => answer,
        Err(_elapsed) => Status::deadline_exceeded("the call did not come whole").into_http(),
    }
}

/// What may be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Readiness,
    Liveness,
    Startup,
}

impl Asked {
    fn of(service: &str) -> Option<Self> {
        match service {
            "" | "readiness" => Some(Self::Readiness),
            "liveness" => Some(Self::Liveness),
            "startup" => Some(Self::Startup),
            _ => None,
        }
    }
}

/// Says what probes are told, in the words of this protocol.
struct Told<D: Dial> {
    front: Arc<Shared<D>>,
}

#[tonic::async_trait]
impl<D: Dial> Health for Told<D> {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<tonic::Response<HealthCheckResponse>, Status> {
        let asked = Asked::of(&request.get_ref().service);
        let asked = asked.ok_or_else(|| Status::not_found("no such service"))?;
        Ok(tonic::Response::new(response(status(&self.front, asked))))
    }

    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<tonic::Response<Self::WatchStream>, Status> {
        let watching = Watching {
            front: Arc::clone(&self.front),
            asked: Asked::of(&request.get_ref().service),
            readiness: self.front.readiness.clone(),
            told: None,
        };
        Ok(tonic::Response::new(Box::pin(stream::unfold(watching, Watching::next))))
    }
}

/// One who watches.
struct Watching<D: Dial> {
    front: Arc<Shared<D>>,
    asked: Option<Asked>,
    readiness: readiness::Watch,
    told: Option<ServingStatus>,
}

impl<D: Dial> Watching<D> {
    /// What is so, and then each change. What nobody knows now is not known later, and its watcher is not sent away:
    /// so the protocol wants it.
    async fn next(mut self) -> Option<(Result<HealthCheckResponse, Status>, Self)> {
        loop {
            let unknown = ServingStatus::ServiceUnknown;
            let now = self.asked.map_or(unknown, |asked| status(&self.front, asked));
            if self.told.replace(now) != Some(now) {
                return Some((Ok(response(now)), self));
            }
            self.readiness.changed().await;
        }
    }
}

fn status<D: Dial>(front: &Shared<D>, asked: Asked) -> ServingStatus {
    let serves = match asked {
        Asked::Readiness => front.readiness.state().is_ready(),
        // We answer, so we live.
        Asked::Liveness => true,
        Asked::Startup => front.service.has_been_ready(),
    };
    if serves { ServingStatus::Serving } else { ServingStatus::NotServing }
}

const fn response(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse { status: status as i32 }
}
