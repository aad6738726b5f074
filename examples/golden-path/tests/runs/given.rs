//! A chat over a real SQLite file, with a model and tools whose every word is set.
//!
//! Owns the double of the model: what matters here is when it speaks, and no real one can be told that.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt as _, StreamExt as _};
use golden_path::agent::registry::Registry;
use golden_path::agent::{Caller, Model, ModelError, Piece, Said, Tool, ToolSpec, Turn};
use golden_path::bus::Bus;
use golden_path::chat::{Chat, ChatParts};
use golden_path::event::{Event, ThreadId, UserId, What};
use golden_path::store::Store;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, sleep_until};
use uuid::Uuid;

/// Far above what anything here takes.
const WITHIN: Duration = Duration::from_secs(20);

/// What a model says to a conversation.
pub(crate) type Script = fn(&Turn) -> Vec<Result<Piece, ModelError>>;

/// A model that says what it is told to, a piece every so often.
pub(crate) struct Scripted {
    pub(crate) script: Script,
    pub(crate) pace: Duration,
}

impl Model for Scripted {
    fn name(&self) -> &str {
        "scripted"
    }

    fn respond(&self, turn: Turn) -> BoxStream<'static, Result<Piece, ModelError>> {
        let pace = self.pace;
        stream::iter((self.script)(&turn))
            .then(move |piece| async move {
                sleep_until(Instant::now() + pace).await;
                piece
            })
            .boxed()
    }
}

/// A tool that does what its input says.
struct Doing;

impl Tool for Doing {
    fn spec(&self) -> ToolSpec {
        let input = json!({ "type": "object" });
        ToolSpec { name: "do".into(), description: "Does what it is told.".into(), input }
    }

    fn call(&self, _: Caller, input: Value) -> BoxFuture<'_, Result<Value, String>> {
        async move {
            match input["do"].as_str() {
                Some("hang") => std::future::pending().await,
                Some("panic") => panic!("on purpose"),
                Some("fail") => Err("it can't".into()),
                Some("flood") => Ok(json!("x".repeat(1024 * 1024))),
                _ => Ok(json!({ "done": true })),
            }
        }
        .boxed()
    }
}

/// One user with one thread, and the store of it all.
pub(crate) struct Given {
    pub(crate) store: Store,
    pub(crate) bus: Bus,
    pub(crate) user: UserId,
    pub(crate) thread: ThreadId,
    _scratch: tempfile::TempDir,
}

impl Given {
    pub(crate) async fn new() -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", scratch.path().join("runs.db").display());
        let store = Store::open(&url).await.unwrap();
        let bus = Bus::open(None).await.unwrap();
        let user = store.create_user("anna", "hash").await.unwrap().unwrap().id;
        let thread = store.create_thread(user, "runs").await.unwrap().id;
        Self { store, bus, user, thread, _scratch: scratch }
    }

    /// An instance of this name, whose model says this.
    pub(crate) fn chat(&self, instance: &str, script: Script, lease: Duration) -> Chat {
        let tools = Registry::builder();
        tools.register(Arc::new(Doing)).unwrap();
        Chat::begin(ChatParts {
            store: self.store.clone(),
            bus: self.bus.clone(),
            model: Arc::new(Scripted { script, pace: Duration::from_millis(10) }),
            tools: tools.freeze(),
            service: Arc::new(|| Value::Null),
            instance: instance.to_owned(),
            lease,
        })
    }

    /// Says something.
    pub(crate) async fn say(&self, chat: &Chat) -> Event {
        self.say_as(chat, Uuid::new_v4()).await
    }

    /// Says something under this number.
    pub(crate) async fn say_as(&self, chat: &Chat, message: Uuid) -> Event {
        chat.send(self.user, self.thread, message, "Hello?", "c").await.unwrap()
    }

    pub(crate) async fn events(&self) -> Vec<Event> {
        self.store.events_after(self.user, 0, 10_000).await.unwrap()
    }

    /// Waits until so many runs have ended; all events.
    pub(crate) async fn ended(&self, runs: usize) -> Vec<Event> {
        self.until(|events| count(events, "agent_completed") >= runs).await
    }

    /// Waits until the events are so.
    pub(crate) async fn until(&self, is_so: impl Fn(&[Event]) -> bool) -> Vec<Event> {
        let deadline = Instant::now() + WITHIN;
        let mut events = self.events().await;
        while !is_so(&events) {
            assert!(Instant::now() < deadline, "not to be seen in {events:#?}");
            sleep(Duration::from_millis(2)).await;
            events = self.events().await;
        }
        events
    }
}

/// How many events are of this kind.
pub(crate) fn count(events: &[Event], kind: &str) -> usize {
    events.iter().filter(|event| event.what.name() == kind).count()
}

/// The kinds of these events, without text.
pub(crate) fn kinds(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.what.name()).filter(|kind| *kind != "agent_text").collect()
}

/// The answer as its texts make it.
pub(crate) fn told(events: &[Event]) -> String {
    let mut told: Vec<char> = Vec::new();
    for event in events {
        if let What::AgentText { offset, text } = &event.what {
            told.truncate(*offset);
            told.extend(text.chars());
        }
    }
    told.into_iter().collect()
}

/// How many tools have answered since the user spoke.
pub(crate) fn answered(turn: &Turn) -> usize {
    let since = turn.conversation.iter().rev().take_while(|said| !matches!(said, Said::User(_)));
    since.filter(|said| matches!(said, Said::Tool { .. })).count()
}

pub(crate) fn call(number: usize, what: &str) -> Result<Piece, ModelError> {
    let (call, tool) = (format!("call-{number}"), "do".to_owned());
    Ok(Piece::Call { call, tool, input: json!({ "do": what }) })
}

pub(crate) fn text(text: &str) -> Result<Piece, ModelError> {
    Ok(Piece::Text(text.to_owned()))
}
