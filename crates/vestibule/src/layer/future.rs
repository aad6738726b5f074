//! One request's way through the layer.
//!
//! Owns the order: admission, the inner service's readiness, its answer. Dropping it at any point frees the
//! place. Must never poll the inner service for a request that is held.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{Request, Response, Version};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::answer::Ended;
use super::asked::Asked;
use super::body::HeldBody;

/// The wait at the gate. Boxed: only requests that have to pass the gate pay for it.
pub(super) type Admission = Pin<Box<dyn Future<Output = Result<(), Ended>> + Send>>;

/// What a request that has to pass the gate carries with it.
pub(super) struct Way {
    pub(super) admission: Admission,
    pub(super) asked: Asked,
    pub(super) version: Version,
}

pin_project! {
    /// The answer to come.
    #[must_use = "futures do nothing unless polled"]
    pub struct HoldFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        way: Option<Way>,
        #[pin]
        stage: Stage<S, B, S::Future>,
    }
}

pin_project! {
    #[project = StagePinned]
    #[project_replace = StageLeft]
    enum Stage<S, B, F> {
        /// The request waits for its admission, then for the service to take it.
        Waiting { request: Request<B>, service: S },
        Called { #[pin] answer: F },
        Over,
    }
}

impl<S, B> HoldFuture<S, B>
where
    S: Service<Request<B>>,
{
    pub(super) const fn new(way: Option<Way>, request: Request<B>, service: S) -> Self {
        Self { way, stage: Stage::Waiting { request, service } }
    }
}

impl<S, B, R> Future for HoldFuture<S, B>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Output = Result<Response<HeldBody<R>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Some(way) = this.way.as_mut() {
            let admitted = ready!(way.admission.as_mut().poll(cx));
            let (asked, version) = (way.asked, way.version);
            *this.way = None;
            if let Err(ended) = admitted {
                this.stage.set(Stage::Over);
                return Poll::Ready(Ok(ended.answer(asked, version, fastrand::f64())));
            }
        }
        if let StagePinned::Waiting { service, .. } = this.stage.as_mut().project() {
            if let Err(error) = ready!(service.poll_ready(cx)) {
                this.stage.set(Stage::Over);
                return Poll::Ready(Err(error));
            }
            if let StageLeft::Waiting { request, mut service } =
                this.stage.as_mut().project_replace(Stage::Over)
            {
                let answer = service.call(request);
                this.stage.set(Stage::Called { answer });
            }
        }
        match this.stage.project() {
            StagePinned::Called { answer } => {
                Poll::Ready(ready!(answer.poll(cx)).map(|answer| answer.map(HeldBody::of_service)))
            }
            // Polled again after its answer: there is no second one.
            StagePinned::Waiting { .. } | StagePinned::Over => Poll::Pending,
        }
    }
}

impl<S, B> fmt::Debug for HoldFuture<S, B>
where
    S: Service<Request<B>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HoldFuture").field("is_held", &self.way.is_some()).finish_non_exhaustive()
    }
}
