//! The process that is raced, and its end.
//!
//! Owns the command line, the process group and the last lines of output. Must never leave a
//! process of the group behind: [`Running::stop`] ends it gently, dropping it ends it at once.

mod output;

use std::{fmt, io, path::Path, process::Stdio, time::Duration};

use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, WaitIdStatus, kill_process_group, waitid,
};
use tokio::{
    process::{Child, Command},
    time::{Instant, sleep},
};

use crate::{
    error::RaceError,
    evidence::STAMP_VARIABLE,
    platform::VARIABLES,
    scenario::{Door, Launch, Output},
};
use output::LastLines;

/// How long a target may take to end after SIGTERM: a front's whole drain (8 s) and a little, and what a
/// platform gives.
const STOP_GRACE: Duration = crate::platform::TERMINATION;
/// How often an ending target is looked at.
const STOP_PAUSE: Duration = Duration::from_millis(5);

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// By itself, with this status.
    Status(i32),
    /// By this signal.
    Signal(i32),
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "exit status {status}"),
            Self::Signal(signal) => write!(f, "killed by signal {signal}"),
        }
    }
}

/// The ports of a target that we start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ports {
    /// The one that clients dial.
    pub(crate) dialled: u16,
    /// The app's own; the same without a front.
    pub(crate) app: u16,
}

/// A command line as it will be run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Prepared {
    argv: Vec<String>,
    env: Vec<(String, String)>,
}

impl Prepared {
    /// The command alone: it gets the private port in every way `vestibule run` gives it.
    pub(crate) fn bare(launch: &Launch, ports: Ports) -> Self {
        let port = ports.app.to_string();
        let argv = launch.argv.iter().map(|arg| arg.replace("{port}", &port));
        let mut env = launch.env.clone();
        for name in ["PORT", "UVICORN_PORT", "FLASK_RUN_PORT"] {
            env.push((name.into(), port.clone()));
        }
        Self { argv: argv.collect(), env }
    }

    /// The command behind a front, which fills in the port itself.
    pub(crate) fn door(door: &Door, ports: Ports, needs_app_port: bool) -> Self {
        let mut argv = door.front.clone();
        argv.extend(["--listen".into(), format!("127.0.0.1:{}", ports.dialled)]);
        if needs_app_port {
            argv.extend(["--child-port".into(), ports.app.to_string()]);
        }
        argv.push("--".into());
        argv.extend(door.command.argv.iter().cloned());
        Self { argv, env: door.command.env.clone() }
    }

    /// The same as an instance of a platform, which names its port and itself.
    pub(crate) fn on_a_platform(mut self, ports: Ports) -> Self {
        self.env.push(("PORT".into(), ports.dialled.to_string()));
        let names = VARIABLES.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        self.env.extend(names);
        self
    }
}

/// A program's name. Of a variable that stands in its place (`DATABASE_URL=... app`) the value is
/// not told.
fn named(program: &str) -> String {
    program.split_once('=').map_or_else(|| program.to_owned(), |(name, _)| format!("{name}=…"))
}

/// A started target. Dropping it kills its process group.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    group: Pid,
    last_lines: LastLines,
}

impl Running {
    /// Starts the command in a process group of its own.
    pub(crate) fn start(
        prepared: &Prepared,
        stamp: &Path,
        output: Output,
    ) -> Result<Self, RaceError> {
        let (program, args) = prepared.argv.split_first().ok_or(RaceError::NoCommand)?;
        let mut command = Command::new(program);
        command
            .args(args)
            .envs(prepared.env.iter().map(|(name, value)| (name, value)))
            .env(STAMP_VARIABLE, stamp)
            .process_group(0)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        match output {
            Output::KeepLastLines => command.stdout(Stdio::piped()).stderr(Stdio::piped()),
            Output::Show => command.stdout(io::stderr()).stderr(Stdio::inherit()),
        };
        let mut child = command.spawn().map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => RaceError::NotFound { program: named(program) },
            _ => RaceError::CannotStart { program: named(program), source },
        })?;
        let group = child
            .id()
            .and_then(|id| Pid::from_raw(i32::try_from(id).ok()?))
            .ok_or_else(|| io::Error::other("the started process has no id"))?;
        let last_lines = LastLines::follow(child.stdout.take(), child.stderr.take());
        Ok(Self { child, group, last_lines })
    }

    /// How it ended, if it has. Leaves the status in place, so that the group's number stays ours
    /// until [`Self::stop`] has sent its last signal.
    pub(crate) fn exited(&self) -> Option<Exit> {
        let peek = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let status = waitid(WaitId::Pid(self.group), peek).ok()??;
        exit_of(&status)
    }

    /// The last lines it wrote.
    pub(crate) fn last_lines(&self) -> Vec<String> {
        self.last_lines.lines()
    }

    /// Whether all that it wrote before its end has been read.
    pub(crate) fn is_all_read(&self) -> bool {
        self.last_lines.is_all_read()
    }

    /// Waits, within a bound, until what it wrote before its end has been read.
    pub(crate) async fn all_lines_read(&self) {
        self.last_lines.all_read().await;
    }

    /// SIGTERM to the group, time to end, SIGKILL to what is left of it.
    pub(crate) async fn stop(mut self) {
        self.signal(Signal::TERM);
        let deadline = Instant::now() + STOP_GRACE;
        while self.exited().is_none() && Instant::now() < deadline {
            sleep(STOP_PAUSE).await;
        }
        self.signal(Signal::KILL);
        // Only now may the status be taken; the process is dead, so this does not wait.
        let _ = self.child.wait().await;
    }

    fn signal(&self, signal: Signal) {
        // The group may have ended by itself.
        let _ = kill_process_group(self.group, signal);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // After `stop` the number may belong to somebody else: `id` is then `None`.
        if self.child.id().is_some() {
            self.signal(Signal::KILL);
        }
    }
}

fn exit_of(status: &WaitIdStatus) -> Option<Exit> {
    status.exit_status().map(Exit::Status).or_else(|| status.terminating_signal().map(Exit::Signal))
}

#[cfg(test)]
mod tests;
