//! How a process ended, in the words and numbers of a shell.
//!
//! Owns the translation to an exit code and to a sentence. Must never wait for anything.

use std::fmt;

use rustix::process::WaitIdStatus;

/// Our own exit code where a child's status was lost: `EX_SOFTWARE` of sysexits(3).
const LOST: u8 = 70;

/// How the child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It ended by itself, with this status.
    Code(u8),
    /// A signal ended it.
    Signal {
        /// The signal's number, signal(7).
        number: i32,
        /// Whether it left a core dump.
        core: bool,
    },
    /// It is gone, and its status was taken by somebody else: a defect of ours, said aloud rather
    /// than guessed away.
    Lost,
}

impl Exit {
    /// The code with which to end in the child's place: its own, or 128 and the signal's number, as
    /// every shell does.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Code(code) => code,
            Self::Signal { number, .. } => {
                u8::try_from(128_i32.saturating_add(number)).unwrap_or(u8::MAX)
            }
            Self::Lost => LOST,
        }
    }

    /// Reads a status that says "ended"; `None` for one that says anything else.
    pub(super) fn from_status(status: &WaitIdStatus) -> Option<Self> {
        if let Some(code) = status.exit_status() {
            // The kernel keeps only the low byte (exit(3)).
            return Some(Self::Code((code & 0xff) as u8));
        }
        let number = status.terminating_signal()?;
        Some(Self::Signal { number, core: status.dumped() })
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Code(code) => write!(out, "exited with status {code}"),
            Self::Signal { number, core } => {
                match signal_name(number) {
                    Some(name) => write!(out, "was killed by {name}")?,
                    None => write!(out, "was killed by signal {number}")?,
                }
                if core { out.write_str(" and left a core dump") } else { Ok(()) }
            }
            Self::Lost => out.write_str("ended, but its status was lost"),
        }
    }
}

/// The name of a standard signal; `None` for real-time signals and for what is no signal.
pub fn signal_name(number: i32) -> Option<&'static str> {
    const NAMES: [(i32, &str); 31] = [
        (libc::SIGHUP, "SIGHUP"),
        (libc::SIGINT, "SIGINT"),
        (libc::SIGQUIT, "SIGQUIT"),
        (libc::SIGILL, "SIGILL"),
        (libc::SIGTRAP, "SIGTRAP"),
        (libc::SIGABRT, "SIGABRT"),
        (libc::SIGBUS, "SIGBUS"),
        (libc::SIGFPE, "SIGFPE"),
        (libc::SIGKILL, "SIGKILL"),
        (libc::SIGUSR1, "SIGUSR1"),
        (libc::SIGSEGV, "SIGSEGV"),
        (libc::SIGUSR2, "SIGUSR2"),
        (libc::SIGPIPE, "SIGPIPE"),
        (libc::SIGALRM, "SIGALRM"),
        (libc::SIGTERM, "SIGTERM"),
        (libc::SIGSTKFLT, "SIGSTKFLT"),
        (libc::SIGCHLD, "SIGCHLD"),
        (libc::SIGCONT, "SIGCONT"),
        (libc::SIGSTOP, "SIGSTOP"),
        (libc::SIGTSTP, "SIGTSTP"),
        (libc::SIGTTIN, "SIGTTIN"),
        (libc::SIGTTOU, "SIGTTOU"),
        (libc::SIGURG, "SIGURG"),
        (libc::SIGXCPU, "SIGXCPU"),
        (libc::SIGXFSZ, "SIGXFSZ"),
        (libc::SIGVTALRM, "SIGVTALRM"),
        (libc::SIGPROF, "SIGPROF"),
        (libc::SIGWINCH, "SIGWINCH"),
        (libc::SIGIO, "SIGIO"),
        (libc::SIGPWR, "SIGPWR"),
        (libc::SIGSYS, "SIGSYS"),
    ];
    NAMES.iter().find(|(known, _)| *known == number).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    //! The numbers a platform sees and the words an operator reads, pinned.
    use super::*;

    #[test]
    fn every_ending_has_the_shells_number_and_a_plain_sentence() {
        let signal = |number, core| Exit::Signal { number, core };
        let table = [
            (Exit::Code(0), 0, "exited with status 0"),
            (Exit::Code(255), 255, "exited with status 255"),
            (signal(9, false), 137, "was killed by SIGKILL"),
            (signal(15, false), 143, "was killed by SIGTERM"),
            (signal(11, true), 139, "was killed by SIGSEGV and left a core dump"),
            (signal(40, false), 168, "was killed by signal 40"),
            (signal(i32::MAX, false), 255, "was killed by signal 2147483647"),
            (Exit::Lost, 70, "ended, but its status was lost"),
        ];
        for (exit, code, words) in table {
            assert_eq!((exit.exit_code(), exit.to_string().as_str()), (code, words));
        }
    }
}
