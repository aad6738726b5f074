//! Redis Streams: one stream, which every instance reads from its end.
//!
//! Owns two connections: one that says and one that waits, since a client that waits says nothing else.

use std::time::Duration;

use ::redis::aio::MultiplexedConnection;
use ::redis::streams::{StreamRangeReply, StreamReadOptions, StreamReadReply};
use ::redis::{AsyncCommands as _, AsyncConnectionConfig, Client, RedisError, Value, pipe};
use url::Url;

use super::{BATCH, BusError, NAME, WITHIN, unavailable};

/// How many signals the stream keeps, more or less: nobody reads old ones, and memory is bounded.
const KEPT: usize = 4096;
/// How long one question for news waits, in milliseconds: a server that has gone silent is noticed so much later.
const BLOCK_MS: usize = 1000;
/// The field of an entry that has the signal.
const FIELD: &str = "signal";

/// A Redis server.
#[derive(Clone)]
pub(in crate::bus) struct Server {
    client: Client,
}

/// The half that says.
pub(in crate::bus) struct Sender {
    connection: MultiplexedConnection,
}

/// The half that hears.
pub(in crate::bus) struct Receiver {
    connection: MultiplexedConnection,
    /// The entry that was read last.
    last: String,
}

impl Server {
    /// Reads its address.
    pub(super) fn read(url: &Url) -> Result<Self, BusError> {
        let client = Client::open(url.as_str()).map_err(|_| {
            BusError::Address("it can't be read as redis://[:PASSWORD@]HOST:PORT/DB".into())
        })?;
        Ok(Self { client })
    }

    /// Connects both halves, and finds the stream's end.
    pub(super) async fn connect(&self) -> Result<(Sender, Receiver), BusError> {
        let mut says = self.one(WITHIN).await?;
        let newest: StreamRangeReply =
            says.xrevrange_count(NAME, "+", "-", 1).await.map_err(|error| fault(&error))?;
        let last = newest.ids.into_iter().next().map_or_else(|| "0-0".to_owned(), |entry| entry.id);
        let hears = self.one(WITHIN + Duration::from_millis(BLOCK_MS as u64)).await?;
        Ok((Sender { connection: says }, Receiver { connection: hears, last }))
    }

    async fn one(&self, answer_within: Duration) -> Result<MultiplexedConnection, BusError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(WITHIN))
            .set_response_timeout(Some(answer_within));
        self.client
            .get_multiplexed_async_connection_with_config(&config)
            .await
            .map_err(|error| fault(&error))
    }
}

impl Sender {
    pub(super) async fn send(&mut self, texts: Vec<String>) -> Result<(), BusError> {
        let mut all = pipe();
        for text in texts {
            all.cmd("XADD").arg(NAME).arg("MAXLEN").arg("~").arg(KEPT).arg("*");
            all.arg(FIELD).arg(text).ignore();
        }
        all.query_async::<()>(&mut self.connection).await.map_err(|error| fault(&error))
    }
}

impl Receiver {
    pub(super) async fn receive(&mut self) -> Result<Vec<Vec<u8>>, BusError> {
        let options = StreamReadOptions::default().block(BLOCK_MS).count(BATCH);
        let news: Option<StreamReadReply> = self
            .connection
            .xread_options(&[NAME], &[&self.last], &options)
            .await
            .map_err(|error| fault(&error))?;
        let mut texts = Vec::new();
        for mut entry in news.into_iter().flat_map(|news| news.keys).flat_map(|key| key.ids) {
            // An entry without our field is not ours: it counts as one that can't be read.
            texts.push(match entry.map.remove(FIELD) {
                Some(Value::BulkString(text)) => text,
                _ => Vec::new(),
            });
            self.last = entry.id;
        }
        Ok(texts)
    }
}

/// The kind of an error, never its text: that may have what was sent in it.
fn fault(error: &RedisError) -> BusError {
    let code = error.code().filter(|code| code.bytes().all(|b| b.is_ascii_uppercase()));
    unavailable(code.map_or_else(|| error.category().to_owned(), str::to_owned))
}
