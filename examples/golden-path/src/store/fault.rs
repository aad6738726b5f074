//! Whose fault an error of the database is.
//!
//! Owns the one decision that callers act on: try again, or not. Must never let a value, a statement or an address
//! into a text: errors are logged.

use sqlx::error::DatabaseError;
use sqlx::migrate::MigrateError;
use tokio::time::error::Elapsed;

use super::StoreError;

/// Says whose fault it is.
pub(super) fn fault(error: sqlx::Error) -> StoreError {
    use sqlx::Error;
    match error {
        Error::Database(answer) => answered(&*answer),
        Error::Io(error) => StoreError::Unavailable(error.kind().to_string()),
        Error::PoolTimedOut => StoreError::Unavailable("no connection in time".into()),
        Error::Tls(_) => StoreError::Unavailable("TLS could not be agreed on".into()),
        Error::PoolClosed | Error::WorkerCrashed | Error::BeginFailed => {
            StoreError::Unavailable("the connection is gone".into())
        }
        Error::Configuration(_) => StoreError::Address("it can't be read".into()),
        Error::RowNotFound => StoreError::Misunderstood("a row is missing".into()),
        Error::ColumnNotFound(_) | Error::ColumnIndexOutOfBounds { .. } => {
            StoreError::Misunderstood("a column is missing".into())
        }
        Error::ColumnDecode { .. } | Error::Decode(_) | Error::TypeNotFound { .. } => {
            StoreError::Misunderstood("a value is not of its type".into())
        }
        _ => StoreError::Misunderstood("an answer that can't be read".into()),
    }
}

/// The same for what has a deadline.
pub(super) fn in_time<T>(asked: Result<Result<T, sqlx::Error>, Elapsed>) -> Result<T, StoreError> {
    match asked {
        Ok(answer) => answer.map_err(fault),
        Err(_late) => Err(StoreError::Unavailable("no answer in time".into())),
    }
}

/// The same for bringing tables up to date.
pub(super) fn migration(error: MigrateError) -> StoreError {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => fault(error),
        MigrateError::VersionMismatch(version) => StoreError::Misunderstood(format!(
            "migration {version} is not the one that made these tables"
        )),
        MigrateError::Dirty(version) => StoreError::Misunderstood(format!(
            "migration {version} stopped half-way; it must be mended by hand"
        )),
        _ => StoreError::Misunderstood("the tables can't be brought up to date".into()),
    }
}

fn answered(answer: &dyn DatabaseError) -> StoreError {
    let code = answer.code().unwrap_or_default();
    if answer.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() {
        sqlite(&code)
    } else {
        postgres(&code)
    }
}

/// Result codes of SQLite (<https://www.sqlite.org/rescode.html>); the lower byte of an extended one is its kind.
fn sqlite(code: &str) -> StoreError {
    let text = |said: &str| format!("{said} (SQLite {code})");
    match code.parse::<i32>().map(|code| code & 0xff) {
        Ok(5 | 6) => StoreError::Unavailable(text("it is locked")),
        Ok(10) => StoreError::Unavailable(text("its file can't be read or written")),
        Ok(13) => StoreError::Unavailable(text("its disk is full")),
        Ok(14) => StoreError::Unavailable(text("its file can't be opened")),
        _ => StoreError::Misunderstood(text("a statement was refused")),
    }
}

/// SQLSTATE codes (PostgreSQL, appendix A); the first two characters are their class.
fn postgres(code: &str) -> StoreError {
    let text = |said: &str| format!("{said} (SQLSTATE {code})");
    match (code.get(..2).unwrap_or_default(), code) {
        ("28", _) => StoreError::Address(text("user or password are refused")),
        (_, "3D000") => StoreError::Address(text("there is no such database")),
        ("08", _) => StoreError::Unavailable(text("the connection broke")),
        ("40", _) => StoreError::Unavailable(text("others were in the way")),
        ("53", _) => StoreError::Unavailable(text("it is out of connections, memory or disk")),
        (_, "55P03") => StoreError::Unavailable(text("a lock took too long")),
        (_, "57014") => StoreError::Unavailable(text("a statement took too long")),
        ("57" | "58", _) | (_, "25P03") => StoreError::Unavailable(text("it stops or starts")),
        // A standby, until it is promoted.
        (_, "25006") => StoreError::Unavailable(text("it takes no writes")),
        _ => StoreError::Misunderstood(text("a statement was refused")),
    }
}
