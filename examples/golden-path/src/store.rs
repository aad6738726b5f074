//! What must outlive an instance: users, sessions, keys, threads, events, runs.
//!
//! Owns the database. SQLite and PostgreSQL have one behaviour, and one set of tests. Must never give out a row of
//! another user's, and must never tell that something is stored before it is committed.

use uuid::Uuid;

use crate::event::{Event, RunId, SessionId, ThreadId, UserId, What};

/// A database. Clones are handles to the same one.
#[derive(Clone, Debug)]
pub struct Store {}

/// Why it could not be done.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The address of the database says nothing that we know. Whoever set it must change it.
    #[error("DATABASE_URL: {0}")]
    Address(String),
    /// The database does not answer, or not now: try again.
    #[error("the database does not answer: {0}")]
    Unavailable(String),
    /// The database answered what we can't read: our mistake.
    #[error("the database and the service do not understand each other: {0}")]
    Misunderstood(String),
}

/// A user, without the password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Who.
    pub id: UserId,
    /// The name that is logged in with: lower case, unique.
    pub name: String,
}

/// A key that signs tokens, shared by all instances.
#[derive(Clone)]
pub struct KeyRow {
    /// Its name in a token's head (`kid`, RFC 7515 section 4.1.4).
    pub kid: String,
    /// The private key: PKCS #8.
    pub private: Vec<u8>,
    /// When it was made, in milliseconds since 1970.
    pub made_ms: i64,
}

/// A thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thread {
    /// Which.
    pub id: ThreadId,
    /// What its user calls it.
    pub title: String,
    /// When it was made, in milliseconds since 1970.
    pub made_ms: i64,
}

/// What became of a refresh token that was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// It was good, and the new one has taken its place.
    Rotated {
        /// The log-in that it belongs to.
        session: SessionId,
        /// Whose.
        user: User,
    },
    /// It was used before: somebody has a copy, so the whole session is revoked now.
    Reused {
        /// The log-in that is over.
        session: SessionId,
    },
    /// It is unknown, too old, or its session was revoked.
    Void,
}

/// A run that this instance may write to, until somebody else takes it over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Which run.
    pub run: RunId,
    /// In which thread.
    pub thread: ThreadId,
    /// For whom.
    pub user: UserId,
    /// How often it was taken over: only the newest may write.
    pub epoch: i64,
    /// The handshake or request that began it, for the log.
    pub correlation: String,
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// It is stored, and its run is ours to do.
    New {
        /// The message.
        event: Event,
        /// The run that answers it.
        lease: Lease,
    },
    /// It was stored before, as this event; its run is on its way or done.
    Again(Event),
    /// This user has no such thread.
    NoSuchThread,
}

/// Why nothing was written to a run.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Another instance has taken the run over, or it has ended.
    #[error("the run is not ours any more")]
    NotOurs,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Which unfinished runs to take over.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// Which instance asks.
    pub instance: &'a str,
    /// Now, in milliseconds since 1970: leases that ended before are void.
    pub now_ms: i64,
    /// Until when the new lease lasts.
    pub until_ms: i64,
    /// How many at most.
    pub at_most: i64,
}

impl Store {
    /// Connects and brings the tables up to date. Several instances may do so at the same time.
    ///
    /// `url` is `sqlite:PATH`, `sqlite::memory:`, `postgres://…` or `postgresql://…`.
    ///
    /// # Errors
    ///
    /// The address is wrong, or the database does not answer.
    pub async fn open(_url: &str) -> Result<Self, StoreError> {
        Err(unbuilt())
    }

    /// Asks the database for an answer, as its check does.
    ///
    /// # Errors
    ///
    /// It does not answer.
    pub async fn ping(&self) -> Result<(), StoreError> {
        Err(unbuilt())
    }

    /// Makes a user; `None` if the name is taken.
    ///
    /// # Errors
    ///
    /// The database.
    pub async fn create_user(&self, _name: &str, _hash: &str) -> Result<Option<User>, StoreError> {
        Err(unbuilt())
    }

    /// The user of this name, with the password's hash.
    ///
    /// # Errors
    ///
    /// The database.
    pub async fn user_by_name(&self, _name: &str) -> Result<Option<(User, String)>, StoreError> {
        Err(unbuilt())
    }

    /// Begins a session with its first refresh token, of which only the hash is known here.
    ///
    /// # Errors
    ///
    /// The database.
    pub async fn begin_session(
        &self,
        _user: UserId,
        _token_hash: &[u8; 32],
        _until_ms: i64,
    ) -> Result<SessionId, StoreError> {
        Err(unbuilt())
    }

    /// Takes a refresh token for a new one. Of two at the same time one wins; the other is a reuse.
    ///
    /// # Errors
    ///
    /// The database.
    pub async fn rotate(
        &self,
        _old_hash: &[u8; 32],
        _new_hash: &[u8; 32],
        _now_ms: i64,
        _until_ms: i64,
    ) -> Result<Rotation, StoreError> {
        Err(unbuilt())
    }

    /// Ends a session: none of its tokens is good any more.
    ///
    /// # Errors
    ///
    /// The database.
    pub async fn revoke(&self, _session: SessionId) -> Result<(), StoreError> {
        Err(unbuilt())
    }

    /// Whether a session is neither revoked nor over.
    ///
    /// # Errors
    ///
    /// The database.
    pub async fn is_live(&self, _session: SessionId, _now_ms: i64) -> Result<bool, StoreError> {
        Err(unbuilt())
    }

    /// The keys, oldest first.
    ///
    /// # Errors
    ///
    /// The database.
    pub async fn keys(&self) -> Result<Vec<KeyRow>, StoreError> {
        Err(unbuilt())
    }

    /// Adds a key unless another instance has added one made after `unless_after_ms`, and removes those made
    /// before `forget_before_ms`. Returns whether it was added.
    ///
    /// # Errors
    ///
    /// The database.
    pub async fn add_key(
        &self,
        _key: &KeyRow,
        _unless_after_ms: i64,
        _forget_before_ms: i64,
    ) -> Result<bool, StoreError> {
        Err(unbuilt())
    }

    /// Makes a thread.
    ///
    /// # Errors
    ///
    /// The database.
    pub async fn create_thread(&self, _user: UserId, _title: &str) -> Result<Thread, StoreError> {
        Err(unbuilt())
    }

    /// A user's threads, newest first, at most 100.
    ///
    /// # Errors
    ///
    /// The database.
    pub async fn threads(&self, _user: UserId) -> Result<Vec<Thread>, StoreError> {
        Err(unbuilt())
    }

    /// Stores a message and begins its run, in one transaction.
    ///
    /// # Errors
    ///
    /// The database.
    #[expect(clippy::too_many_arguments, reason = "replaced when built")]
    pub async fn accept(
        &self,
        _user: UserId,
        _thread: ThreadId,
        _message: Uuid,
        _text: &str,
        _instance: &str,
        _until_ms: i64,
        _correlation: &str,
    ) -> Result<Accepted, StoreError> {
        Err(unbuilt())
    }

    /// Stores what a run says, under the next number of its user. [`What::AgentCompleted`] ends the run.
    ///
    /// # Errors
    ///
    /// The run is another's, or the database.
    pub async fn append(&self, _lease: &Lease, _what: &What) -> Result<Event, AppendError> {
        Err(unbuilt().into())
    }

    /// A user's events after this number, in order, at most `limit`.
    ///
    /// # Errors
    ///
    /// The database.
    pub async fn events_after(
        &self,
        _user: UserId,
        _after: i64,
        _limit: i64,
    ) -> Result<Vec<Event>, StoreError> {
        Err(unbuilt())
    }

    /// The events of one of a user's threads after this number, in order, at most `limit`; `None` if the user has
    /// no such thread.
    ///
    /// # Errors
    ///
    /// The database.
    pub async fn thread_events(
        &self,
        _user: UserId,
        _thread: ThreadId,
        _after: i64,
        _limit: i64,
    ) -> Result<Option<Vec<Event>>, StoreError> {
        Err(unbuilt())
    }

    /// How many of a user's runs have not ended.
    ///
    /// # Errors
    ///
    /// The database.
    pub async fn open_runs(&self, _user: UserId) -> Result<i64, StoreError> {
        Err(unbuilt())
    }

    /// Asks for the end of a run; whether this user has such a run that has not ended.
    ///
    /// # Errors
    ///
    /// The database.
    pub async fn ask_cancel(&self, _user: UserId, _run: RunId) -> Result<bool, StoreError> {
        Err(unbuilt())
    }

    /// Prolongs all leases of this instance, and names those of its runs that are to be cancelled.
    ///
    /// # Errors
    ///
    /// The database.
    pub async fn renew(&self, _instance: &str, _until_ms: i64) -> Result<Vec<RunId>, StoreError> {
        Err(unbuilt())
    }

    /// Takes over unfinished runs whose lease has ended. Of two that ask at the same time each gets others.
    ///
    /// # Errors
    ///
    /// The database.
    pub async fn take_over(&self, _claim: Claim<'_>) -> Result<Vec<Lease>, StoreError> {
        Err(unbuilt())
    }

    /// Gives back the leases of this instance, so that others may take its runs over at once.
    ///
    /// # Errors
    ///
    /// The database.
    pub async fn release(&self, _instance: &str) -> Result<(), StoreError> {
        Err(unbuilt())
    }
}

const fn dummy() {}
fn unbuilt() -> StoreError {
    StoreError::Unavailable("not built yet".into())
}
