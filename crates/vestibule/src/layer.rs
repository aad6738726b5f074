//! Holding requests inside the service: a `tower` layer.
//!
//! Owns what of HTTP the library knows: which requests are held, and the answer to those that are refused.
//! Must never admit by itself (the [`Gate`] does), echo anything of a request, or touch a request that is not
//! held.
//!
//! # What a layer can't see
//!
//! A layer sees requests, not the socket under them. While a request is in flight, an HTTP/1.1 server notices
//! that its client left only if it has read nothing behind the head; one byte more, and a client that is gone
//! keeps its place until its deadline. Serve through [`HoldLayer::watch`] (or `vestibule::axum`) and the place is
//! free at once, if nothing that waits stands before this layer; without it, the deadline and the gate's
//! bounds are what protects. HTTP/2 has no such gap.
//! A client that half-closes its connection during a hold counts as gone.
//!
//! Nor does a layer see the time before the head is complete: give the server a limit for that
//! (`header_read_timeout` and a `timer` in hyper; `axum::serve` has none).

mod answer;
mod asked;
mod body;
mod future;
mod service;

use std::sync::Arc;
use std::time::Duration;

use http::Request;
use tokio::time::Instant;
use tower_layer::Layer;

use crate::connection::{Expectation, Watched};
use crate::gate::{Arrival, Gate, Kind};

use self::asked::Asked;

pub use self::body::HeldBody;
pub use self::future::HoldFuture;
pub use self::service::HoldService;

/// The memory that a held request costs with hyper: 16.7 KB were measured for its connection and task.
const HELD_BYTES: usize = 16 * 1_024;

/// Holds requests while the gate holds, and refuses them when it refuses.
///
/// By itself it holds WebSocket handshakes and passes everything else. What is released is not paced: a
/// service that takes a crowd badly puts a concurrency limit behind this layer.
#[derive(Clone, Debug)]
pub struct HoldLayer {
    rules: Arc<Rules>,
}

#[derive(Clone, Debug)]
struct Rules {
    gate: Gate,
    hold: Duration,
    request_timeout: Option<Duration>,
    everything: bool,
    never: Vec<String>,
    expects: Expectation,
    /// What must live as long as somebody is served, and hears of each who comes.
    behind: Option<Behind>,
}

/// Hears of a client before the gate is asked for it.
pub(crate) trait Porter: Send + Sync {
    /// A client arrives.
    fn arrival(&self, now: Instant);
}

#[derive(Clone)]
struct Behind(Arc<dyn Porter>);

impl std::fmt::Debug for Behind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Behind")
    }
}

impl HoldLayer {
    /// A layer before which clients wait at most `hold` for `gate`.
    ///
    /// A request's own deadline is earlier where its head tells of one: the clock of a known WebSocket client
    /// ([`crate::timeouts::handshake_clock`]), or a call's `grpc-timeout`.
    #[must_use]
    pub fn new(gate: Gate, hold: Duration) -> Self {
        let rules = Rules {
            gate,
            hold,
            request_timeout: None,
            everything: false,
            never: Vec::new(),
            expects: Expectation::default(),
            behind: None,
        };
        Self { rules: Arc::new(rules) }
    }

    /// Every request is held, plain ones and gRPC calls too, not handshakes alone.
    #[must_use]
    pub fn everything(self) -> Self {
        self.with(|rules| rules.everything = true)
    }

    /// A path that is never held, as that of a health check.
    #[must_use]
    pub fn never(self, path: impl Into<String>) -> Self {
        self.with(|rules| rules.never.push(path.into()))
    }

    /// After how long the platform cuts a request: nobody is held longer.
    #[must_use]
    pub fn request_timeout(self, timeout: Duration) -> Self {
        self.with(|rules| rules.request_timeout = Some(timeout))
    }

    /// Keeps a door alive for as long as this layer, or a service that it made, lives; and shares what it
    /// expects.
    pub(crate) fn behind(self, door: Arc<dyn Porter>, expects: Expectation) -> Self {
        self.with(|rules| {
            rules.behind = Some(Behind(door));
            rules.expects = expects;
        })
    }

    /// Wraps an accepted stream, so that its server notices during a hold what it otherwise would not: a client
    /// that left after one byte more, and one that speaks before it is answered.
    ///
    /// Each request that is read from the stream must carry the stream's [`Watched::link`] in its extensions;
    /// `vestibule::axum` sees to that for axum.
    pub fn watch<S>(&self, stream: S) -> Watched<S> {
        Watched::new(stream, self.rules.expects.clone())
    }

    fn with(mut self, change: impl FnOnce(&mut Rules)) -> Self {
        change(Arc::make_mut(&mut self.rules));
        self
    }
}

impl Rules {
    /// What the request asks for, if it has to pass the gate.
    fn holds<B>(&self, request: &Request<B>) -> Option<Asked> {
        let asked = Asked::of(request);
        let held = self.everything || asked == Asked::Handshake;
        let path = request.uri().path();
        (held && !self.never.iter().any(|never| never == path)).then_some(asked)
    }

    /// The one place where a request becomes an arrival.
    fn arrival<B>(&self, request: &Request<B>, asked: Asked, now: Instant) -> Arrival {
        if let Some(Behind(door)) = &self.behind {
            door.arrival(now);
        }
        let deadline = asked::deadline(request, asked, now, self.hold, self.request_timeout);
        // In the service's own process there is no hand-over to pace or to try: also a handshake is plain.
        Arrival { kind: Kind::Plain, bytes: HELD_BYTES, deadline, client: None }
    }
}

impl<S> Layer<S> for HoldLayer {
    type Service = HoldService<S>;

    fn layer(&self, inner: S) -> HoldService<S> {
        HoldService::new(Arc::clone(&self.rules), inner)
    }
}

#[cfg(test)]
mod tests;
