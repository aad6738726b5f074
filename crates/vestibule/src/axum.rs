//! Serving with `axum::serve` behind a door.
//!
//! Owns how a wrapped stream and its requests meet under axum: [`Door::listener`] wraps what is accepted, and
//! [`Door::service`] gives each connection's requests its link. Must never accept, route or answer by itself.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::Request;
use axum::extract::connect_info::ConnectInfo;
use axum::response::Response;
use axum::serve::IncomingStream;
use tower_layer::Layer;
use tower_service::Service;

use crate::connection::{Link, Watched};
use crate::door::Door;
use crate::layer::{HoldLayer, HoldService};

impl Door {
    /// Wraps a bound listener, so that a client that leaves or speaks during its hold is noticed at once.
    pub fn listener<L: axum::serve::Listener>(&self, listener: L) -> Listener<L> {
        Listener { inner: listener, layer: self.layer() }
    }

    /// An app behind this door, to be served from [`Door::listener`]. Handshakes are held; handlers may extract
    /// `ConnectInfo<SocketAddr>`.
    ///
    /// ```no_run
    /// # async fn serve(door: vestibule::Door, app: axum::Router) -> std::io::Result<()> {
    /// let listener = tokio::net::TcpListener::bind("0.0.0.0:8080").await?;
    /// axum::serve(door.listener(listener), door.service(app)).await
    /// # }
    /// ```
    pub fn service<S>(&self, app: S) -> Behind<S> {
        behind(self.layer(), app)
    }
}

/// The same as [`Door::service`] with a layer of one's own, as one that holds everything.
pub const fn behind<S>(layer: HoldLayer, app: S) -> Behind<S> {
    Behind { layer, app }
}

/// A listener whose connections are watched.
#[derive(Debug)]
pub struct Listener<L> {
    inner: L,
    layer: HoldLayer,
}

impl<L: axum::serve::Listener> axum::serve::Listener for Listener<L> {
    type Io = Watched<L::Io>;
    type Addr = L::Addr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, address) = self.inner.accept().await;
        (self.layer.watch(stream), address)
    }

    fn local_addr(&self) -> io::Result<L::Addr> {
        self.inner.local_addr()
    }
}

/// An app behind a layer, as what `axum::serve` asks for a service for each connection.
#[derive(Clone, Debug)]
pub struct Behind<S> {
    layer: HoldLayer,
    app: S,
}

impl<S, L> Service<IncomingStream<'_, Listener<L>>> for Behind<S>
where
    S: Clone,
    L: axum::serve::Listener,
    L::Addr: Clone + Send + Sync + 'static,
{
    type Response = Connection<S, L::Addr>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, stream: IncomingStream<'_, Listener<L>>) -> Self::Future {
        ready(Ok(Connection {
            service: self.layer.layer(self.app.clone()),
            link: stream.io().link().clone(),
            peer: stream.remote_addr().clone(),
        }))
    }
}

/// One connection's way to the app.
#[derive(Clone, Debug)]
pub struct Connection<S, A> {
    service: HoldService<S>,
    link: Link,
    peer: A,
}

impl<S, A> Service<Request> for Connection<S, A>
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    A: Clone + Send + Sync + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let extensions = request.extensions_mut();
        extensions.insert(self.link.clone());
        extensions.insert(ConnectInfo(self.peer.clone()));
        let answer = self.service.call(request);
        Box::pin(async move { answer.await.map(|answer| answer.map(Body::new)) })
    }
}
