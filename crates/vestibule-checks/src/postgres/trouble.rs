//! The words for what a PostgreSQL refuses with.
//!
//! Owns the way from an SQLSTATE to a reason. A server's message repeats the user's name, the database, parts of
//! the query: must never show one, only what we say about its code.

use std::error::Error as _;
use std::io::{self, ErrorKind};

use tokio_postgres::Error;
use tokio_postgres::error::{DbError, SqlState};
use vestibule::check::{Reason, Trouble};

use crate::opening::Heard;
use crate::socket;

/// The trouble behind an error of the library, in view of how the answer began.
pub(super) fn of(error: &Error, heard: &Heard, plausible: fn(&[u8]) -> bool) -> Trouble {
    if let Some(error) = error.as_db_error() {
        return of_state(error);
    }
    let opening = heard.bytes();
    if !opening.is_empty() && !plausible(&opening) {
        let detail = format!("no PostgreSQL: the answer begins {}", heard.shown());
        return Trouble::new(Reason::Protocol, detail);
    }
    if error.is_closed() {
        return Trouble::new(Reason::Reset, "it closed the connection without a word");
    }
    match error.source().and_then(|source| source.downcast_ref::<io::Error>()) {
        // By this kind the library says that it can't read what came.
        Some(unreadable) if unreadable.kind() == ErrorKind::InvalidInput => {
            Trouble::new(Reason::Protocol, unreadable_in_words(&unreadable.to_string()))
        }
        Some(error) => socket::trouble_of(error),
        None => of_library(error),
    }
}

/// Whether it can be a PostgreSQL that was asked for TLS whose answer begins so: it says S or N.
pub(super) fn may_offer_tls(opening: &[u8]) -> bool {
    match opening {
        // Behind the S stands a record of TLS, a handshake or an alert.
        [b'S', 0x15 | 0x16, ..] | [b'S' | b'N'] => true,
        [b'N', message @ ..] | message => is_message(message),
    }
}

/// Whether it can be a PostgreSQL whose answer begins so: a message of these types behind which stands a length
/// (PostgreSQL, "Message Formats").
pub(super) fn is_message(bytes: &[u8]) -> bool {
    // Nothing that is said before the first query is longer than 65,535 bytes: two zeros lead the length.
    let length = bytes.get(1..3).is_none_or(|length| length == [0, 0]);
    matches!(bytes.first(), Some(b'E' | b'K' | b'N' | b'R' | b'S' | b'Z' | b'v')) && length
}

fn of_state(error: &DbError) -> Trouble {
    let code = error.code();
    let (reason, what) = match code {
        &SqlState::CANNOT_CONNECT_NOW => cannot_connect(error.message()),
        &SqlState::TOO_MANY_CONNECTIONS => {
            (Reason::Overloaded, "no connection is left for this user and database")
        }
        &SqlState::INVALID_PASSWORD => (Reason::WrongCredentials, "user or password are wrong"),
        &SqlState::INVALID_AUTHORIZATION_SPECIFICATION => not_let_in(error.message()),
        &SqlState::INVALID_CATALOG_NAME => (Reason::NoSuchDatabase, "the database does not exist"),
        &SqlState::READ_ONLY_SQL_TRANSACTION => (Reason::ReadOnly, "it takes no writes"),
        &SqlState::ADMIN_SHUTDOWN | &SqlState::CRASH_SHUTDOWN => {
            (Reason::ShuttingDown, "it ended the session")
        }
        &SqlState::INSUFFICIENT_PRIVILEGE => (Reason::NotPermitted, "the user may not do that"),
        &SqlState::QUERY_CANCELED => (Reason::TimedOut, "it ended the query, which took too long"),
        &SqlState::OUT_OF_MEMORY | &SqlState::DISK_FULL | &SqlState::INSUFFICIENT_RESOURCES => {
            (Reason::NotServing, "it is out of memory or of room on its disk")
        }
        // PgBouncer says everything of its own by this code.
        &SqlState::PROTOCOL_VIOLATION => of_pooler(error.message()),
        _ => (Reason::QueryFailed, "it answered the query by an error"),
    };
    // Five digits and capitals (SQL, "SQLSTATE"): anything else is no code, and could be what we sent.
    let code = code.code();
    let is_code =
        code.len() == 5 && code.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
    let shown = if is_code { format!(" (SQLSTATE {code})") } else { String::new() };
    Trouble::new(reason, format!("{what}{shown}"))
}

/// One code stands for starting and stopping. Only the message tells, and it may be in another language.
fn cannot_connect(message: &str) -> (Reason, &'static str) {
    if message.contains("shutting down") {
        (Reason::ShuttingDown, "it is shutting down")
    } else if message.contains("recovery mode") {
        (Reason::StartingUp, "it recovers from a crash")
    } else {
        (Reason::StartingUp, "it does not take connections yet")
    }
}

fn not_let_in(message: &str) -> (Reason, &'static str) {
    let what = match message {
        message if message.contains("no encryption") || message.contains("SSL off") => {
            "no line of pg_hba.conf lets this user in from here without TLS: see sslmode"
        }
        message if message.contains("pg_hba.conf") => {
            "no line of pg_hba.conf lets this user in from here"
        }
        _ => "this user may not log in",
    };
    (Reason::WrongCredentials, what)
}

fn of_pooler(message: &str) -> (Reason, &'static str) {
    match message {
        message if message.contains("no more connections") => {
            (Reason::Overloaded, "the pooler takes no more clients")
        }
        message if message.contains("no such database") => {
            (Reason::NoSuchDatabase, "the pooler does not know the database")
        }
        message if message.contains("no such user") => {
            (Reason::WrongCredentials, "the pooler does not know the user")
        }
        message if message.contains("shutting down") => {
            (Reason::ShuttingDown, "the pooler is shutting down")
        }
        message if message.contains("server") || message.contains("query_wait_timeout") => {
            (Reason::NotServing, "the pooler has no connection to its server")
        }
        _ => (Reason::Protocol, "it does not accept what was asked"),
    }
}

fn unreadable_in_words(why: &str) -> String {
    match why {
        // The library computes 100,000; a server's default is 4,096.
        why if why.contains("iteration count") => {
            "it wants more hashes for a login than a check computes".to_owned()
        }
        // Behind it stands the server's own text.
        why if why.starts_with("SCRAM error") => "it ended the login".to_owned(),
        why => format!("it is not understood: {why}"),
    }
}

/// What the library itself says no to. Its kinds are known by their words alone, and these are its own.
fn of_library(error: &Error) -> Trouble {
    let why = error.source().map(ToString::to_string).unwrap_or_default();
    let (reason, detail) = match error.to_string() {
        _ if why.contains("password missing") => {
            (Reason::WrongCredentials, "it wants a password, and the URL has none".to_owned())
        }
        _ if why.contains("does not support TLS") => {
            (Reason::TlsFailed, "it has no TLS, and sslmode demands it".to_owned())
        }
        kind if why.is_empty() => (Reason::Protocol, kind),
        kind => (Reason::Protocol, format!("{kind}: {why}")),
    };
    Trouble::new(reason, detail)
}
