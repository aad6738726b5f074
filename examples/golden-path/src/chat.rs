//! Messages and the runs that answer them.
//!
//! Owns the order: stored, then told. Must never tell what is not stored, and must never leave a run without an end:
//! what an instance leaves behind another takes over.

mod run;
mod sight;
mod story;
mod supervisor;
mod voice;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::{RwLock, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use crate::agent::Model;
use crate::agent::registry::Registry;
use crate::bus::{Bus, Signal};
use crate::clock::now_ms;
use crate::event::{Event, RunId, ThreadId, UserId};
use crate::store::{Accepted, Lease, NewMessage, Store, StoreError};

/// The chats of this instance. Clones are handles to the same ones. When the last is dropped its runs stop where they
/// are, as if the instance had died.
#[derive(Clone)]
pub struct Chat {
    held: Arc<Held>,
}

/// What ends with the last handle.
struct Held {
    shared: Arc<Shared>,
    supervisor: JoinHandle<()>,
}

/// What the tasks work with.
struct Shared {
    parts: ChatParts,
    doing: Mutex<HashMap<RunId, Doing>>,
    /// How many runs there are.
    count: watch::Sender<usize>,
    /// When leases were last renewed.
    beat: Mutex<Instant>,
    is_closing: AtomicBool,
    /// Held by whoever is beginning runs: leases are given back when nobody is.
    beginning: RwLock<()>,
}

/// A run that is on its way here.
struct Doing {
    epoch: i64,
    cancelled: watch::Sender<bool>,
    /// Dropped, it stops the run where it is.
    _going: oneshot::Sender<()>,
}

/// Forgets a run when its task ends, however it ends.
struct Forget {
    shared: Arc<Shared>,
    run: RunId,
    epoch: i64,
}

/// Who works with what.
#[derive(Clone)]
pub struct ChatParts {
    /// Where events are kept.
    pub store: Store,
    /// Who hears of them.
    pub bus: Bus,
    /// Who answers.
    pub model: Arc<dyn Model>,
    /// With what help.
    pub tools: Registry,
    /// The state of the service, for a tool.
    pub service: Arc<dyn Fn() -> Value + Send + Sync>,
    /// This instance, by a name that no other has, in this life or another.
    pub instance: String,
    /// How long a run stays ours without a word from us.
    pub lease: Duration,
}

/// Why a message was not taken. Its words may be shown to the client.
#[derive(Debug, thiserror::Error)]
pub enum ChatError {
    /// This user has no such thread.
    #[error("there is no such thread")]
    NoSuchThread,
    /// The text is empty or longer than [`TEXT_MAX`].
    #[error("a message has 1 to {TEXT_MAX} characters")]
    Unfit,
    /// Too many answers are on their way to this user.
    #[error("wait for an answer first: {RUNS_MAX} are on their way")]
    TooMany,
    /// This instance leaves: try again, with another.
    #[error("this instance leaves: try again")]
    Leaving,
    /// The database: try again.
    #[error("not now; try again")]
    Store(#[source] StoreError),
}

/// The longest message, in characters.
pub const TEXT_MAX: usize = 8000;
/// How many runs a user may have at once.
pub const RUNS_MAX: i64 = 4;

impl Chat {
    /// Begins to supervise: renews leases, and takes over runs that another instance left behind.
    pub fn begin(parts: ChatParts) -> Self {
        let heard = parts.bus.subscribe();
        let shared = Arc::new(Shared {
            parts,
            doing: Mutex::default(),
            count: watch::Sender::new(0),
            beat: Mutex::new(Instant::now()),
            is_closing: AtomicBool::new(false),
            beginning: RwLock::new(()),
        });
        let supervisor = tokio::spawn(supervisor::supervise(Arc::clone(&shared), heard));
        Self { held: Arc::new(Held { shared, supervisor }) }
    }

    /// Stores a message, tells it, and begins its run. The same message again gives the same event and no other run.
    ///
    /// # Errors
    ///
    /// See [`ChatError`].
    pub async fn send(
        &self,
        user: UserId,
        thread: ThreadId,
        message: Uuid,
        text: &str,
        correlation: &str,
    ) -> Result<Event, ChatError> {
        let is_fit =
            !text.trim().is_empty() && text.chars().nth(TEXT_MAX).is_none() && !text.contains('\0');
        if !is_fit {
            return Err(ChatError::Unfit);
        }
        let shared = &self.held.shared;
        let _beginning = shared.beginning.read().await;
        if shared.is_closing() {
            return Err(ChatError::Leaving);
        }
        let parts = &shared.parts;
        let new = NewMessage {
            user,
            thread,
            message,
            text,
            instance: &parts.instance,
            until_ms: shared.lease_until_ms(),
            correlation,
            runs_max: RUNS_MAX,
        };
        match parts.store.accept(new).await.map_err(ChatError::Store)? {
            Accepted::New { event, lease } => {
                let correlation = correlation.to_owned();
                parts.bus.publish(Signal::Event { user, event: event.clone(), correlation });
                shared.begin(lease);
                Ok(event)
            }
            Accepted::Again(event) => Ok(event),
            Accepted::NoSuchThread => Err(ChatError::NoSuchThread),
            Accepted::TooMany => Err(ChatError::TooMany),
        }
    }

    /// Ends a run, wherever it is; whether this user has such a run.
    ///
    /// # Errors
    ///
    /// The database.
    pub async fn cancel(&self, user: UserId, run: RunId) -> Result<bool, ChatError> {
        let parts = &self.held.shared.parts;
        let is_open = parts.store.ask_cancel(user, run).await.map_err(ChatError::Store)?;
        if is_open {
            self.held.shared.cancel(run);
            parts.bus.publish(Signal::Cancel { run });
        }
        Ok(is_open)
    }

    /// Whether the supervisor works: how long ago it last renewed its leases, and how many runs it has.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn supervisor(&self) -> Result<Value, String> {
        let shared = &self.held.shared;
        if self.held.supervisor.is_finished() {
            return Err("the supervisor has died".into());
        }
        let age = shared.beat.lock().unwrap_or_else(PoisonError::into_inner).elapsed();
        if age > supervisor::patience(shared.parts.lease) {
            return Err(format!("leases were last renewed {} s ago", age.as_secs()));
        }
        Ok(json!({ "runs": *shared.count.borrow(), "renewed_ms_ago": age.as_millis() as u64 }))
    }

    /// Takes no new run, lets those on their way end within `within`, and gives the others back.
    pub async fn close(&self, within: Duration) {
        let shared = &self.held.shared;
        shared.is_closing.store(true, Ordering::Release);
        let mut count = shared.count.subscribe();
        // What is waited for comes with the lock of the count, which must not be kept.
        drop(timeout(within, count.wait_for(|count| *count == 0)).await);
        shared.stop_all();
        // Whatever is being begun is bounded by the store, and stops at once.
        let _none_begins = shared.beginning.write().await;
        shared.stop_all();
        if let Err(error) = shared.parts.store.release(&shared.parts.instance).await {
            tracing::warn!(reason = %error, "runs can't be given back: others wait for their leases");
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.supervisor.abort();
        self.shared.is_closing.store(true, Ordering::Release);
        self.shared.stop_all();
    }
}

impl Drop for Forget {
    fn drop(&mut self) {
        let mut doing = self.shared.doing();
        if doing.get(&self.run).is_some_and(|doing| doing.epoch == self.epoch) {
            doing.remove(&self.run);
        }
        self.shared.count.send_replace(doing.len());
    }
}

impl Shared {
    fn doing(&self) -> MutexGuard<'_, HashMap<RunId, Doing>> {
        // Whole between any two lines: a panic elsewhere leaves nothing half done.
        self.doing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a run, or goes on with one. A run that is on its way here under an older epoch is stopped: our own lease
    /// ran out while the database was away, and we took the run from ourselves.
    fn begin(self: &Arc<Self>, lease: Lease) {
        let Lease { run, epoch, .. } = lease;
        let (cancelled, is_cancelled) = watch::channel(lease.is_cancelled);
        let (going, stopped) = oneshot::channel();
        {
            let mut doing = self.doing();
            let is_newer = doing.get(&run).is_none_or(|older| older.epoch < epoch);
            if self.is_closing() || !is_newer {
                return;
            }
            doing.insert(run, Doing { epoch, cancelled, _going: going });
            self.count.send_replace(doing.len());
        }
        let forget = Forget { shared: Arc::clone(self), run, epoch };
        let parts = self.parts.clone();
        // Not under the lock: a runtime that ends drops the task here and now, and `forget` with it.
        tokio::spawn(async move {
            let _forget = forget;
            tokio::select! {
                _ = stopped => {}
                () = run::carry(parts, lease, is_cancelled) => {}
            }
        });
    }

    fn cancel(&self, run: RunId) {
        if let Some(doing) = self.doing().get(&run) {
            doing.cancelled.send_replace(true);
        }
    }

    fn runs(&self) -> Vec<RunId> {
        self.doing().keys().copied().collect()
    }

    fn stop_all(&self) {
        let all = std::mem::take(&mut *self.doing());
        self.count.send_replace(0);
        drop(all);
    }

    fn is_closing(&self) -> bool {
        self.is_closing.load(Ordering::Acquire)
    }

    fn lease_until_ms(&self) -> i64 {
        let lease = i64::try_from(self.parts.lease.as_millis()).unwrap_or(i64::MAX);
        now_ms().saturating_add(lease)
    }

    fn beaten(&self, now: Instant) {
        *self.beat.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }
}
