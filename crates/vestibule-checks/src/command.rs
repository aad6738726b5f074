//! `command`: a program that knows better.
//!
//! Owns one run of it: no shell, a process group of its own, a bound on what is kept of its words, and its end
//! with the try. `spawn` is how it is started. Must never leave a process behind, wait for a background process
//! that holds its output, or hand it our own secrets.

pub mod spawn;

use std::ffi::OsStr;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, WaitId, WaitIdOptions, kill_process_group, waitid};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::timeout;
use vestibule::check::{Check, CheckFuture, Reason, Saw, Stage, Trouble};

pub use self::spawn::{Plainly, Spawn, Spawned};
use crate::options::{Flaw, Key, Options, Wants};
use crate::socket::trouble_of;

/// The keys of this kind.
pub const KEYS: &[Key] = &[Key {
    name: "command",
    wants: Wants::Words,
    about: "the program and its arguments: [\"pg_isready\", \"-q\"]; no shell",
}];

/// As much is kept of each of its two outputs; the rest is read and forgotten.
pub const OUTPUT_MAX: usize = 4 * 1024;

/// How long the last words of one that has ended may take to reach us.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// What a command is not to know of us.
const OUR_SECRETS: [&str; 3] =
    ["VESTIBULE_ADMIN_TOKEN", "VESTIBULE_STARTUP_TOKEN", "NOTIFY_SOCKET"];

/// A command that ends with status 0.
pub struct Command {
    words: Vec<String>,
    spawn: Arc<dyn Spawn>,
}

impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Command").field(&self.words.first()).finish()
    }
}

impl Command {
    /// The check that was declared.
    ///
    /// # Errors
    ///
    /// Every mistake in it.
    pub fn new(options: &Options, spawn: Arc<dyn Spawn>) -> Result<Self, Vec<Flaw>> {
        let words = options.words("command").to_vec();
        let usage = "use [\"PROGRAM\", \"ARGUMENT\", …]";
        match words.first() {
            Some(program) if !program.is_empty() => Ok(Self { words, spawn }),
            _ => Err(vec![Flaw::new("command", usage)]),
        }
    }

    async fn run(&self, stage: &Stage) -> Result<Saw, Trouble> {
        stage.waits(Reason::TimedOut, "the command's end");
        let mut command = process::Command::new(&self.words[0]);
        command.args(&self.words[1..]).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0).kill_on_drop(true);
        for name in OUR_SECRETS {
            command.env_remove(name);
        }
        // Before it exists, so that not even its instant death goes unheard.
        let mut deaths = signal(SignalKind::child()).map_err(|error| trouble_of(&error))?;
        let started = self.spawn.spawn(&mut command).map_err(|error| not_started(&error))?;
        let mut group = Group(started);
        let (stdout, stderr) = (group.0.child.stdout.take(), group.0.child.stderr.take());
        let (mut said, mut complained) = (Vec::new(), Vec::new());
        let status = {
            let mut words = pin!(async {
                tokio::join!(listen(stdout, &mut said), listen(stderr, &mut complained))
            });
            let silent = tokio::select! {
                _ = &mut words => true,
                () = group.death(&mut deaths) => false,
            };
            if silent {
                group.death(&mut deaths).await;
            }
            let status = group.end().await;
            if !silent {
                // Whoever left the group may hold the pipes for ever.
                let _ = timeout(LAST_WORDS, words).await;
            }
            status.map_err(|error| trouble_of(&error))?
        };
        judge(status, &said, &complained)
    }
}

/// A leader and its process group. The dead leader keeps the group's number from strangers until it is taken:
/// so the group is killed first.
struct Group(Spawned);

impl Group {
    fn is_alive(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        self.pid().is_some_and(|pid| matches!(waitid(WaitId::Pid(pid), options), Ok(None)))
    }

    /// Its leader's death; the status is left where it is.
    async fn death(&self, deaths: &mut Signal) {
        while self.is_alive() && deaths.recv().await.is_some() {}
    }

    fn pid(&self) -> Option<Pid> {
        Pid::from_raw(i32::try_from(self.0.child.id()?).ok()?)
    }

    fn kill(&self) {
        if let Some(pid) = self.pid() {
            // A group that is gone is what was wanted.
            let _ = kill_process_group(pid, rustix::process::Signal::KILL);
        }
    }

    async fn end(&mut self) -> io::Result<ExitStatus> {
        self.kill();
        self.0.child.wait().await
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Reads to the end, and keeps the beginning.
async fn listen(pipe: Option<impl AsyncRead + Unpin>, kept: &mut Vec<u8>) {
    let Some(mut pipe) = pipe else { return };
    let mut part = [0; 1024];
    while let Ok(read @ 1..) = pipe.read(&mut part).await {
        let room = OUTPUT_MAX - kept.len();
        kept.extend_from_slice(&part[..read.min(room)]);
    }
}

fn judge(status: ExitStatus, said: &[u8], complained: &[u8]) -> Result<Saw, Trouble> {
    let end = match (status.code(), status.signal()) {
        (Some(code), _) => format!("status {code}"),
        (None, Some(signal)) => format!("ended by signal {signal}"),
        (None, None) => "ended".to_owned(),
    };
    let line = |output: &[u8]| {
        let text = String::from_utf8_lossy(output);
        text.lines().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned)
    };
    if status.success() {
        return Ok(Saw::new(line(said).unwrap_or(end)));
    }
    let words = line(complained).or_else(|| line(said));
    let words = words.map(|words| format!(": {words}")).unwrap_or_default();
    Err(Trouble::new(Reason::CommandFailed, format!("{end}{words}")))
}

/// What the system refuses for want of something may work later; all else is the declaration's fault.
fn not_started(error: &io::Error) -> Trouble {
    let trouble = trouble_of(error);
    let short = error.kind() == io::ErrorKind::WouldBlock;
    match trouble.reason() {
        Reason::OutOfResources => trouble,
        _ if short => Trouble::new(Reason::OutOfResources, "no more processes: see ulimit -u"),
        _ => Trouble::new(Reason::NotStarted, trouble.detail()),
    }
}

impl Check for Command {
    fn kind(&self) -> &'static str {
        "command"
    }

    /// The program alone: arguments may hold secrets.
    fn target(&self) -> String {
        let program = std::path::Path::new(&self.words[0]);
        program.file_name().unwrap_or(OsStr::new("?")).to_string_lossy().into_owned()
    }

    fn try_once<'a>(&'a self, stage: &'a Stage) -> CheckFuture<'a, Result<Saw, Trouble>> {
        Box::pin(self.run(stage))
    }
}

#[cfg(test)]
mod tests;
