//! The admin address: what operators, probes and scrapers may ask.
//!
//! Owns a listener of its own and its connections. Must never show anything but what `route` lists
//! and `guard` admits, never answer on the public port, and never take a descriptor or a place from
//! a public connection.

mod events;
pub mod guard;
mod health;
pub mod metrics;
mod patience;
mod probes;
mod reply;
pub mod route;
mod shown;

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::listener::Listener;
use crate::shared::Shared;
use crate::stream::placed::Places;
use crate::upstream::dial::Dial;

use self::events::SUBSCRIBERS_MAX;
use self::guard::Guard;
use self::metrics::Metrics;
use self::patience::Impatient;
use self::reply::Reply;
use self::route::Route;

/// Connections at most; more wait in the kernel.
pub const CONNECTIONS_MAX: usize = 64;
/// From accept, or from the last answer, to the end of a head.
const HEAD_WITHIN: Duration = Duration::from_secs(5);
/// Largest head. hyper has no smaller buffer.
const HEAD_MAX: usize = 8 * 1024;
/// Fields of a head.
const HEAD_FIELDS_MAX: usize = 64;

/// What is known of this process from its start, and shown.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The program's version.
    pub version: &'static str,
    /// The environment's word.
    pub environment: &'static str,
    /// The platform's word.
    pub platform: &'static str,
    /// Log lines that were dropped since nobody read them.
    pub log_lines_dropped: Arc<AtomicU64>,
}

/// All that an answer may be made of.
struct Admin<D: Dial> {
    front: Arc<Shared<D>>,
    guard: Guard,
    facts: Facts,
    metrics: Metrics,
    subscribers: Arc<Semaphore>,
}

/// Answers on `listener`, `connections_max` at a time, until it is dropped; its connections go with it.
pub async fn serve<L: Listener, D: Dial>(
    front: Arc<Shared<D>>,
    mut listener: L,
    guard: Guard,
    facts: Facts,
    connections_max: usize,
) {
    let admin = Arc::new(Admin {
        metrics: Metrics::of(Arc::clone(&front), facts.clone()),
        guard,
        facts,
        subscribers: Arc::new(Semaphore::new(SUBSCRIBERS_MAX)),
        front,
    });
    let places = Places::new(connections_max.min(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        let place = places.take().await;
        tokio::select! {
            (stream, _peer) = listener.accept() => {
                connections.spawn(converse(Arc::clone(&admin), place.seat(stream)));
            }
            // What has ended is forgotten, so that the set stays small.
            Some(_ended) = connections.join_next() => {}
        }
    }
}

/// Serves one connection to its end.
async fn converse<S: crate::stream::Stream, D: Dial>(admin: Arc<Admin<D>>, stream: S) {
    let answering = service_fn(move |request| {
        let reply = admin.answer(&request);
        async move { Ok::<_, Infallible>(reply) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_header_size(HEAD_MAX)
        .max_buf_size(HEAD_MAX)
        .max_headers(HEAD_FIELDS_MAX)
        .serve_connection(TokioIo::new(Impatient::new(stream)), answering)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "an admin connection ended");
    }
}

impl<D: Dial> Admin<D> {
    /// The one way to an answer: first the guard, then the route.
    fn answer<B>(&self, request: &hyper::Request<B>) -> Reply {
        let route = match self.guard.admit(request) {
            Ok(route) => route,
            Err(turned) => return reply::turned_away(turned),
        };
        let is_head = request.method() == hyper::Method::HEAD;
        let reply = match route {
            Route::Index => reply::text(200, &route::index()),
            Route::Livez => probes::livez(),
            Route::Readyz => probes::readyz(&self.front.readiness.state()),
            Route::Startupz => probes::startupz(self.front.service.has_been_ready()),
            Route::Health => reply::json(&health::document(&self.front, &self.facts)),
            Route::Metrics => reply::metrics(self.metrics.text()),
            Route::Events if is_head => reply::no_events(),
            Route::Events => events::follow(&self.front, &self.subscribers),
        };
        if is_head { reply::without_body(reply) } else { reply }
    }
}
