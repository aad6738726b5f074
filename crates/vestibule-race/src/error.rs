//! Why a race could not be run. What clients saw is never an error; it is the result.
//!
//! Owns the kinds of failure. Must never decide exit codes.

use std::{io, time::Duration};

use crate::target::Exit;

/// A race that could not be run, or that says nothing about a cold start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RaceError {
    /// The command line is empty.
    #[error("no command to race")]
    NoCommand,
    /// The program does not exist, or is on no search path.
    #[error("{program}: not found")]
    NotFound {
        /// The program as it was given; of a variable that stands in its place, the name.
        program: String,
    },
    /// The program exists, but the system will not run it.
    #[error("cannot start {program}")]
    CannotStart {
        /// The program as it was given.
        program: String,
        /// The system's reason.
        source: io::Error,
    },
    /// The target ended before its port ever opened: a broken command, not a race.
    #[error("the target ended after {:.1} s, before its port opened: {exit}", after.as_secs_f64())]
    ExitedEarly {
        /// How it ended.
        exit: Exit,
        /// When, counted from its start.
        after: Duration,
        /// The last lines it wrote.
        last_lines: Vec<String>,
    },
    /// Nothing ever listened on the address.
    #[error("nothing listened on {address} within {:.0} s", within.as_secs_f64())]
    PortNeverOpened {
        /// The address that was dialled.
        address: String,
        /// How long it was tried.
        within: Duration,
        /// The last lines the target wrote.
        last_lines: Vec<String>,
    },
    /// The URL is not one a race can dial.
    #[error("{url}: {reason}")]
    Url {
        /// The URL as it was given, without user and query.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A request header or path that cannot be sent. Says which, and nothing of its value.
    #[error("cannot be sent in a handshake: {what}")]
    Request {
        /// The header or path.
        what: String,
    },
    /// More clients than this process may have sockets.
    #[error("{clients} clients need more descriptors than this process may open ({limit})")]
    TooManyClients {
        /// The clients asked for.
        clients: usize,
        /// The soft limit on open files.
        limit: u64,
        /// How high it would have to be.
        needed: u64,
    },
    /// The host of the URL has no address.
    #[error("cannot find the address of {host}")]
    Resolve {
        /// The host as it was given.
        host: String,
        /// The resolver's reason.
        source: io::Error,
    },
    /// No private port or no stamp file could be had.
    #[error("cannot prepare the race")]
    Prepare(#[from] io::Error),
}

impl RaceError {
    /// The last lines that the target wrote before the race was given up; empty where there are
    /// none.
    #[must_use]
    pub fn last_lines(&self) -> &[String] {
        match self {
            Self::ExitedEarly { last_lines, .. } | Self::PortNeverOpened { last_lines, .. } => {
                last_lines
            }
            _ => &[],
        }
    }
}
