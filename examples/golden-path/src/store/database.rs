//! The two kinds of database: how each is reached, set up, and brought up to date.
//!
//! Owns pools and their bounds. Must never be asked to wait longer than [`ACQUIRE`] for a connection.

use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Sqlite};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::StoreError;
use super::fault::{fault, in_time, migration};
use super::work::{Held, WORK, Work};

/// How long a connection may take, new or from the pool.
const ACQUIRE: Duration = Duration::from_secs(2);
/// How long bringing the tables up to date may take, the wait for another instance that does so included.
const MIGRATE: Duration = Duration::from_secs(10);
/// How long a statement waits for another's lock: less than [`WORK`], so that the database says why.
const LOCK: Duration = Duration::from_secs(4);
/// Between two tries of what SQLite does not wait for by itself.
const AGAIN: Duration = Duration::from_millis(20);
/// Connections of an instance to PostgreSQL: a dozen instances fit under its default of 100.
const CONNECTIONS: u32 = 8;
/// Connections that read a SQLite file while another writes.
const READERS: u32 = 4;

/// A database that is reached and up to date.
#[derive(Clone, Debug)]
pub(super) enum Database {
    Sqlite {
        /// One connection: who writes waits here in turn, and not for a lock.
        writer: SqlitePool,
        /// In memory the same as the writer, since each connection would be a database of its own.
        readers: SqlitePool,
    },
    Postgres(PgPool),
}

impl Database {
    /// Reaches it, and brings its tables up to date.
    pub(super) async fn open(url: &str) -> Result<Self, StoreError> {
        match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") => open_sqlite(url).await,
            Some("postgres" | "postgresql") => open_postgres(url).await,
            _ => Err(StoreError::Address("it must begin with sqlite: or postgres://".into())),
        }
    }

    /// A connection to read with; each statement sees what is committed when it begins.
    pub(super) async fn reading(&self) -> Result<Work, StoreError> {
        let held = match self {
            Self::Sqlite { readers, .. } => Held::Sqlite(readers.acquire().await.map_err(fault)?),
            Self::Postgres(pool) => Held::Postgres(pool.acquire().await.map_err(fault)?),
        };
        Ok(Work::plain(held))
    }

    /// A connection in a transaction.
    pub(super) async fn writing(&self) -> Result<Work, StoreError> {
        let held = match self {
            Self::Sqlite { writer, .. } => Held::Sqlite(writer.acquire().await.map_err(fault)?),
            Self::Postgres(pool) => Held::Postgres(pool.acquire().await.map_err(fault)?),
        };
        Work::begin(held).await
    }
}

/// The tables, step by step.
fn migrations() -> Migrator {
    let mut migrations = sqlx::migrate!("./migrations");
    // While a new version is rolled out, an instance of the old one must still be able to start.
    migrations.set_ignore_missing(true);
    migrations
}

async fn open_sqlite(url: &str) -> Result<Database, StoreError> {
    let in_memory = url.contains(":memory:") || url.contains("mode=memory");
    let options: SqliteConnectOptions = url.parse().map_err(fault)?;
    let options = options
        .create_if_missing(true)
        .foreign_keys(true)
        .busy_timeout(LOCK)
        // What was said to be stored outlives a power cut.
        .synchronous(SqliteSynchronous::Full);
    // In memory the connection is the database: it must never be closed for its age.
    let one = SqlitePoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
    let writer = one.acquire_timeout(ACQUIRE).connect_lazy_with(options.clone());
    // Whoever meets others who open it too gets "locked" at once: for these steps SQLite does not wait.
    let end = Instant::now() + MIGRATE;
    while let Err(error) = prepare_sqlite(&writer, end).await {
        let hopeless = !matches!(error, StoreError::Unavailable(_)) || Instant::now() >= end;
        if hopeless {
            return Err(error);
        }
        sleep(AGAIN).await;
    }
    let readers = if in_memory {
        writer.clone()
    } else {
        let some = SqlitePoolOptions::new().max_connections(READERS).acquire_timeout(ACQUIRE);
        some.connect_lazy_with(options)
    };
    Ok(Database::Sqlite { writer, readers })
}

async fn prepare_sqlite(writer: &SqlitePool, end: Instant) -> Result<(), StoreError> {
    let mut connection: PoolConnection<Sqlite> = writer.acquire().await.map_err(fault)?;
    // Readers don't wait for the writer, nor it for them. The file remembers it.
    let wal = sqlx::query("PRAGMA journal_mode = WAL").execute(&mut *connection);
    in_time(timeout_at(end, wal).await)?;
    // The writer's lock, or two instances might bring an empty file up to date at once.
    let begin = connection.begin_with("BEGIN IMMEDIATE");
    let mut transaction = in_time(timeout_at(end, begin).await)?;
    let migrations = migrations();
    match timeout_at(end, migrations.run_direct(None, &mut *transaction, false)).await {
        Ok(done) => done.map_err(migration)?,
        Err(_late) => return Err(StoreError::Unavailable("no answer in time".into())),
    }
    in_time(timeout_at(end, transaction.commit()).await)
}

async fn open_postgres(url: &str) -> Result<Database, StoreError> {
    let options: PgConnectOptions = url.parse().map_err(fault)?;
    let millis = |duration: Duration| format!("{}ms", duration.as_millis());
    let options = options.application_name("golden-path").options([
        ("statement_timeout", millis(WORK)),
        ("lock_timeout", millis(LOCK)),
        // An instance that froze amid a transaction must not hold a user's row for ever.
        ("idle_in_transaction_session_timeout", millis(WORK)),
    ]);
    // Not from the pool, which says of a server that refuses only that it took too long.
    let mut connection = in_time(timeout(ACQUIRE, options.connect()).await)?;
    let migrations = migrations();
    // An advisory lock lets one instance at a time do this; a lost connection gives it back.
    match timeout(MIGRATE, migrations.run_direct(None, &mut connection, false)).await {
        Ok(done) => done.map_err(migration)?,
        Err(_late) => return Err(StoreError::Unavailable("no answer in time".into())),
    }
    let _gone_already = timeout(ACQUIRE, connection.close()).await;
    let pool = PgPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(ACQUIRE);
    Ok(Database::Postgres(pool.connect_lazy_with(options)))
}
