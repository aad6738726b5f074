//! Messages, runs, and events as they are written.
//!
//! Owns the order in which rows are held: first the user's, then the run's, so that nobody waits in a circle. Must
//! never let two instances write to one run, or store one message twice.

use uuid::Uuid;

use super::threads::{event, has_thread};
use super::work::{Row, Work, values};
use super::{Accepted, AppendError, Claim, Lease, NewMessage, Store, StoreError};
use crate::clock::now_ms;
use crate::event::{Event, RunId, ThreadId, UserId, What};

/// The epoch of a run that was never taken over.
const FIRST: i64 = 1;

/// What is due goes to whoever asks. The text between the braces is PostgreSQL's alone: there, of two that ask at
/// once, the second takes others instead of waiting. SQLite has one writer at a time.
macro_rules! take_over {
    ($skip:literal) => {
        concat!(
            "WITH due AS MATERIALIZED (
               SELECT id FROM runs WHERE ended_ms IS NULL AND until_ms <= $2
               ORDER BY until_ms, id LIMIT $4 ",
            $skip,
            ") UPDATE runs SET instance = $1, until_ms = $3, epoch = epoch + 1
             WHERE id IN (SELECT id FROM due) AND ended_ms IS NULL AND until_ms <= $2
             RETURNING id, thread_id, user_id, answers, epoch, correlation, cancel_ms"
        )
    };
}

/// Which runs are meant comes as one JSON array, which the two databases take apart each in its own way.
macro_rules! renew {
    ($ids:literal) => {
        concat!(
            "UPDATE runs SET until_ms = $3
             WHERE id IN (SELECT ",
            $ids,
            ") AND instance = $2 AND ended_ms IS NULL
             RETURNING id, cancel_ms"
        )
    };
}

impl Store {
    /// Stores a message and begins its run, in one transaction.
    ///
    /// After [`StoreError::Unavailable`] it may be stored nevertheless. Said again it is found; its run goes to
    /// whoever takes it over, since nobody prolongs it.
    ///
    /// # Errors
    ///
    /// The database.
    pub async fn accept(&self, new: NewMessage<'_>) -> Result<Accepted, StoreError> {
        let what = What::UserMessage { message: new.message, text: new.text.to_owned() };
        let mut work = self.database.writing().await?;
        let Some(id) = next_number(&mut work, new.user).await? else {
            return Ok(Accepted::NoSuchThread);
        };
        // We hold the user's row: whoever stores the same message has done so or waits.
        let before = work.row(
            "SELECT id, thread_id, run_id, at_ms, what FROM events
             WHERE user_id = $1 AND message = $2",
            values![new.user, new.message],
        );
        if let Some(row) = before.await? {
            return Ok(Accepted::Again(event(&row)?));
        }
        if !has_thread(&mut work, new.user, new.thread).await? {
            return Ok(Accepted::NoSuchThread);
        }
        if count_open(&mut work, new.user).await? >= new.runs_max {
            return Ok(Accepted::TooMany);
        }
        let event = Event { id, thread: new.thread, run: None, at_ms: now_ms(), what };
        insert(&mut work, new.user, &event).await?;
        let lease = begin_run(&mut work, &new, id).await?;
        work.commit().await?;
        Ok(Accepted::New { event, lease })
    }

    /// Stores what a run says, under the next number of its user. [`What::AgentCompleted`] ends the run.
    ///
    /// The same word twice in a row is one event, and is answered with it. So after [`StoreError::Unavailable`],
    /// when nobody knows whether it was stored, it is to be said again.
    ///
    /// # Errors
    ///
    /// The run is another's, or the database.
    pub async fn append(&self, lease: &Lease, what: &What) -> Result<Event, AppendError> {
        let mut work = self.database.writing().await?;
        let id = next_number(&mut work, lease.user).await?.ok_or(AppendError::NotOurs)?;
        if let Some(last) = last_word(&mut work, lease).await?
            && last.what == *what
        {
            return Ok(last);
        }
        let at_ms = now_ms();
        let ended_ms = matches!(what, What::AgentCompleted { .. }).then_some(at_ms);
        // The fence. A run that was taken over amid this has another epoch by now.
        let ours = work.change(
            "UPDATE runs SET last_event = $5, said_epoch = epoch, ended_ms = $6
             WHERE id = $1 AND user_id = $2 AND thread_id = $3 AND epoch = $4
               AND ended_ms IS NULL",
            values![lease.run, lease.user, lease.thread, lease.epoch, id, ended_ms],
        );
        if ours.await? == 0 {
            return Err(AppendError::NotOurs);
        }
        let run = Some(lease.run);
        let event = Event { id, thread: lease.thread, run, at_ms, what: what.clone() };
        insert(&mut work, lease.user, &event).await?;
        work.commit().await?;
        Ok(event)
    }

    /// How many of a user's runs have not ended.
    ///
    /// # Errors
    ///
    /// The database.
    pub async fn open_runs(&self, user: UserId) -> Result<i64, StoreError> {
        count_open(&mut self.database.reading().await?, user).await
    }

    /// Asks for the end of a run; whether this user has such a run that has not ended.
    ///
    /// # Errors
    ///
    /// The database.
    pub async fn ask_cancel(&self, user: UserId, run: RunId) -> Result<bool, StoreError> {
        let mut work = self.database.writing().await?;
        let asked = work.change(
            "UPDATE runs SET cancel_ms = $3 WHERE id = $1 AND user_id = $2 AND ended_ms IS NULL",
            values![run, user, now_ms()],
        );
        let is_open = asked.await? == 1;
        work.commit().await?;
        Ok(is_open)
    }

    /// Prolongs the leases of these runs as far as they are this instance's, and names those of them that are to be
    /// cancelled.
    ///
    /// Only runs that somebody works on: one that was stored for this instance without its knowledge, since the
    /// answer was lost, must go to whoever takes it over.
    ///
    /// # Errors
    ///
    /// The database.
    pub async fn renew(
        &self,
        instance: &str,
        runs: &[RunId],
        until_ms: i64,
    ) -> Result<Vec<RunId>, StoreError> {
        // One statement, however many there are: leases are renewed often.
        let runs = serde_json::to_string(runs)
            .map_err(|_| StoreError::Misunderstood("runs that can't be written".into()))?;
        let mut work = self.database.writing().await?;
        let sql = work.pick(
            renew!("unhex(replace(value, '-', '')) FROM json_each($1)"),
            renew!("value::uuid FROM json_array_elements_text($1::json) AS value"),
        );
        let renewed = work.rows(sql, values![&*runs, instance, until_ms]).await?;
        let mut cancelled = Vec::new();
        for row in renewed {
            if row.get::<Option<i64>>("cancel_ms")?.is_some() {
                cancelled.push(row.get("id")?);
            }
        }
        work.commit().await?;
        Ok(cancelled)
    }

    /// Takes over unfinished runs whose lease has ended. Of two that ask at the same time each gets others.
    ///
    /// # Errors
    ///
    /// The database.
    pub async fn take_over(&self, claim: Claim<'_>) -> Result<Vec<Lease>, StoreError> {
        let mut work = self.database.writing().await?;
        let sql = work.pick(take_over!(""), take_over!("FOR UPDATE SKIP LOCKED"));
        let Claim { instance, now_ms, until_ms, at_most } = claim;
        let taken = work.rows(sql, values![instance, now_ms, until_ms, at_most.max(0)]).await?;
        let leases = taken.iter().map(lease).collect::<Result<_, _>>()?;
        work.commit().await?;
        Ok(leases)
    }

    /// Gives back the leases of this instance, so that others may take its runs over at once.
    ///
    /// # Errors
    ///
    /// The database.
    pub async fn release(&self, instance: &str) -> Result<(), StoreError> {
        let mut work = self.database.writing().await?;
        work.change(
            "UPDATE runs SET instance = NULL, until_ms = 0
             WHERE instance = $1 AND ended_ms IS NULL",
            values![instance],
        )
        .await?;
        work.commit().await
    }
}

/// The next number of a user, whose row is ours until the end of the transaction. If that is undone, so is this.
async fn next_number(work: &mut Work, user: UserId) -> Result<Option<i64>, StoreError> {
    let next = "UPDATE users SET last_event = last_event + 1 WHERE id = $1 RETURNING last_event";
    work.row(next, values![user]).await?.map(|row| row.get("last_event")).transpose()
}

/// What the holder of this lease said last.
async fn last_word(work: &mut Work, lease: &Lease) -> Result<Option<Event>, StoreError> {
    let last = work.row(
        "SELECT events.id, events.thread_id, events.run_id, events.at_ms, events.what
         FROM runs JOIN events ON events.user_id = runs.user_id AND events.id = runs.last_event
         WHERE runs.id = $1 AND runs.user_id = $2 AND runs.epoch = $3 AND runs.said_epoch = $3",
        values![lease.run, lease.user, lease.epoch],
    );
    last.await?.as_ref().map(event).transpose()
}

async fn count_open(work: &mut Work, user: UserId) -> Result<i64, StoreError> {
    let count = "SELECT COUNT(*) AS open FROM runs WHERE user_id = $1 AND ended_ms IS NULL";
    work.row(count, values![user]).await?.map_or(Ok(0), |row| row.get("open"))
}

async fn insert(work: &mut Work, user: UserId, event: &Event) -> Result<(), StoreError> {
    let what = serde_json::to_string(&event.what)
        .map_err(|_| StoreError::Misunderstood("an event that can't be written".into()))?;
    let message = match event.what {
        What::UserMessage { message, .. } => Some(message),
        _ => None,
    };
    work.change(
        "INSERT INTO events (user_id, id, thread_id, run_id, message, at_ms, what)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        values![user, event.id, event.thread, event.run, message, event.at_ms, &*what],
    )
    .await?;
    Ok(())
}

async fn begin_run(
    work: &mut Work,
    new: &NewMessage<'_>,
    answers: i64,
) -> Result<Lease, StoreError> {
    let run = Uuid::now_v7();
    work.change(
        "INSERT INTO runs
           (id, user_id, thread_id, answers, correlation, instance, until_ms, epoch)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        values![
            run,
            new.user,
            new.thread,
            answers,
            new.correlation,
            new.instance,
            new.until_ms,
            FIRST
        ],
    )
    .await?;
    Ok(Lease {
        run,
        thread: new.thread,
        user: new.user,
        answers,
        epoch: FIRST,
        correlation: new.correlation.to_owned(),
        is_cancelled: false,
    })
}

fn lease(row: &Row) -> Result<Lease, StoreError> {
    Ok(Lease {
        run: row.get::<RunId>("id")?,
        thread: row.get::<ThreadId>("thread_id")?,
        user: row.get::<UserId>("user_id")?,
        answers: row.get("answers")?,
        epoch: row.get("epoch")?,
        correlation: row.get("correlation")?,
        is_cancelled: row.get::<Option<i64>>("cancel_ms")?.is_some(),
    })
}
