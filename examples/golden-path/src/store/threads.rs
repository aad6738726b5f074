//! Threads, and events as they are read.
//!
//! Owns the reading of what was stored. Must never answer for a thread without asking whose it is.

use uuid::Uuid;

use super::work::{Row, Work, values};
use super::{Store, StoreError, Thread};
use crate::clock::now_ms;
use crate::event::{Event, ThreadId, UserId, What};

impl Store {
    /// Makes a thread.
    ///
    /// # Errors
    ///
    /// The database, or there is no such user.
    pub async fn create_thread(&self, user: UserId, title: &str) -> Result<Thread, StoreError> {
        let thread = Thread { id: Uuid::now_v7(), title: title.to_owned(), made_ms: now_ms() };
        let mut work = self.database.writing().await?;
        work.change(
            "INSERT INTO threads (id, user_id, title, made_ms) VALUES ($1, $2, $3, $4)",
            values![thread.id, user, title, thread.made_ms],
        )
        .await?;
        work.commit().await?;
        Ok(thread)
    }

    /// A user's threads, newest first, at most 100.
    ///
    /// # Errors
    ///
    /// The database.
    pub async fn threads(&self, user: UserId) -> Result<Vec<Thread>, StoreError> {
        let mut work = self.database.reading().await?;
        let newest = work.rows(
            "SELECT id, title, made_ms FROM threads WHERE user_id = $1
             ORDER BY made_ms DESC, id DESC LIMIT 100",
            values![user],
        );
        newest.await?.iter().map(thread).collect()
    }

    /// The number of a user's newest event; 0 if there is none.
    ///
    /// # Errors
    ///
    /// The database.
    pub async fn last_event(&self, user: UserId) -> Result<i64, StoreError> {
        let mut work = self.database.reading().await?;
        let last = "SELECT last_event FROM users WHERE id = $1";
        work.row(last, values![user]).await?.map_or(Ok(0), |row| row.get("last_event"))
    }

    /// A user's events after this number, in order, at most `limit`.
    ///
    /// # Errors
    ///
    /// The database.
    pub async fn events_after(
        &self,
        user: UserId,
        after: i64,
        limit: i64,
    ) -> Result<Vec<Event>, StoreError> {
        let mut work = self.database.reading().await?;
        let found = work.rows(
            "SELECT id, thread_id, run_id, at_ms, what FROM events
             WHERE user_id = $1 AND id > $2 ORDER BY id LIMIT $3",
            values![user, after, limit.max(0)],
        );
        found.await?.iter().map(event).collect()
    }

    /// The events of one of a user's threads after this number, in order, at most `limit`; `None` if the user has
    /// no such thread.
    ///
    /// # Errors
    ///
    /// The database.
    pub async fn thread_events(
        &self,
        user: UserId,
        thread: ThreadId,
        after: i64,
        limit: i64,
    ) -> Result<Option<Vec<Event>>, StoreError> {
        let mut work = self.database.reading().await?;
        if !has_thread(&mut work, user, thread).await? {
            return Ok(None);
        }
        let found = work.rows(
            "SELECT id, thread_id, run_id, at_ms, what FROM events
             WHERE user_id = $1 AND thread_id = $2 AND id > $3 ORDER BY id LIMIT $4",
            values![user, thread, after, limit.max(0)],
        );
        found.await?.iter().map(event).collect::<Result<_, _>>().map(Some)
    }
}

/// Whether this user has this thread.
pub(super) async fn has_thread(
    work: &mut Work,
    user: UserId,
    thread: ThreadId,
) -> Result<bool, StoreError> {
    let find = "SELECT id FROM threads WHERE id = $1 AND user_id = $2";
    Ok(work.row(find, values![thread, user]).await?.is_some())
}

/// An event from its row.
pub(super) fn event(row: &Row) -> Result<Event, StoreError> {
    Ok(Event {
        id: row.get("id")?,
        thread: row.get("thread_id")?,
        run: row.get("run_id")?,
        at_ms: row.get("at_ms")?,
        what: what(&row.get::<String>("what")?)?,
    })
}

fn what(json: &str) -> Result<What, StoreError> {
    // Not serde's own words: they may quote what the user said.
    serde_json::from_str(json)
        .map_err(|_| StoreError::Misunderstood("an event that can't be read".into()))
}

fn thread(row: &Row) -> Result<Thread, StoreError> {
    Ok(Thread { id: row.get("id")?, title: row.get("title")?, made_ms: row.get("made_ms")? })
}
