//! Who ended a connection, and in which phase.
//!
//! Owns the two-part code that log lines, metrics and tests share.
//! Must never decide anything: it only names what happened.

use std::fmt;

/// The side whose act ended a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Party {
    /// The public peer left, broke the protocol, or sent its own Close.
    Client,
    /// The service behind closed, crashed or answered finally.
    Upstream,
    /// We ended it: a refusal, a limit, a drain.
    Door,
}

/// How far a connection had come when it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Its head was being read.
    Head,
    /// It waited in the queue.
    Held,
    /// Its upstream connection was being made.
    Dialling,
    /// Its upstream had the request, and had not yet proved itself.
    Settling,
    /// It was a tunnel.
    Tunnel,
    /// It was a tunnel that we were closing.
    Drain,
}

/// Who ended a connection, in which phase: `client.held`, `upstream.tunnel`, …
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ending {
    /// The side whose act ended it.
    pub by: Party,
    /// How far it had come.
    pub phase: Phase,
}

impl Ending {
    /// Pairs a side with a phase.
    pub const fn new(by: Party, phase: Phase) -> Self {
        Self { by, phase }
    }
}

impl Party {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Client, Self::Upstream, Self::Door];

    /// The word used in logs, metrics and tests.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Upstream => "upstream",
            Self::Door => "door",
        }
    }
}

impl Phase {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Head, Self::Held, Self::Dialling, Self::Settling, Self::Tunnel, Self::Drain];

    /// The word used in logs, metrics and tests.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Held => "held",
            Self::Dialling => "dialling",
            Self::Settling => "settling",
            Self::Tunnel => "tunnel",
            Self::Drain => "drain",
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.by.as_str(), self.phase.as_str())
    }
}
