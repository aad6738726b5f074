//! What must outlive an instance: users, sessions, keys, threads, events, runs.
//!
//! Owns the database. SQLite and PostgreSQL have one behaviour, and one set of tests. Must never give out a row of
//! another user's, and must never tell that something is stored before it is committed.
//!
//! What it does is in `accounts` (users, sessions, keys), `threads` (threads, and events as they are read) and `runs`
//! (messages, leases, and events as they are written). Each asks by `work`, which writes a statement once for both
//! databases; `database` reaches them; `fault` says whose fault an error is.
//!
//! Nothing is lost and nothing is doubled by three rules. Whoever stores an event holds the row of its user, so
//! numbers have no gap. A run has an epoch, which grows when it is taken over, and only who has the newest may write
//! to it. What is said twice, because nobody knew whether it was stored, is stored once: a message by the number that
//! the client gave it, a word of a run by being the same as the last one.

mod accounts;
mod database;
mod fault;
mod runs;
mod threads;
mod work;

use uuid::Uuid;

use crate::event::{Event, RunId, SessionId, ThreadId, UserId};

use self::database::Database;

/// A database. Clones are handles to the same one.
#[derive(Clone, Debug)]
pub struct Store {
    database: Database,
}

/// Why it could not be done.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The address of the database says nothing that we know, or names a user, a password or a database that the
    /// server does not. Whoever set it must change it.
    #[error("DATABASE_URL: {0}")]
    Address(String),
    /// The database does not answer, or not now: try again.
    #[error("the database does not answer: {0}")]
    Unavailable(String),
    /// The database answered what we can't read, or was asked what it refuses: our mistake.
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
    /// The number of the event that it answers: its user's message.
    pub answers: i64,
    /// How often it was taken over: only the newest may write.
    pub epoch: i64,
    /// The handshake or request that began it, for the log.
    pub correlation: String,
    /// Whether its user wants it to end.
    pub is_cancelled: bool,
}

/// A message to be stored, and who begins its run.
#[derive(Clone, Copy, Debug)]
pub struct NewMessage<'a> {
    /// Who says it.
    pub user: UserId,
    /// Where.
    pub thread: ThreadId,
    /// The client's own number for it.
    pub message: Uuid,
    /// What is said.
    pub text: &'a str,
    /// Which instance answers.
    pub instance: &'a str,
    /// Until when the run is that instance's.
    pub until_ms: i64,
    /// The handshake or request that brought it, for the log.
    pub correlation: &'a str,
    /// How many runs its user may have on their way, this one included.
    pub runs_max: i64,
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
    /// This user has as many runs on their way as it may have.
    TooMany,
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
    /// `url` is `sqlite:PATH`, `sqlite::memory:`, `postgres://…` or `postgresql://…`. A database in memory is this
    /// store's own, and ends with the last of its handles.
    ///
    /// # Errors
    ///
    /// The address is wrong, or the database does not answer.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        Ok(Self { database: Database::open(url).await? })
    }

    /// Asks the database for an answer, as its check does.
    ///
    /// # Errors
    ///
    /// It does not answer.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let mut work = self.database.reading().await?;
        // From a table: SQLite would answer for a file that it can't read.
        work.rows("SELECT name FROM turns LIMIT 1", []).await?;
        Ok(())
    }
}
