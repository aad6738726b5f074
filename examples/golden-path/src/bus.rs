//! How instances tell each other what happened: in process, over Redis Streams, or over NATS JetStream.
//!
//! Owns the connection to the bus. A signal is a hint with its cargo: whoever misses one reads the store. So the bus
//! may lose and double signals, but must never hang whoever publishes, and must always say that something may have
//! been missed.

mod hub;
mod link;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use self::hub::Hub;
pub use self::hub::Subscription;
use self::link::Link;
use crate::event::{Event, RunId, SessionId, UserId};

/// A bus. Clones are handles to the same one.
#[derive(Clone, Debug)]
pub struct Bus {
    hub: Hub,
    /// None in process.
    link: Option<Arc<Link>>,
}

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
        nonce: Uuid,
    },
}

/// What a subscriber hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A signal.
    Signal(Arc<Signal>),
    /// Some may have been missed: read the store.
    Gap,
}

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
    /// Connects. `url` is none (in process), `redis://…`, `nats://…` or `tls://…` (NATS over TLS).
    ///
    /// # Errors
    ///
    /// The address is wrong, or the bus does not answer.
    pub async fn open(url: Option<&str>) -> Result<Self, BusError> {
        let hub = Hub::new();
        let link = match url {
            Some(url) => Some(Arc::new(Link::open(url, hub.clone()).await?)),
            None => None,
        };
        Ok(Self { hub, link })
    }

    /// Tells everybody. Returns at once; while the bus is down, subscribers hear of a [`Heard::Gap`] once it is back.
    pub fn publish(&self, signal: Signal) {
        let signal = Arc::new(signal);
        self.hub.tell(Arc::clone(&signal));
        if let Some(link) = &self.link {
            link.say(signal);
        }
    }

    /// Listens from now on to everything but events.
    pub fn subscribe(&self) -> Subscription {
        self.hub.subscribe()
    }

    /// Listens from now on to a user's events, and to revocations.
    pub fn subscribe_to(&self, user: UserId) -> Subscription {
        self.hub.subscribe_to(user)
    }

    /// Sends a signal through the bus and sees it come back: how long it took.
    ///
    /// # Errors
    ///
    /// It did not within `within`.
    pub async fn echo(&self, within: Duration) -> Result<Duration, BusError> {
        let mut subscription = self.subscribe();
        let began = Instant::now();
        let sent = Signal::Echo { nonce: Uuid::new_v4() };
        match &self.link {
            Some(link) => link.say(Arc::new(sent.clone())),
            None => self.hub.tell(Arc::new(sent.clone())),
        }
        let comes_back = async {
            while !matches!(subscription.next().await, Heard::Signal(signal) if *signal == sent) {}
        };
        timeout(within, comes_back)
            .await
            .map_err(|_| BusError::Unavailable("a signal did not come back".into()))?;
        Ok(began.elapsed())
    }
}
