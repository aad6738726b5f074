//! A process of a play and its log.
//!
//! Owns its end: dropped, it is killed with its group.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::eventually;

/// How long a line may take to be logged, and a process to end.
const WITHIN: Duration = Duration::from_secs(30);

/// Variables of the machine that would change what is tested.
const CLEARED: &[&str] = &[
    "ENVIRONMENT",
    "PORT",
    "K_SERVICE",
    "K_REVISION",
    "KUBERNETES_SERVICE_HOST",
    "NOTIFY_SOCKET",
    "TESTING",
];

/// A running process.
pub(crate) struct Process {
    child: Child,
    pid: Pid,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Process {
    /// Starts it in a group of its own and gathers what it logs.
    pub(crate) fn start(line: &[String], env: &BTreeMap<String, String>) -> Self {
        let (program, arguments) = line.split_first().unwrap();
        let mut command = Command::new(program);
        for name in CLEARED {
            command.env_remove(name);
        }
        command.args(arguments).envs(env).stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(Stdio::piped()).process_group(0).kill_on_drop(true);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{program}: {error}"));
        let lines = Arc::<Mutex<Vec<String>>>::default();
        let (stderr, gathered) = (child.stderr.take().unwrap(), Arc::clone(&lines));
        tokio::spawn(async move {
            let mut read = BufReader::new(stderr).lines();
            while let Ok(Some(line)) = read.next_line().await {
                gathered.lock().unwrap().push(line);
            }
        });
        let pid = Pid::from_raw(child.id().unwrap().try_into().unwrap()).unwrap();
        Self { child, pid, lines }
    }

    /// Its log so far.
    pub(crate) fn log(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    /// Waits for a line with these words in it.
    pub(crate) async fn logs(&self, words: &str) -> String {
        let find = || self.log().into_iter().find(|line| line.contains(words));
        eventually(&format!("logged: {words}"), WITHIN, || find().is_some()).await;
        find().unwrap()
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid, signal).unwrap();
    }

    /// Asks it to end, and waits: its status.
    pub(crate) async fn terminate(&mut self) -> i32 {
        self.signal(Signal::TERM);
        self.ended().await
    }

    /// Waits for its end: its status, or less than 0 for a signal.
    pub(crate) async fn ended(&mut self) -> i32 {
        use std::os::unix::process::ExitStatusExt as _;
        let status = timeout(WITHIN, self.child.wait()).await.expect("it ends").unwrap();
        status.code().unwrap_or_else(|| -status.signal().unwrap())
    }

    /// Kills its whole group at once, as a machine that dies does.
    pub(crate) async fn kill(&mut self) {
        let _ = kill_process_group(self.pid, Signal::KILL);
        self.ended().await;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Once it is waited for, its number may be a stranger's.
        if self.child.id().is_some() {
            let _ = kill_process_group(self.pid, Signal::KILL);
        }
        if std::thread::panicking() {
            println!("log of {}:\n{}", self.pid, self.log().join("\n"));
        }
    }
}
