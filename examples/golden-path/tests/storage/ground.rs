//! An empty database for one test, and short words for what tests say to it.
//!
//! Owns the PostgreSQL that the tests share: it runs while one of them does, and leaves nothing behind.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak, mpsc};
use std::thread::{self, JoinHandle};

use golden_path::event::{Event, Outcome, ThreadId, UserId, What};
use golden_path::store::{Accepted, AppendError, Claim, Lease, NewMessage, Store, StoreError};
use tempfile::TempDir;
use tokio::sync::{Mutex, oneshot};
use uuid::Uuid;

use crate::postgres_server::Postgres;

/// When leases end, unless a test says otherwise.
pub(crate) const LATER: i64 = 1_000;
/// How often somebody says again what the database did not answer.
pub(crate) const TRIES: u32 = 10;

/// An empty database.
pub(crate) struct Ground {
    url: String,
    _place: Place,
}

enum Place {
    Folder { _kept: TempDir },
    Server { _kept: Arc<Shared> },
}

impl Ground {
    /// A file.
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("chats.db").display());
        Self { url, _place: Place::Folder { _kept: folder } }
    }

    /// A database of the server that all tests share.
    pub(crate) async fn postgres() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let shared = Shared::get().await;
        let name = format!("ground_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let server = shared.server.as_ref().unwrap();
        server.sql(&format!("CREATE DATABASE {name}"));
        let url = server.url("").replace("/postgres", &format!("/{name}"));
        Self { url, _place: Place::Server { _kept: shared } }
    }

    /// Its address.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// A store over it, as one instance has.
    pub(crate) async fn open(&self) -> Store {
        let store = persist!(Store::open(&self.url).await);
        // With a connection in its pool: to make one takes long where nothing is optimized.
        persist!(store.ping().await);
        store
    }
}

/// The PostgreSQL of all tests.
struct Shared {
    server: Option<Postgres>,
    hold: Option<mpsc::Sender<()>>,
    keeper: Option<JoinHandle<()>>,
}

impl Shared {
    async fn get() -> Arc<Self> {
        static RUNNING: Mutex<Weak<Shared>> = Mutex::const_new(Weak::new());
        let mut running = RUNNING.lock().await;
        if let Some(shared) = running.upgrade() {
            return shared;
        }
        let shared = Arc::new(Self::start().await);
        *running = Arc::downgrade(&shared);
        shared
    }

    /// A server dies with the thread that started it, and a test's thread ends before other tests do.
    async fn start() -> Self {
        let (started, server) = oneshot::channel();
        let (hold, held) = mpsc::channel::<()>();
        let keeper = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let server = Postgres::start("max_connections = 300");
            let _nobody_waits = started.send(runtime.unwrap().block_on(server));
            let _dropped = held.recv();
        });
        let server = server.await.expect("PostgreSQL starts");
        Self { server: Some(server), hold: Some(hold), keeper: Some(keeper) }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        drop((self.server.take(), self.hold.take()));
        let _ended = self.keeper.take().map(JoinHandle::join);
    }
}

/// A user of this name with a thread.
pub(crate) async fn somebody(store: &Store, name: &str) -> (UserId, ThreadId) {
    let user = store.create_user(name, "hash").await.unwrap().expect("a free name").id;
    (user, store.create_thread(user, "a thread").await.unwrap().id)
}

/// A message to instance `one`.
pub(crate) const fn said(user: UserId, thread: ThreadId, message: Uuid) -> NewMessage<'static> {
    NewMessage {
        user,
        thread,
        message,
        text: "hello",
        instance: "one",
        until_ms: LATER,
        correlation: "handshake-1",
        runs_max: i64::MAX,
    }
}

/// The run that a new message begins.
pub(crate) async fn begun(store: &Store, user: UserId, thread: ThreadId) -> Lease {
    match store.accept(said(user, thread, Uuid::new_v4())).await.unwrap() {
        Accepted::New { lease, .. } => lease,
        other => panic!("{other:?}"),
    }
}

/// A claim of all runs whose lease has ended by `now_ms`.
pub(crate) const fn claim(instance: &str, now_ms: i64, until_ms: i64) -> Claim<'_> {
    Claim { instance, now_ms, until_ms, at_most: 100 }
}

/// A word of a run.
pub(crate) fn thinking(text: &str) -> What {
    What::AgentThinking { text: text.to_owned() }
}

/// A run's last word.
pub(crate) fn completed() -> What {
    What::AgentCompleted { outcome: Outcome::Completed, text: "done".to_owned() }
}

/// All of a user's events, which must be numbered 1, 2, 3 and so on.
pub(crate) async fn events(store: &Store, user: UserId) -> Vec<Event> {
    let events = store.events_after(user, 0, 100_000).await.unwrap();
    for (expected, event) in (1..).zip(&events) {
        assert_eq!(event.id, expected, "a gap or a double in {events:#?}");
    }
    events
}

/// What of the database kept a run from writing, which is its own.
pub(crate) fn database(error: AppendError) -> StoreError {
    match error {
        AppendError::Store(error) => error,
        AppendError::NotOurs => panic!("it is ours"),
    }
}
