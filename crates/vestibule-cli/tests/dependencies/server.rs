//! One real dependency of any kind, and how a configuration file declares it.
//!
//! Owns what differs between the kinds for these plays: how each starts, is killed, and is called.

use crate::grpc_server::Grpc;
use crate::nats_server::Nats;
use crate::postgres_server::Postgres;
use crate::redis_server::Redis;

/// A dependency, which may run or not.
pub(crate) enum Server {
    Postgres(Postgres),
    Redis(Redis),
    Nats(Nats),
    /// Whoever is killed is away for a moment.
    Grpc(Option<Grpc>),
}

impl Server {
    /// A PostgreSQL that does not run yet.
    pub(crate) async fn postgres() -> Self {
        Self::Postgres(Postgres::prepare("").await)
    }

    /// A Redis that does not run yet.
    pub(crate) fn redis() -> Self {
        Self::Redis(Redis::prepare(""))
    }

    /// A nats-server that does not run yet.
    pub(crate) fn nats() -> Self {
        Self::Nats(Nats::prepare(""))
    }

    /// A gRPC server with the health service that does not run yet.
    pub(crate) fn grpc() -> Self {
        Self::Grpc(Some(Grpc::prepare()))
    }

    /// The kind of its check, which these plays also give as its name.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Postgres(_) => "postgres",
            Self::Redis(_) => "redis",
            Self::Nats(_) => "nats",
            Self::Grpc(_) => "grpc",
        }
    }

    /// Starts it, and waits until it serves.
    pub(crate) async fn run(&mut self) {
        match self {
            Self::Postgres(server) => server.run().await,
            Self::Redis(server) => server.run().await,
            Self::Nats(server) => server.run().await,
            Self::Grpc(server) => server.as_mut().unwrap().run(),
        }
    }

    /// Ends it without a word to those who are connected.
    pub(crate) async fn kill(&mut self) {
        match self {
            Self::Postgres(server) => server.kill(),
            Self::Redis(server) => server.kill(),
            Self::Nats(server) => server.kill(),
            Self::Grpc(server) => *server = Some(server.take().unwrap().killed().await),
        }
    }

    /// Its port on 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        match self {
            Self::Postgres(server) => server.port(),
            Self::Redis(server) => server.port(),
            Self::Nats(server) => server.port(),
            Self::Grpc(server) => server.as_ref().unwrap().port(),
        }
    }

    /// Its table in a configuration file, with these further lines.
    pub(crate) fn table(&self, further: &str) -> String {
        self.table_at(self.port(), further)
    }

    /// The same through a port that leads to it.
    pub(crate) fn table_at(&self, port: u16, further: &str) -> String {
        let url = match self {
            Self::Postgres(server) => server.url(""),
            Self::Redis(server) => server.url(),
            Self::Nats(server) => server.url(),
            Self::Grpc(_) => format!("grpc://127.0.0.1:{}", self.port()),
        };
        let url = url.replace(&format!(":{}", self.port()), &format!(":{port}"));
        format!("[[check]]\nname = \"{}\"\nurl = \"{url}\"\n{further}\n", self.kind())
    }
}
