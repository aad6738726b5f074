//! What a user is told when a command can't do its work.
//!
//! Owns kind, message and hints. Must never decide an exit status (`exit` does, from the kind), nor
//! write what acts on a terminal, whoever's words it tells.

use std::fmt::{self, Display};
use std::io::Write;

use crate::config::Mistake;
use crate::config::shown::fit;

/// Whose it is to mend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The user's: a flag, a variable, a file.
    Configuration,
    /// The machine's.
    System,
    /// That of what we wait for.
    NeverReady,
    /// The user's: a command that can't be started, with the status that a shell gives for it.
    NotStarted(u8),
    /// Nobody's: this signal asked us to stop.
    Stopped(u8),
}

/// One failure: what happened, and what to do.
#[derive(Debug)]
pub(crate) struct Error {
    /// Whose it is to mend.
    pub(crate) kind: Kind,
    messages: Vec<String>,
    /// Lines of somebody else's.
    quoted: Vec<String>,
    hints: Vec<String>,
}

impl Error {
    /// A mistake of the user's.
    pub(crate) fn configuration(message: impl Display) -> Self {
        Self::configurations(vec![message.to_string()])
    }

    /// All mistakes of the user's at once.
    pub(crate) const fn configurations(messages: Vec<String>) -> Self {
        Self::new(Kind::Configuration, messages)
    }

    /// The same, of flags, variables and a file. A warning may be the reason: a slip in a variable's
    /// name leaves missing what it was meant for.
    pub(crate) fn mistakes(mistakes: &[Mistake], warnings: &[String]) -> Self {
        let messages = mistakes.iter().map(ToString::to_string).collect();
        warnings.iter().fold(Self::configurations(messages), Self::hint)
    }

    /// A failure of the machine's.
    pub(crate) fn system(message: impl Display) -> Self {
        Self::new(Kind::System, vec![message.to_string()])
    }

    /// What we waited for was not there in time.
    pub(crate) fn never_ready(message: impl Display) -> Self {
        Self::new(Kind::NeverReady, vec![message.to_string()])
    }

    /// A command can't be started; `code` is what a shell would end with.
    pub(crate) fn not_started(code: u8, message: impl Display) -> Self {
        Self::new(Kind::NotStarted(code), vec![message.to_string()])
    }

    /// We were asked to stop.
    pub(crate) fn stopped(signal: u8, message: impl Display) -> Self {
        Self::new(Kind::Stopped(signal), vec![message.to_string()])
    }

    const fn new(kind: Kind, messages: Vec<String>) -> Self {
        Self { kind, messages, quoted: Vec::new(), hints: Vec::new() }
    }

    /// Adds lines that somebody else wrote.
    pub(crate) fn quote(mut self, lines: &[String]) -> Self {
        self.quoted.extend_from_slice(lines);
        self
    }

    /// Adds what to do about it.
    pub(crate) fn hint(mut self, hint: impl Display) -> Self {
        self.hints.push(hint.to_string());
        self
    }

    /// Writes it to stderr; there is nowhere to say that this failed.
    pub(crate) fn print(&self) {
        let _ = std::io::stderr().lock().write_all(self.to_string().as_bytes());
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for message in &self.messages {
            writeln!(f, "error: {}", fit(message))?;
        }
        for line in &self.quoted {
            writeln!(f, "  | {}", fit(line))?;
        }
        for hint in &self.hints {
            writeln!(f, "hint: {}", fit(hint))?;
        }
        Ok(())
    }
}
