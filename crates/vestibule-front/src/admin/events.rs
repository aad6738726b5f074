//! What happens, as it happens: server-sent events.
//!
//! Owns each follower's stream: a picture of the state, then events in their order, refusals summed
//! up once a second, and a sign of life. Must never wait for a follower: who reads too slowly loses
//! events, and is told how many.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Map, Value, json};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::SendError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};

use crate::journal::Journal;
use crate::journal::event::Event;
use crate::shared::Shared;
use crate::upstream::dial::Dial;

use super::reply::{self, Reply};

/// How many may follow along.
pub(super) const SUBSCRIBERS_MAX: usize = 8;
/// Proxies end streams that are silent for long; most wait a minute.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// A refusal each is too many events in a storm.
const REFUSALS_EVERY: Duration = Duration::from_secs(1);

/// Begins to follow along.
pub(super) fn follow<D: Dial>(front: &Shared<D>, places: &Arc<Semaphore>) -> Reply {
    let Ok(place) = Arc::clone(places).try_acquire_owned() else {
        return reply::too_many_followers();
    };
    let (parts, stream) = mpsc::channel(1);
    // Heard before the picture is taken, so that nothing falls between the two.
    let events = front.journal.hear();
    let state = Event::State(front.readiness.state().as_str());
    let feed = Feed { parts, sent: 0, silent_since: Instant::now() };
    // Ends with the stream, which ends with its connection.
    tokio::spawn(run(feed, Arc::clone(&front.journal), state, events, place));
    reply::events(stream)
}

async fn run(
    mut feed: Feed,
    journal: Arc<Journal>,
    state: Event,
    events: Receiver<Event>,
    _place: OwnedSemaphorePermit,
) {
    // An error says that the follower has gone: nothing is left to do.
    let _ = feed.until_drained(&journal, state, events).await;
}

/// One follower's stream.
struct Feed {
    parts: Sender<Bytes>,
    sent: u64,
    silent_since: Instant,
}

impl Feed {
    /// Tells everything, to the end of the drain.
    async fn until_drained(
        &mut self,
        journal: &Journal,
        state: Event,
        mut events: Receiver<Event>,
    ) -> Result<(), SendError<Bytes>> {
        let mut refused = Tally::of(journal);
        let mut ticks = interval_at(Instant::now() + REFUSALS_EVERY, REFUSALS_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.tell(state.name(), &state.data()).await?;
        let gone = self.parts.clone();
        loop {
            tokio::select! {
                biased;
                () = gone.closed() => return Ok(()),
                event = events.recv() => match event {
                    Ok(event) => {
                        self.tell(event.name(), &event.data()).await?;
                        if let Event::Drained { .. } = event {
                            return Ok(());
                        }
                    }
                    Err(RecvError::Lagged(missed)) => {
                        self.tell("lagged", &json!({ "missed": missed })).await?;
                    }
                    Err(RecvError::Closed) => return Ok(()),
                },
                _ = ticks.tick() => if let Some(news) = refused.news(journal) {
                    self.tell("refused", &news).await?;
                },
                () = sleep_until(self.silent_since + HEARTBEAT) => self.say(":\n\n".into()).await?,
            }
        }
    }

    async fn tell(&mut self, name: &str, data: &Value) -> Result<(), SendError<Bytes>> {
        self.sent += 1;
        let part = format!("id: {}\nevent: {name}\ndata: {data}\n\n", self.sent);
        self.say(part.into()).await
    }

    async fn say(&mut self, part: Bytes) -> Result<(), SendError<Bytes>> {
        self.parts.send(part).await?;
        self.silent_since = Instant::now();
        Ok(())
    }
}

/// How many refusals a follower knows of.
struct Tally(Vec<(&'static str, u64)>);

impl Tally {
    fn of(journal: &Journal) -> Self {
        Self(journal.meters.refusals())
    }

    /// Those since the last look, for each reason, as a JSON object.
    fn news(&mut self, journal: &Journal) -> Option<Value> {
        let now = Self::of(journal);
        let since = now.0.iter().zip(&self.0).map(|((reason, count), (_, before))| {
            ((*reason).to_owned(), count.saturating_sub(*before))
        });
        let news: Map<_, _> =
            since.filter(|(_, new)| *new > 0).map(|(reason, new)| (reason, new.into())).collect();
        *self = now;
        (!news.is_empty()).then_some(Value::Object(news))
    }
}

#[cfg(test)]
mod tests;
