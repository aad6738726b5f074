//! Exit statuses.
//!
//! Owns the one list of them; README shows it. Must never be bypassed by `process::exit`.

use std::process::ExitCode;

use crate::error::Kind;

/// How the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All is well.
    Ok,
    /// `race`, `demo`: a client was lost.
    ClientLost,
    /// `doctor`: it would start, degraded or with warnings.
    Degraded,
    /// `doctor`: a critical check failed.
    CriticalFailed,
    /// `run`, `wait`: the service, or what it needs, was not ready in time (`EX_UNAVAILABLE`, sysexits).
    NeverReady,
    /// Something that we need from the machine is not to be had (`EX_OSERR`).
    System,
    /// A flag, variable or file is wrong (`EX_CONFIG`).
    Configuration,
    /// `run`: the child's own status. `run`, `wait`: that of a shell which could not run it (126, 127).
    Child(u8),
    /// `race`, `demo`, `doctor`, `wait`: this signal stopped us; 128 and its number, as every shell says it.
    Stopped(u8),
}

impl Exit {
    const fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::ClientLost | Self::Degraded => 1,
            Self::CriticalFailed => 2,
            Self::NeverReady => 69,
            Self::System => 71,
            Self::Configuration => 78,
            Self::Child(code) => code,
            Self::Stopped(number) => 128_u8.saturating_add(number),
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
            Kind::NeverReady => Self::NeverReady,
            Kind::NotStarted(code) => Self::Child(code),
            Kind::Stopped(number) => Self::Stopped(number),
        }
    }
}

/// Every status and what it means: help, manual and README show this table.
pub(crate) const TABLE: [(&str, &str); 10] = [
    ("0", "all is well; under `run`, the command ended with 0"),
    ("1", "`race`, `demo`: a client was lost; `doctor`: degraded, or a warning"),
    ("2", "`doctor`: a critical check failed"),
    ("69", "`run`: never ready within `--startup-timeout`; `wait`: nor within `--timeout`"),
    ("71", "the machine refused something: the port is taken, stdout is full"),
    ("78", "a flag, a variable or a file is wrong"),
    ("126", "`run`, `wait`: the command is there and can't be run"),
    ("127", "`run`, `wait`: the command was not found"),
    ("128 + n", "signal n ended the command of `run`, or stopped one of the others"),
    ("any other", "`run`, `wait`: the command's own"),
];

/// The table for a terminal.
pub(crate) fn page() -> String {
    let lines: Vec<_> =
        TABLE.iter().map(|(status, meaning)| format!("  {status:9}  {meaning}")).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Would break if a status were given that no page explains, or if pages told different tales.
    #[test]
    fn every_status_is_in_the_table_and_the_readme_shows_it() {
        let all = [
            Exit::Ok,
            Exit::ClientLost,
            Exit::Degraded,
            Exit::CriticalFailed,
            Exit::NeverReady,
            Exit::System,
            Exit::Configuration,
        ];
        for exit in all {
            let code = exit.code().to_string();
            assert!(TABLE.iter().any(|(status, _)| *status == code), "{exit:?}");
        }
        assert_eq!(Exit::from(Kind::Stopped(15)).code(), 143);
        let readme = include_str!("../../../README.md");
        for (status, meaning) in TABLE {
            let row = format!("| {status} | {meaning} |");
            assert!(readme.contains(&row), "README lacks: {row}");
        }
    }
}
