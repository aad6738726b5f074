//! How instances tell each other what happened: in process, over Redis Streams, or over NATS JetStream.
//!
//! Owns the connection to the bus. A signal is a hint with its cargo: whoever misses one reads the store. So the bus
//! may lose and double signals, but must never hang whoever publishes, and must always say that something may have
//! been missed.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::event::{Event, RunId, SessionId, UserId};

/// A bus. Clones are handles to the same one.
#[derive(Clone, Debug)]
pub struct Bus {}

/// What is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "signal", rename_all = "snake_case")]
pub enum Signal {
    /// Something was stored for this user.
    Event {
        /// Whose.
        user: UserId,
        /// What.
        event: Event,
        /// The handshake or request that began it, for the log of whoever delivers it.
        correlation: String,
    },
    /// A run is to end; whoever has it ends it.
    Cancel {
        /// Which.
        run: RunId,
    },
    /// A session was revoked: its sockets are to be closed.
    Revoked {
        /// Which.
        session: SessionId,
    },
    /// The bridge's own: it comes back to whoever sent it.
    Echo {
        /// Which.
        nonce: u128,
    },
}

/// What a subscriber hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A signal.
    Signal(Box<Signal>),
    /// Some may have been missed: read the store.
    Gap,
}

/// All signals from now on. Dropping it unsubscribes.
#[derive(Debug)]
pub struct Subscription {}

/// Why the bus does not work.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// The address says nothing that we know. Whoever set it must change it.
    #[error("BUS_URL: {0}")]
    Address(String),
    /// The bus does not answer, or not now: try again.
    #[error("the bus does not answer: {0}")]
    Unavailable(String),
}

impl Bus {
    /// Connects. `url` is none (in process), `redis://…`, `rediss://…`, `nats://…` or `tls://…`.
    ///
    /// # Errors
    ///
    /// The address is wrong, or the bus does not answer.
    pub async fn open(_url: Option<&str>) -> Result<Self, BusError> {
        Err(BusError::Unavailable("not built yet".into()))
    }

    /// Tells everybody. Returns at once; while the bus is down, subscribers hear of a [`Heard::Gap`] once it is back.
    pub fn publish(&self, _signal: &Signal) {}

    /// Listens from now on.
    pub fn subscribe(&self) -> Subscription {
        Subscription {}
    }

    /// Sends a signal through the bus and sees it come back.
    ///
    /// # Errors
    ///
    /// It did not within `within`.
    pub async fn echo(&self, _within: Duration) -> Result<Duration, BusError> {
        Err(BusError::Unavailable("not built yet".into()))
    }
}

impl Subscription {
    /// The next. Cancel-safe.
    pub async fn next(&mut self) -> Heard {
        std::future::pending().await
    }
}
