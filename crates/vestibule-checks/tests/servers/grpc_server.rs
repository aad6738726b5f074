//! A gRPC server with tonic's health service, on a real socket.
//!
//! Owns a runtime of its own: to kill it is to drop all of its connections at once.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tonic::transport::Server;
use tonic_health::ServingStatus;
use tonic_health::server::{HealthReporter, health_reporter};

use crate::daemon::free_port;

/// One server, which may run or not.
pub(crate) struct Grpc {
    port: u16,
    reporter: HealthReporter,
    runtime: Option<Runtime>,
}

impl Grpc {
    /// One that runs and serves.
    pub(crate) fn start() -> Self {
        let mut server = Self::prepare();
        server.run();
        server
    }

    /// One that does not run yet.
    pub(crate) fn prepare() -> Self {
        Self { port: free_port(), reporter: HealthReporter::new(), runtime: None }
    }

    /// Starts it, with the statuses of a server that has just begun.
    pub(crate) fn run(&mut self) {
        let (reporter, service) = health_reporter();
        self.reporter = reporter;
        let server = Server::builder().add_service(service);
        self.runtime = Some(serving(self.port, server));
    }

    /// Its port on 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// From now on, of this service; the empty name is the whole server.
    pub(crate) async fn says(&self, service: &str, status: ServingStatus) {
        self.reporter.set_service_status(service, status).await;
    }

    /// The same server, whose connections and listener are gone. Waits on a thread of its own: to wait for the
    /// end of one runtime inside another swallows what wakes that one.
    pub(crate) async fn killed(mut self) -> Self {
        let runtime = self.runtime.take().expect("it runs");
        let ends = move || runtime.shutdown_timeout(Duration::from_secs(5));
        tokio::task::spawn_blocking(ends).await.unwrap();
        self
    }
}

impl Drop for Grpc {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// A runtime that runs this server; it listens when this returns.
pub(crate) fn serving(port: u16, server: tonic::transport::server::Router) -> Runtime {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let incoming = {
        let _inside = runtime.enter();
        tonic::transport::server::TcpIncoming::bind(address).unwrap()
    };
    runtime.spawn(server.serve_with_incoming(incoming));
    runtime
}
