//! Messages and the runs that answer them.
//!
//! Owns the order: stored, then told. Must never tell what is not stored, and must never leave a run without an end:
//! what an instance leaves behind another takes over.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use uuid::Uuid;

use crate::agent::Model;
use crate::agent::registry::Registry;
use crate::bus::Bus;
use crate::event::{Event, RunId, ThreadId, UserId};
use crate::store::{Store, StoreError};

/// The chats of this instance. Clones are handles to the same ones.
#[derive(Clone)]
pub struct Chat {}

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
    pub fn begin(_parts: ChatParts) -> Self {
        Self {}
    }

    /// Stores a message, tells it, and begins its run. The same message again gives the same event and no other run.
    ///
    /// # Errors
    ///
    /// See [`ChatError`].
    pub async fn send(
        &self,
        _user: UserId,
        _thread: ThreadId,
        _message: Uuid,
        _text: &str,
        _correlation: &str,
    ) -> Result<Event, ChatError> {
        Err(ChatError::NoSuchThread)
    }

    /// Ends a run, wherever it is; whether this user has such a run.
    ///
    /// # Errors
    ///
    /// The database.
    pub async fn cancel(&self, _user: UserId, _run: RunId) -> Result<bool, ChatError> {
        Err(ChatError::NoSuchThread)
    }

    /// Whether the supervisor works: how long ago it last renewed its leases, and how many runs it has.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn supervisor(&self) -> Result<Value, String> {
        Err("not built yet".into())
    }

    /// Takes no new run, lets those on their way end within `within`, and gives the others back.
    pub async fn close(&self, _within: Duration) {}
}
