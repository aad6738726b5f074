//! Exit statuses.
//!
//! Owns the one list of them; README shows it. Must never be bypassed by `process::exit`.

use std::io::Write as _;
use std::process::ExitCode;

use crate::error::Kind;
use crate::stdout;

/// How the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All is well.
    Ok,
    /// `race`, `demo`: a client was lost.
    ClientLost,
    /// `run`: the service was not ready within the startup budget (`EX_UNAVAILABLE`, sysexits).
    NeverReady,
    /// Something that we need from the machine is not to be had (`EX_OSERR`).
    System,
    /// A flag, variable or file is wrong (`EX_CONFIG`).
    Configuration,
    /// `run`: the child's own status, or that of a shell which could not run it (126, 127).
    Child(u8),
}

impl Exit {
    const fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::ClientLost => 1,
            Self::NeverReady => 69,
            Self::System => 71,
            Self::Configuration => 78,
            Self::Child(code) => code,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

impl From<Kind> for Exit {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Configuration => Self::Configuration,
            Kind::System => Self::System,
        }
    }
}

/// Prints what clap has to say, and ends as it should: help is no mistake.
pub(crate) fn of_usage(error: &clap::Error) -> Exit {
    let printed = error.print();
    if error.use_stderr() {
        // There is nowhere to say that this failed.
        return Exit::Configuration;
    }
    match stdout::judged(printed.and_then(|()| std::io::stdout().flush())) {
        Ok(_) => Exit::Ok,
        Err(error) => {
            error.print();
            error.kind.into()
        }
    }
}
