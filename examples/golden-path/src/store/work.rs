//! A piece of work: one connection, and what is asked on it.
//!
//! Owns the statements' way to either database, so that each is written once; the deadline; and what becomes of the
//! connection. A transaction that is dropped without [`Work::commit`] never was. Must never wait without a bound, and
//! must never give a connection back to the pool that may still be in a transaction.

use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Decode, Postgres, Row as _, Sqlite, Type};
use tokio::time::{Instant, timeout, timeout_at};
use uuid::Uuid;

use super::StoreError;
use super::fault::{fault, in_time};

/// How long a piece of work may take, all of its statements together.
pub(super) const WORK: Duration = Duration::from_secs(5);
/// How long a connection may take to be clean again before it is closed instead.
const GIVE_BACK: Duration = Duration::from_secs(2);

/// A connection for one piece of work.
pub(super) struct Work {
    /// None only once it is dropped.
    held: Option<Held>,
    until: Instant,
    transaction: Transaction,
}

/// A connection out of its pool.
pub(super) enum Held {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Transaction {
    None,
    Open,
    /// A statement of it failed. PostgreSQL would answer a COMMIT with a silent ROLLBACK.
    Failed,
}

/// What a statement is given for `$1`, `$2` and so on.
#[derive(Clone, Copy)]
pub(super) enum Value<'a> {
    Id(Uuid),
    MaybeId(Option<Uuid>),
    Number(i64),
    MaybeNumber(Option<i64>),
    Text(&'a str),
    Bytes(&'a [u8]),
}

/// A row of an answer.
pub(super) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

/// The values of a statement, in order.
macro_rules! values {
    ($($value:expr),* $(,)?) => { [$($crate::store::work::Value::from($value)),*] };
}
pub(super) use values;

/// A statement with its values, for either database.
macro_rules! bound {
    ($sql:expr, $values:expr) => {
        $values.iter().fold(sqlx::query($sql), |query, value| match *value {
            Value::Id(id) => query.bind(id),
            Value::MaybeId(id) => query.bind(id),
            Value::Number(number) => query.bind(number),
            Value::MaybeNumber(number) => query.bind(number),
            Value::Text(text) => query.bind(text.to_owned()),
            Value::Bytes(bytes) => query.bind(bytes.to_vec()),
        })
    };
}

impl Work {
    /// Work whose statements stand each for itself.
    pub(super) fn plain(held: Held) -> Self {
        let until = Instant::now() + WORK;
        Self { held: Some(held), until, transaction: Transaction::None }
    }

    /// Begins a transaction.
    pub(super) async fn begin(held: Held) -> Result<Self, StoreError> {
        let mut work = Self::plain(held);
        // SQLite: the lock of the writer at once. Asked for later it might be refused for good.
        let begin = work.pick("BEGIN IMMEDIATE", "BEGIN");
        // Set before it is asked: who is dropped amid this does not know whether it has begun.
        work.transaction = Transaction::Open;
        work.change(begin, []).await?;
        Ok(work)
    }

    /// Makes it count. After [`StoreError::Unavailable`] nobody knows whether it did.
    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        if self.transaction != Transaction::Open {
            return Err(StoreError::Misunderstood("a commit without a transaction".into()));
        }
        self.change("COMMIT", []).await?;
        self.transaction = Transaction::None;
        Ok(())
    }

    /// The first row of the answer.
    pub(super) async fn row<const N: usize>(
        &mut self,
        sql: &'static str,
        values: [Value<'_>; N],
    ) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(sql, values).await?.into_iter().next())
    }

    /// All rows of the answer.
    pub(super) async fn rows<const N: usize>(
        &mut self,
        sql: &'static str,
        values: [Value<'_>; N],
    ) -> Result<Vec<Row>, StoreError> {
        let held = ready(self.held.as_mut(), &values)?;
        let asked = timeout_at(self.until, async {
            Ok(match held {
                Held::Sqlite(connection) => {
                    let rows = bound!(sql, values).fetch_all(&mut **connection).await?;
                    rows.into_iter().map(Row::Sqlite).collect()
                }
                Held::Postgres(connection) => {
                    let rows = bound!(sql, values).fetch_all(&mut **connection).await?;
                    rows.into_iter().map(Row::Postgres).collect()
                }
            })
        });
        let answer = in_time(asked.await);
        self.note(answer)
    }

    /// How many rows it changed.
    pub(super) async fn change<const N: usize>(
        &mut self,
        sql: &'static str,
        values: [Value<'_>; N],
    ) -> Result<u64, StoreError> {
        let held = ready(self.held.as_mut(), &values)?;
        let asked = timeout_at(self.until, async {
            Ok(match held {
                Held::Sqlite(connection) => {
                    bound!(sql, values).execute(&mut **connection).await?.rows_affected()
                }
                Held::Postgres(connection) => {
                    bound!(sql, values).execute(&mut **connection).await?.rows_affected()
                }
            })
        });
        let answer = in_time(asked.await);
        self.note(answer)
    }

    /// The one text or the other, where they can't be the same.
    pub(super) fn pick(&self, sqlite: &'static str, postgres: &'static str) -> &'static str {
        match self.held {
            Some(Held::Postgres(_)) => postgres,
            _ => sqlite,
        }
    }

    fn note<T>(&mut self, answer: Result<T, StoreError>) -> Result<T, StoreError> {
        if answer.is_err() && self.transaction == Transaction::Open {
            self.transaction = Transaction::Failed;
        }
        answer
    }
}

/// The connection, if these values can go over it.
fn ready<'h>(held: Option<&'h mut Held>, values: &[Value<'_>]) -> Result<&'h mut Held, StoreError> {
    // PostgreSQL's texts can't hold it and SQLite's can: they are to behave alike.
    if values.iter().any(|value| matches!(value, Value::Text(text) if text.contains('\0'))) {
        return Err(StoreError::Misunderstood("a text with U+0000 can't be stored".into()));
    }
    held.ok_or_else(|| StoreError::Misunderstood("work without a connection".into()))
}

impl Drop for Work {
    fn drop(&mut self) {
        let undecided = self.transaction != Transaction::None;
        match self.held.take() {
            Some(Held::Sqlite(connection)) if undecided => {
                tokio::spawn(roll_back(connection));
            }
            Some(Held::Postgres(connection)) => {
                tokio::spawn(give_back(connection, undecided));
            }
            Some(Held::Sqlite(_)) | None => {}
        }
    }
}

/// SQLite is in this process, and its connection may be the database itself: it is never closed for being slow.
async fn roll_back(mut connection: PoolConnection<Sqlite>) {
    let _was_none = sqlx::query("ROLLBACK").execute(&mut *connection).await;
}

/// The pool would wait for a server that hangs without a bound, and be one connection short as long as it does.
async fn give_back(mut connection: PoolConnection<Postgres>, undecided: bool) {
    // Without effect once it is back in the pool.
    connection.close_on_drop();
    let cleaning = async {
        if undecided && sqlx::query("ROLLBACK").execute(&mut *connection).await.is_err() {
            return;
        }
        connection.return_to_pool().await;
    };
    let _closed_instead = timeout(GIVE_BACK, cleaning).await;
}

impl Row {
    /// The value of a column.
    pub(super) fn get<T>(&self, column: &str) -> Result<T, StoreError>
    where
        T: for<'r> Decode<'r, Sqlite>
            + Type<Sqlite>
            + for<'r> Decode<'r, Postgres>
            + Type<Postgres>,
    {
        match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => row.try_get(column),
        }
        .map_err(fault)
    }
}

impl From<Uuid> for Value<'_> {
    fn from(id: Uuid) -> Self {
        Self::Id(id)
    }
}

impl From<Option<Uuid>> for Value<'_> {
    fn from(id: Option<Uuid>) -> Self {
        Self::MaybeId(id)
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<Option<i64>> for Value<'_> {
    fn from(number: Option<i64>) -> Self {
        Self::MaybeNumber(number)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bytes(bytes)
    }
}
