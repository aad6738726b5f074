//! The service behind the gate.
//!
//! Owns the choice between passing a request and bringing it to the gate. Must never reserve the inner
//! service's capacity for a request that is only held: it asks for it when the request is admitted.

use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tokio::time::Instant;
use tower_service::Service;

use crate::connection::{Expectation, Hold, Link};
use crate::gate::{Arrival, Gate, Permit};

use super::Rules;
use super::answer::Ended;
use super::asked::Asked;
use super::body::HeldBody;
use super::future::{Admission, HoldFuture, Way};

/// A service before which requests are held. [`super::HoldLayer`] makes it.
#[derive(Clone, Debug)]
pub struct HoldService<S> {
    rules: Arc<Rules>,
    inner: S,
}

impl<S> HoldService<S> {
    pub(super) const fn new(rules: Arc<Rules>, inner: S) -> Self {
        Self { rules, inner }
    }
}

impl<S, B, R> Service<Request<B>> for HoldService<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
{
    type Response = Response<HeldBody<R>>;
    type Error = S::Error;
    type Future = HoldFuture<S, B>;

    /// Always ready: the inner service is asked once the request is admitted.
    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> HoldFuture<S, B> {
        let way = self.rules.holds(&request).map(|asked| Way {
            admission: self.admission(&request, asked),
            asked,
            version: request.version(),
        });
        HoldFuture::new(way, request, self.inner.clone())
    }
}

impl<S> HoldService<S> {
    fn admission<B>(&self, request: &Request<B>, asked: Asked) -> Admission {
        let arrival = self.rules.arrival(request, asked, Instant::now());
        // Requests other than handshakes may have a body, or another request behind them.
        let link = request.extensions().get::<Link>().filter(|_| asked == Asked::Handshake);
        let hold = link.map(Link::hold);
        Box::pin(admit(self.rules.gate.clone(), arrival, hold, self.rules.expects.clone()))
    }
}

async fn admit(
    gate: Gate,
    arrival: Arrival,
    hold: Option<Hold>,
    expects: Expectation,
) -> Result<(), Ended> {
    let mut admitted = std::pin::pin!(gate.admit(arrival));
    let first = std::future::poll_fn(|cx| Poll::Ready(admitted.as_mut().poll(cx))).await;
    expects.set(first.is_pending());
    let early = async {
        match &hold {
            Some(hold) => hold.early_bytes().await,
            None => std::future::pending().await,
        }
    };
    let answer = match first {
        Poll::Ready(answer) => answer,
        Poll::Pending => tokio::select! {
            biased;
            answer = admitted => answer,
            () = early => return Err(Ended::EarlyBytes),
        },
    };
    answer.map(Permit::answered).map_err(Ended::Refused)
}
