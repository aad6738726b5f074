//! A whole service in this process, on a free port.
//!
//! Owns the server and its users. Must never outlive its test.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use golden_path::agent::registry::Registry;
use golden_path::agent::{Caller, Model, ModelError, Piece, Said, Tool, ToolSpec, Turn};
use golden_path::api::{self, App};
use golden_path::auth::Auth;
use golden_path::bus::Bus;
use golden_path::chat::{Chat, ChatParts};
use golden_path::clock::now_ms;
use golden_path::event::{ThreadId, UserId, What};
use golden_path::settings::Settings;
use golden_path::socket::{SocketSettings, Sockets};
use golden_path::store::{Accepted, Lease, NewMessage, Store};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use uuid::Uuid;

/// What the agent says to each message, by the names of its events.
pub(crate) const RUN: [&str; 7] = [
    "user_message",
    "agent_started",
    "agent_thinking",
    "tool_executing",
    "tool_completed",
    "agent_text",
    "agent_completed",
];

/// A service. Dropping it ends it.
pub(crate) struct Service {
    pub(crate) app: App,
    pub(crate) address: SocketAddr,
    serving: JoinHandle<()>,
}

/// Somebody who has logged in, with a thread.
pub(crate) struct User {
    pub(crate) id: UserId,
    pub(crate) access: String,
    pub(crate) refresh: String,
    pub(crate) until_ms: i64,
    pub(crate) thread: ThreadId,
}

/// An answer over HTTP.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Service {
    /// A service with room for everything.
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// A service whose settings are changed.
    pub(crate) async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = roomy();
        change(&mut settings);
        let store = Store::open(&settings.database).await.unwrap();
        let bus = Bus::open(None).await.unwrap();
        let auth = Auth::open(store.clone(), settings.auth.clone()).await.unwrap();
        let tools = Registry::builder();
        tools.register(Arc::new(Clock)).unwrap();
        let chat = Chat::begin(ChatParts {
            store: store.clone(),
            bus: bus.clone(),
            model: Arc::new(Script),
            tools: tools.freeze(),
            service: Arc::new(|| json!({})),
            instance: "one".into(),
            lease: settings.lease,
        });
        let sockets = Sockets::new("one");
        let app = App { auth, store, bus, chat, sockets, settings: Arc::new(settings) };
        // Small, so that a client that does not read is soon felt. Those who are accepted have it, too.
        let listening = TcpSocket::new_v4().unwrap();
        listening.set_send_buffer_size(16 * 1024).unwrap();
        listening.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let listener = listening.listen(128).unwrap();
        let address = listener.local_addr().unwrap();
        let routes = api::router(app.clone()).into_make_service_with_connect_info::<SocketAddr>();
        let serving = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { app, address, serving }
    }

    /// Signs somebody up.
    pub(crate) async fn user(&self, name: &str) -> User {
        let tokens = self.app.auth.sign_up(name, "correct horse", "127.0.0.1").await.unwrap();
        let claims = self.app.auth.verify(&tokens.access).await.unwrap();
        let thread = self.app.store.create_thread(claims.user, "talk").await.unwrap().id;
        User {
            id: claims.user,
            access: tokens.access,
            refresh: tokens.refresh,
            until_ms: tokens.until_ms,
            thread,
        }
    }

    /// Stores a message that no agent answers and no bus tells of: its event is the user's next.
    pub(crate) async fn store_silently(&self, user: &User) -> Lease {
        let new = NewMessage {
            user: user.id,
            thread: user.thread,
            message: Uuid::new_v4(),
            text: "unheard",
            instance: "another",
            until_ms: now_ms() + 600_000,
            correlation: "unheard",
            runs_max: i64::MAX,
        };
        match self.app.store.accept(new).await.unwrap() {
            Accepted::New { lease, .. } => lease,
            other => panic!("{other:?}"),
        }
    }

    /// Stores as many long pieces of an answer, which no bus tells of.
    pub(crate) async fn store_much(&self, user: &User, count: usize, bytes: usize) {
        let lease = self.store_silently(user).await;
        for offset in 0..count {
            let what = What::AgentText { offset, text: "x".repeat(bytes) };
            self.app.store.append(&lease, &what).await.unwrap();
        }
    }

    /// Asks over HTTP/1.1, on a connection of its own.
    pub(crate) async fn ask(&self, method: &str, target: &str, fields: &str, body: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let head = format!(
            "{method} {target} HTTP/1.1\r\nhost: {}\r\ncontent-length: {}\r\n{fields}connection: close\r\n\r\n",
            self.address,
            body.len()
        );
        stream.write_all((head + body).as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_ascii_lowercase(), body: body.into() }
    }
}

impl Answer {
    /// Its body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Settings in which nothing is felt of a bound.
fn roomy() -> Settings {
    let mut settings = Settings::read(&HashMap::<String, String>::new()).unwrap();
    let often = NonZeroU32::new(10_000).unwrap();
    settings.database = "sqlite::memory:".into();
    settings.lease = Duration::from_secs(30);
    settings.auth.name_attempts = often;
    settings.auth.address_attempts = often;
    settings.socket = SocketSettings {
        heartbeat: Duration::from_secs(60),
        write_within: Duration::from_secs(30),
        sockets_max: 1000,
        messages_a_minute: 10_000,
    };
    settings
}

/// What makes the model think for ever.
pub(crate) const THINK: &str = "Think.";

/// Says the same to everybody: a thought, a call, and an answer.
struct Script;

impl Model for Script {
    fn name(&self) -> &str {
        "script"
    }

    fn respond(&self, turn: Turn) -> BoxStream<'static, Result<Piece, ModelError>> {
        if turn.conversation.last() == Some(&Said::User(THINK.into())) {
            return stream::once(async { Ok(Piece::Thinking("Well.".into())) })
                .chain(stream::pending())
                .boxed();
        }
        let pieces = if matches!(turn.conversation.last(), Some(Said::Tool { .. })) {
            // One piece: how many events two of them are is a matter of time.
            vec![Piece::Text("It is noon.".into())]
        } else {
            let (call, tool) = ("call".into(), "clock".into());
            vec![
                Piece::Thinking("I look at the clock.".into()),
                Piece::Call { call, tool, input: json!({}) },
            ]
        };
        stream::iter(pieces)
            .then(async |piece| {
                // Others come first: a client may leave between two pieces.
                tokio::task::yield_now().await;
                Ok(piece)
            })
            .boxed()
    }
}

/// A tool.
struct Clock;

impl Tool for Clock {
    fn spec(&self) -> ToolSpec {
        ToolSpec { name: "clock".into(), description: "Tells the time.".into(), input: json!({}) }
    }

    fn call(&self, _caller: Caller, _input: Value) -> BoxFuture<'_, Result<Value, String>> {
        Box::pin(async { Ok(json!({ "time": "12:00" })) })
    }
}
