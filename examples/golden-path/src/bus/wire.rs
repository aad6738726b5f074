//! A connection to a bus outside, whichever kind it is.
//!
//! Owns what goes over it, and the choice of its kind. Must never wait without a bound for a server.

mod nats;
mod redis;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use url::Url;
use uuid::Uuid;

use super::{BusError, Signal};

/// How long a connection may take, or an answer to something that was sent.
pub(super) const WITHIN: Duration = Duration::from_secs(2);
/// How many signals go in one piece.
pub(super) const BATCH: usize = 256;
/// What the stream of signals is called on the bus.
const NAME: &str = "golden-path";

/// What goes over the bus.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Envelope {
    /// Which instance says so.
    pub(super) from: Uuid,
    /// The how manyth of that instance: where one is missing, something was lost on the way.
    pub(super) number: u64,
    /// What; nothing if that instance could not say something.
    pub(super) signal: Option<Signal>,
}

/// Where a bus is.
#[derive(Clone)]
pub(super) enum Address {
    /// Redis Streams.
    Redis(redis::Server),
    /// NATS JetStream.
    Nats(nats::Server),
}

/// The half that says.
pub(super) enum Sender {
    Redis(redis::Sender),
    Nats(nats::Sender),
}

/// The half that hears.
pub(super) enum Receiver {
    Redis(redis::Receiver),
    Nats(Box<nats::Receiver>),
}

impl Address {
    /// Reads an address.
    pub(super) fn read(url: &str) -> Result<Self, BusError> {
        let parsed = Url::parse(url).map_err(|_| BusError::Address("it is no URL".into()))?;
        match parsed.scheme() {
            "redis" => redis::Server::read(&parsed).map(Self::Redis),
            "nats" | "tls" => Ok(Self::Nats(nats::Server::read(&parsed))),
            _ => Err(BusError::Address("it must begin with redis://, nats:// or tls://".into())),
        }
    }

    /// Connects; what is said from now on will be heard.
    pub(super) async fn connect(&self) -> Result<(Sender, Receiver), BusError> {
        match self {
            Self::Redis(server) => {
                let (sender, receiver) = server.connect().await?;
                Ok((Sender::Redis(sender), Receiver::Redis(receiver)))
            }
            Self::Nats(server) => {
                let (sender, receiver) = server.connect().await?;
                Ok((Sender::Nats(sender), Receiver::Nats(Box::new(receiver))))
            }
        }
    }
}

impl Sender {
    /// Says these, in this order; returns when the server has them.
    pub(super) async fn send(&mut self, envelopes: &[Envelope]) -> Result<(), BusError> {
        let texts = envelopes.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>();
        let texts = texts.map_err(|_| unavailable("a signal can't be written"))?;
        match self {
            Self::Redis(sender) => sender.send(texts).await,
            Self::Nats(sender) => sender.send(texts).await,
        }
    }
}

impl Receiver {
    /// What was said next. What can't be read was said by another version of us: it counts as something unsaid.
    pub(super) async fn receive(&mut self) -> Result<Vec<Envelope>, BusError> {
        let texts = match self {
            Self::Redis(receiver) => receiver.receive().await?,
            Self::Nats(receiver) => receiver.receive().await?,
        };
        let read = |text: Vec<u8>| {
            let unsaid = Envelope { from: Uuid::nil(), number: 0, signal: None };
            serde_json::from_slice(&text).unwrap_or(unsaid)
        };
        Ok(texts.into_iter().map(read).collect())
    }
}

fn unavailable(said: impl Into<String>) -> BusError {
    BusError::Unavailable(said.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Breaks if a wrong address is tried for ever, or if its password gets into the log.
    #[test]
    fn a_wrong_address_is_told_without_its_secrets() {
        for url in ["", "redis", "kafka://u:hunter2@h", "http://hunter2@h:1", "rediss://:hunter2@h"]
        {
            let error = Address::read(url).err().expect("a mistake").to_string();
            assert!(error.starts_with("BUS_URL: ") && !error.contains("hunter2"), "{error}");
        }
        for url in ["redis://127.0.0.1:1", "nats://127.0.0.1:1", "tls://user:word@h:1"] {
            assert!(Address::read(url).is_ok(), "{url}");
        }
    }
}
