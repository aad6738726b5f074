//! What goes into a session and what comes out of it.
//!
//! Owns the types. Must never decide anything.

use std::borrow::Cow;
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use crate::event::{Event, RunId, SessionId, ThreadId, UserId};
use crate::socket::frames::{Refused, RefusedFrame};

/// How a session begins.
#[derive(Clone, Debug)]
pub(in crate::socket) struct Start {
    /// Whose.
    pub(in crate::socket) user: UserId,
    /// The log-in of its token.
    pub(in crate::socket) session: SessionId,
    /// When its token ends.
    pub(in crate::socket) until: Instant,
    /// Behind which event.
    pub(in crate::socket) last: i64,
    /// How often each side hears from the other.
    pub(in crate::socket) heartbeat: Duration,
    /// This instance.
    pub(in crate::socket) instance: String,
    /// By what the connection is known in the log.
    pub(in crate::socket) correlation: String,
}

/// What a client sent.
pub(in crate::socket) enum Incoming<'a> {
    /// A text frame.
    Text(&'a str),
    /// A binary frame.
    Binary,
    /// A ping or a pong of the WebSocket's own.
    Sign,
}

/// What is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::socket) enum Frame {
    /// A ping of the WebSocket's own.
    Ping,
    /// A text; for the end of a run with what it belongs to in the log once it is written.
    Text {
        /// The text.
        text: String,
        /// See [`crate::socket::place::Told::ends`].
        ends: Option<String>,
    },
}

/// What the client wants done. Without `Debug`: it has secrets in it.
pub(in crate::socket) enum Order {
    /// A message.
    Say {
        /// In which thread.
        thread: ThreadId,
        /// Its number.
        message: Uuid,
        /// The words.
        text: String,
    },
    /// The end of a run.
    Cancel {
        /// Which.
        run: RunId,
    },
    /// A look at a newer token.
    Renew {
        /// The token.
        access: String,
    },
}

/// What became of an order.
#[derive(Debug)]
pub(in crate::socket) enum Done {
    /// Nothing to be said: what it did comes as an event.
    Well,
    /// It was not done.
    Refused(Refused),
    /// The token is not good.
    BadToken,
    /// The token is good.
    Renewed {
        /// Whose.
        user: UserId,
        /// The log-in.
        session: SessionId,
        /// When it ends.
        until: Instant,
    },
}

/// What the store is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::socket) struct Question {
    /// For events after this number.
    pub(in crate::socket) after: i64,
    /// How many at most.
    pub(in crate::socket) limit: i64,
    /// And whether this session lives.
    pub(in crate::socket) session: Option<SessionId>,
}

/// What it answered; nothing if it did not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::socket) struct Answer {
    /// The events.
    pub(in crate::socket) events: Vec<Event>,
    /// Of the session that was asked for: whether it does not live.
    pub(in crate::socket) dead: Option<SessionId>,
}

impl Order {
    /// What is said if it is not done.
    pub(in crate::socket) fn refused(&self, reason: impl Into<Cow<'static, str>>) -> Refused {
        match self {
            Self::Say { message, .. } => Refused::message(*message, reason),
            Self::Cancel { run } => Refused::cancel(*run, reason),
            Self::Renew { .. } => Refused::new(RefusedFrame::Token, reason),
        }
    }
}
