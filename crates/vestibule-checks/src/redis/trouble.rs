//! The words for what a Redis refuses with.
//!
//! Owns the way from an error's code to a reason. A server's message repeats the user's name and the command:
//! must never show one, only what we say about its code.

use redis::ServerError;
use vestibule::check::{Reason, Trouble};

/// As many bytes of a foreign answer are shown.
const SHOWN: usize = 64;

/// The trouble behind an answer that is an error.
pub(super) fn of(error: &ServerError) -> Trouble {
    let message = error.details().unwrap_or_default();
    let (reason, what) = match error.code() {
        "LOADING" => (Reason::StartingUp, "it loads its data"),
        "MASTERDOWN" => (Reason::MasterDown, "it has lost its primary, and serves no stale data"),
        "BUSY" | "UNKILLABLE" => (Reason::Busy, "a script or function keeps it busy"),
        "NOAUTH" => (Reason::WrongCredentials, "it wants a password, and the URL has none"),
        "WRONGPASS" => (Reason::WrongCredentials, "user or password are wrong"),
        "NOPERM" => (Reason::NotPermitted, "the user may not do what is asked"),
        "DENIED" => (Reason::NotPermitted, "protected mode lets in nobody from other machines"),
        "READONLY" => (Reason::ReadOnly, "it is a replica"),
        "MISCONF" => (Reason::NotServing, "it could not save its data, and takes no writes"),
        "CLUSTERDOWN" => (Reason::NotServing, "its cluster is down"),
        "TRYAGAIN" => (Reason::Busy, "its cluster moves data"),
        "MOVED" | "ASK" => (Reason::Protocol, "it is one of a cluster, and sends us to another"),
        "ERR" => of_message(message),
        _ => (Reason::QueryFailed, "it answers by an error"),
    };
    Trouble::new(reason, format!("{what}{}", shown(error.code())))
}

/// The errors that have no code of their own.
fn of_message(message: &str) -> (Reason, &'static str) {
    match message {
        message if message.starts_with("max number of clients") => {
            (Reason::Overloaded, "it takes no more clients")
        }
        message if message.starts_with("invalid password") => {
            (Reason::WrongCredentials, "the password is wrong")
        }
        message if message.contains("without any password configured") => {
            (Reason::WrongCredentials, "it has no password, and the URL has one")
        }
        message if message.contains("DB index") || message.starts_with("SELECT is not allowed") => {
            (Reason::NoSuchDatabase, "it has no database of that number")
        }
        message if message.starts_with("unknown command") => {
            (Reason::Protocol, "it does not know a command that every Redis knows")
        }
        _ => (Reason::QueryFailed, "it answers by an error"),
    }
}

/// A code, if it looks like one.
fn shown(code: &str) -> String {
    let is_code = code.len() <= 16 && code.bytes().all(|byte| byte.is_ascii_uppercase());
    if is_code { format!(" ({code})") } else { String::new() }
}

/// Whether it can be a Redis whose answer begins so (Redis serialization protocol, versions 2 and 3: its types).
pub(super) fn may_be_redis(answer: &[u8]) -> bool {
    answer.first().is_none_or(|first| b"+-:$*_#,(!=%~>|".contains(first))
}

/// The trouble of an answer in another language.
pub(super) fn foreign(answer: &[u8]) -> Trouble {
    let opening = &answer[..answer.len().min(SHOWN)];
    let detail = format!("no Redis: the answer begins \"{}\"", opening.escape_ascii());
    Trouble::new(Reason::Protocol, detail)
}
