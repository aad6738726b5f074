//! The admin address: what operators, probes and scrapers may ask.
//!
//! Owns a listener of its own and its connections. Must never show anything but what `route` lists
//! and `guard` admits, never answer on the public port, and never take a descriptor or a place from
//! a public connection.

mod calls;
mod checks;
mod events;
pub mod guard;
mod health;
pub mod metrics;
mod preface;
mod probes;
mod reply;
mod reports;
pub mod route;
pub(crate) mod shown;

use std::convert::Infallible;
use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::listener::Listener;
use crate::shared::Shared;
use crate::stream::Stream;
use crate::stream::placed::Places;
use crate::stream::steady::Steady;
use crate::upstream::dial::Dial;

use self::events::SUBSCRIBERS_MAX;
use self::guard::Guard;
use self::metrics::Metrics;
use self::preface::Speaks;
use self::reply::Reply;
use self::route::Route;

/// Connections at most; more wait in the kernel.
pub const CONNECTIONS_MAX: usize = 64;
/// How long a connection is sure of its place while newcomers wait. Whoever asks in good faith has asked by then,
/// and a kubelet that gets no answer ends the service: the longest queue of silent connections that the kernel
/// keeps (4,096) is through in 7 seconds.
const SURE_OF_PLACE: Duration = Duration::from_millis(100);
/// From accept, or from the last answer, to the end of a head.
const HEAD_WITHIN: Duration = Duration::from_secs(5);
/// How long a peer may take nothing while something waits for it: a scraper that stops reading in the middle of an
/// answer would keep one of few places for ever.
const WRITE_PROGRESS: Duration = Duration::from_secs(30);
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
        // Accepted before it has a place, so that nobody gives way to a newcomer that does not exist.
        let (stream, _peer) = beside(&mut connections, listener.accept()).await;
        let place = beside(&mut connections, places.take()).await;
        connections.spawn(converse(Arc::clone(&admin), place.seat(stream), places.clone()));
    }
}

/// Waits for `what`. Connections that ended meanwhile are forgotten, so that their set stays small.
async fn beside<T>(connections: &mut JoinSet<()>, what: impl Future<Output = T>) -> T {
    let mut what = pin!(what);
    loop {
        tokio::select! {
            done = &mut what => return done,
            Some(_ended) = connections.join_next() => {}
        }
    }
}

/// Serves one connection to its end, or until a newcomer wants its place.
async fn converse<S: Stream, D: Dial>(admin: Arc<Admin<D>>, stream: S, places: Places) {
    let follows = Arc::new(Notify::new());
    let conversation = async {
        let heard = timeout(HEAD_WITHIN, preface::hear(Steady::within(stream, WRITE_PROGRESS)));
        match heard.await {
            Ok(Ok((Speaks::Http1, stream))) => over_http1(admin, stream, &follows).await,
            Ok(Ok((Speaks::Http2, stream))) => calls::serve(admin, stream).await,
            Ok(Err(_)) | Err(_) => Ok(()),
        }
    };
    tokio::select! {
        biased;
        served = conversation => if let Err(error) = served {
            tracing::debug!(%error, "an admin connection ended");
        },
        () = is_wanted(&places, &follows) => {
            tracing::debug!("an admin connection gave way to a newcomer");
        }
    }
}

async fn over_http1<S, D>(
    admin: Arc<Admin<D>>,
    stream: S,
    follows: &Arc<Notify>,
) -> hyper::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    D: Dial,
{
    let answering = service_fn(move |request| {
        let (admin, tells) = (Arc::clone(&admin), Arc::clone(follows));
        async move {
            let reply = admin.answer(request).await;
            if reply.body().is_stream() {
                tells.notify_one();
            }
            Ok::<_, Infallible>(reply)
        }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_header_size(HEAD_MAX)
        .max_buf_size(HEAD_MAX)
        .max_headers(HEAD_FIELDS_MAX)
        .serve_connection(TokioIo::new(stream), answering)
        .await
}

/// Resolves when a newcomer wants this connection's place: also that of one that asks again and again, or does not
/// read, or it would keep probes out. A follower of events keeps its place: there are few, and a token guards them.
async fn is_wanted(places: &Places, follows: &Notify) {
    let wanted = async {
        sleep(SURE_OF_PLACE).await;
        places.is_wanted().await;
    };
    tokio::select! {
        biased;
        () = follows.notified() => pending().await,
        () = wanted => {}
    }
}

impl<D: Dial> Admin<D> {
    /// The one way to an answer: first the guard, then the route.
    async fn answer(&self, request: hyper::Request<Incoming>) -> Reply {
        let route = match self.guard.admit(&request) {
            Ok(route) => route,
            Err(turned) => return reply::turned_away(turned),
        };
        let is_head = request.method() == hyper::Method::HEAD;
        let front = &self.front;
        let reply = match route {
            Route::Index => reply::text(200, &route::index()),
            Route::Livez => probes::livez(),
            Route::Readyz => probes::readyz(&front.readiness.state(), checks::is_degraded(front)),
            Route::Startupz => probes::startupz(front.service.has_been_ready()),
            Route::Health => reply::json(&health::document(front, &self.facts)),
            Route::Metrics => reply::metrics(self.metrics.text()),
            Route::Events if is_head => reply::no_events(),
            Route::Events => events::follow(front, &self.subscribers),
            Route::StartupPhase => reports::take(front, request.into_body()).await,
        };
        if is_head { reply::without_body(reply) } else { reply }
    }
}
