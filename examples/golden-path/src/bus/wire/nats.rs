//! NATS JetStream: one stream, which every instance reads from its end with a consumer of its own.
//!
//! Owns the connection and the stream's bounds. The client would reconnect by itself and say late what it had kept;
//! a connection that is lost is given up instead, so that subscribers are told of the gap.

use std::time::Duration;

use ::async_nats::connection::State;
use ::async_nats::jetstream::consumer::DeliverPolicy;
use ::async_nats::jetstream::consumer::pull::{Ordered, OrderedConfig};
use ::async_nats::jetstream::stream::{Config, StorageType};
use ::async_nats::jetstream::{self, Context};
use ::async_nats::{Client, ConnectOptions};
use futures_util::{FutureExt as _, StreamExt as _};
use tokio::time::{MissedTickBehavior, interval, timeout};
use url::Url;

use super::{BATCH, BusError, NAME, WITHIN, unavailable};

/// The stream keeps so many bytes, in memory, for so long: nobody reads old signals.
const KEPT_BYTES: i64 = 16 * 1024 * 1024;
const KEPT_FOR: Duration = Duration::from_secs(60);
/// How often the connection is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// A NATS server.
#[derive(Clone)]
pub(in crate::bus) struct Server {
    url: String,
}

/// The half that says.
pub(in crate::bus) struct Sender {
    stream: Context,
}

/// The half that hears.
pub(in crate::bus) struct Receiver {
    client: Client,
    messages: Ordered,
}

impl Server {
    /// Reads its address.
    pub(super) fn read(url: &Url) -> Self {
        Self { url: url.as_str().to_owned() }
    }

    /// Connects, and makes the stream if there is none.
    pub(super) async fn connect(&self) -> Result<(Sender, Receiver), BusError> {
        within(self.connect_all()).await?
    }

    async fn connect_all(&self) -> Result<(Sender, Receiver), BusError> {
        let options = ConnectOptions::new()
            .name(NAME)
            .connection_timeout(WITHIN)
            .request_timeout(Some(WITHIN));
        let client = options.connect(&self.url).await.map_err(|error| fault(error.kind()))?;
        let stream = jetstream::new(client.clone());
        let config = Config {
            name: NAME.to_owned(),
            subjects: vec![NAME.to_owned()],
            storage: StorageType::Memory,
            max_bytes: KEPT_BYTES,
            max_age: KEPT_FOR,
            ..Config::default()
        };
        let kept =
            stream.get_or_create_stream(config).await.map_err(|error| fault(error.kind()))?;
        let from_now =
            OrderedConfig { deliver_policy: DeliverPolicy::New, ..OrderedConfig::default() };
        let consumer = kept.create_consumer(from_now).await.map_err(|error| fault(error.kind()))?;
        let messages = consumer.messages().await.map_err(|error| fault(error.kind()))?;
        Ok((Sender { stream }, Receiver { client, messages }))
    }
}

impl Sender {
    pub(super) async fn send(&mut self, texts: Vec<String>) -> Result<(), BusError> {
        let send_all = async {
            let mut acks = Vec::with_capacity(texts.len());
            for text in texts {
                let sent = self.stream.publish(NAME, text.into()).await;
                acks.push(sent.map_err(|error| fault(error.kind()))?);
            }
            for ack in acks {
                ack.await.map_err(|error| fault(error.kind()))?;
            }
            Ok(())
        };
        within(send_all).await?
    }
}

impl Receiver {
    pub(super) async fn receive(&mut self) -> Result<Vec<Vec<u8>>, BusError> {
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let first = loop {
            tokio::select! {
                message = self.messages.next() => break message,
                _ = look.tick() => {
                    if self.client.connection_state() != State::Connected {
                        return Err(unavailable("the connection is lost"));
                    }
                }
            }
        };
        let mut texts = Vec::new();
        let mut next = Some(first);
        while let Some(message) = next {
            let message = message.ok_or_else(|| unavailable("the stream has ended"))?;
            let message = message.map_err(|error| fault(error.kind()))?;
            texts.push(message.payload.to_vec());
            next = if texts.len() < BATCH { self.messages.next().now_or_never() } else { None };
        }
        Ok(texts)
    }
}

async fn within<T>(work: impl Future<Output = T>) -> Result<T, BusError> {
    timeout(WITHIN, work).await.map_err(|_| unavailable("no answer in time"))
}

/// The kind of an error, never its text: that may have what was sent in it.
fn fault(kind: impl std::fmt::Display) -> BusError {
    unavailable(kind.to_string())
}
