//! One run of the service: spawned clean, watched, signalled as a group, buried last.
//!
//! Owns the child's process group and the number that names it, from spawn to burial. Must never
//! signal a group that is known to be gone, and must never let a dropped [`Child`] run on: dropping
//! without deciding kills it.

mod spawn;

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, WaitId, WaitIdOptions, kill_process_group, waitid};
use tokio::signal::unix::{Signal as Stream, SignalKind, signal};
use tokio::time::{Instant, sleep_until};

use super::exit::{Exit, signal_name};
use super::group;
use super::roster::{self, Entry};
use super::signals::Signal;

/// The first pause between two looks at a group that was killed; it doubles up to [`LOOK_MAX`]. A
/// death takes the kernel well under a millisecond unless the process is inside a system call that
/// cannot be broken.
const LOOK_MIN: Duration = Duration::from_millis(1);
const LOOK_MAX: Duration = Duration::from_millis(20);

/// What to run.
#[derive(Clone, Default)]
pub struct Launch {
    /// A path, or a name to be found along `PATH`.
    pub program: OsString,
    /// Its arguments, without its name.
    pub args: Vec<OsString>,
    /// Additions to our own environment.
    pub env: Vec<(OsString, OsString)>,
}

/// Arguments and variables may be secrets: only their numbers are shown.
impl fmt::Debug for Launch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Launch");
        shown.field("args", &self.args.len()).field("env", &self.env.len());
        shown.finish_non_exhaustive()
    }
}

/// Why a child could not be started.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// No such program.
    #[error("{} was not found", named(program))]
    NotFound {
        /// As it was given.
        program: PathBuf,
    },
    /// It is there, and cannot be run.
    #[error("{} cannot be run: {reason}", named(program))]
    CannotRun {
        /// As it was given.
        program: PathBuf,
        /// In plain words.
        reason: String,
    },
    /// The user or the container has as many processes and threads as it may (EAGAIN, fork(2)).
    #[error("no further process may be started")]
    TooMany,
    /// The system could not start anything: no memory or descriptors left.
    #[error("failed to start a process: {0}")]
    Other(#[from] std::io::Error),
}

/// A program's name. Who writes a variable in its place (`DATABASE_URL=... app`) does not see its
/// value in the log.
fn named(program: &Path) -> String {
    let text = program.to_string_lossy();
    match text.split_once('=') {
        Some((name, _)) => format!("{name}=…"),
        None => text.into_owned(),
    }
}

impl SpawnError {
    /// The code a shell would end with (POSIX, Shell Command Language 2.8.2): 127 not found, 126
    /// found but not executable; 71, `EX_OSERR` of sysexits(3), for a failure of the system.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::NotFound { .. } => 127,
            Self::CannotRun { .. } => 126,
            Self::TooMany | Self::Other(_) => 71,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NotFound { program } if program.to_string_lossy().contains('=') => {
                "a variable is no program: write env before it, or set it where the front is started"
            }
            Self::NotFound { .. } => "is it installed here, and its directory in PATH?",
            Self::CannotRun { .. } => "see the file: its mode, its first line, its machine",
            Self::TooMany => {
                "raise the limit of processes: ulimit -u, or pids.max of the container"
            }
            Self::Other(_) => "see what the machine lacks: memory (cgroup), open files (ulimit -n)",
        }
    }
}

/// A child that leads its own process group.
///
/// See the [room's page](super) on why its end is first read and only then taken. Dropping it kills
/// what is left of the group at once.
#[derive(Debug)]
pub struct Child {
    pid: Pid,
    started_at: Instant,
    changes: Stream,
    exit: Option<Exit>,
    /// Our place on the roster; `None` once the leader is buried and the number may belong to a
    /// stranger.
    entry: Option<Entry>,
}

impl Child {
    /// Starts it: a process group of its own, default signal dispositions and an empty mask
    /// whatever we inherited, our stdin, stdout and stderr, and no other descriptor. It dies with
    /// us (`PR_SET_PDEATHSIG`).
    ///
    /// **Call it from a thread that lives as long as the process, in practice the main thread**:
    /// the parent-death signal is sent when the *thread* that spawned ends, so a child spawned from
    /// a runtime's blocking thread is killed some seconds later, when the runtime retires that
    /// thread. Returns once the program really runs (or could not).
    ///
    /// At a terminal the child is in the background: Ctrl-C reaches only us, and reading from the
    /// terminal stops it, which the log then says.
    ///
    /// # Errors
    ///
    /// [`SpawnError`], with the exit code that tells a shell the same. Outside a runtime that
    /// drives I/O: `Other`.
    pub fn spawn(launch: &Launch) -> Result<Self, SpawnError> {
        if rustix::thread::gettid() != rustix::process::getpid() {
            tracing::debug!(
                "the child is not started from the main thread, and will die with this one"
            );
        }
        // Before the child exists, so that not even its instant death goes unheard.
        let changes = signal(SignalKind::child())?;
        let (entry, pid) = roster::enrol(|| {
            spawn::spawn(launch).map(|pid| (pid.as_raw_nonzero().get().unsigned_abs(), pid))
        })?;
        Ok(Self { pid, started_at: Instant::now(), changes, exit: None, entry: Some(entry) })
    }

    /// The child's number, which is also its process group's.
    pub fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// When it was started.
    pub fn started_at(&self) -> Instant {
        self.started_at
    }

    /// Waits for the leader's end. Workers of its group may live on. Cancel-safe, and once ended it
    /// answers the same for ever.
    pub async fn wait(&mut self) -> Exit {
        loop {
            if let Some(exit) = self.look() {
                return exit;
            }
            self.report_stop();
            if self.changes.recv().await.is_none() {
                // The runtime is going away, and nothing will wake us any more.
                sleep_until(Instant::now() + LOOK_MAX).await;
            }
        }
    }

    /// Whether the leader has ended, and how, without waiting.
    pub fn look(&mut self) -> Option<Exit> {
        if self.exit.is_none() {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
            self.exit = match waitid(WaitId::Pid(self.pid), options) {
                Ok(status) => status.as_ref().and_then(Exit::from_status),
                Err(Errno::INTR) => None,
                Err(_) => Some(Exit::Lost),
            };
        }
        self.exit
    }

    /// Sends a signal to every process of the group. A group that is gone is no error, and one that
    /// is known to be gone is sent nothing.
    pub fn signal_group(&self, signal: Signal) {
        self.send(signal.as_rustix());
    }

    /// Sends `SIGKILL` to every process of the group, on the same terms.
    pub fn kill_group(&self) {
        self.send(rustix::process::Signal::KILL);
    }

    /// Kills what is left of the group, waits for its end, and buries the leader; after that the
    /// child's number is nobody's. Returns the processes that are still there after `within` (stuck
    /// in the kernel), usually none. May be called again.
    pub async fn end_group(&mut self, within: Duration) -> Vec<u32> {
        let deadline = Instant::now() + within;
        let mut pause = LOOK_MIN;
        while self.entry.is_some() {
            self.kill_group();
            let left = group::members(self.pid());
            if self.look().is_some() && left.is_empty() {
                self.bury();
            } else if Instant::now() >= deadline {
                return left;
            } else {
                sleep_until(deadline.min(Instant::now() + pause)).await;
                pause = LOOK_MAX.min(pause * 2);
            }
        }
        Vec::new()
    }

    fn send(&self, signal: rustix::process::Signal) {
        if self.entry.is_none() {
            return;
        }
        match kill_process_group(self.pid, signal) {
            Ok(()) | Err(Errno::SRCH) => {}
            Err(error) => {
                let group = self.pid();
                tracing::warn!(group, %error, "failed to signal the child's process group");
            }
        }
    }

    /// Takes the dead leader's status and with it gives up the number. A leader that lives stays
    /// for the reaper.
    fn bury(&mut self) {
        let _ = waitid(WaitId::Pid(self.pid), WaitIdOptions::EXITED | WaitIdOptions::NOHANG);
        self.entry = None;
    }

    /// Says once for each stop that the child does not run, and why that usually is.
    fn report_stop(&self) {
        // Without NOWAIT: a stop is news only once.
        let status = waitid(WaitId::Pid(self.pid), WaitIdOptions::STOPPED | WaitIdOptions::NOHANG);
        let Some(number) = status.ok().flatten().and_then(|status| status.stopping_signal()) else {
            return;
        };
        let hint = match number {
            libc::SIGTTIN => "it read from the terminal, which a child in the background may not",
            libc::SIGTTOU => {
                "it wrote to the terminal or changed it, which a child in the background may not"
            }
            _ => "somebody sent it this signal; SIGCONT lets it run on",
        };
        tracing::warn!(
            child = self.pid(),
            signal = signal_name(number),
            hint,
            "the child was stopped"
        );
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.entry.is_some() {
            self.kill_group();
            self.bury();
        }
    }
}
