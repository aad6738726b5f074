//! A running `vestibule`.
//!
//! Owns its process, its log lines and its end: dropped, it is killed with its group.

use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use rustix::process::{Signal, kill_process, kill_process_group};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;
use vestibule::environment::{EnvSource as _, Process};

use crate::client::Client;
use crate::stage::{BOUND, Stage, eventually, pid_of};

/// Variables of the machine that would change what is tested.
const CLEARED: &[&str] = &[
    "ENVIRONMENT",
    "PORT",
    "K_SERVICE",
    "K_REVISION",
    "GOOGLE_CLOUD_PROJECT",
    "GCP_PROJECT_ID",
    "KUBERNETES_SERVICE_HOST",
    "NOTIFY_SOCKET",
    "TESTING",
];

pub(crate) struct Door {
    child: Child,
    pid: u32,
    in_namespace: bool,
    lines: Arc<Mutex<Vec<String>>>,
    stdout: Option<ChildStdout>,
}

impl Door {
    /// Starts `BEFORE vestibule LINE` and gathers its log.
    pub(crate) fn start(stage: &Stage, before: &[&str], line: &[String]) -> Self {
        let mut command = Self::command(stage, before, line);
        Self::spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()), !before.is_empty())
    }

    /// The command alone, for tests that want another environment or other pipes.
    pub(crate) fn command(stage: &Stage, before: &[&str], line: &[String]) -> Command {
        // Whoever measures plays this with the release binary.
        let given = Process.get("VESTIBULE_UNDER_TEST");
        let own = given.as_deref().unwrap_or(env!("CARGO_BIN_EXE_vestibule"));
        let (program, rest) = before.split_first().map_or((own, &[][..]), |(f, r)| (*f, r));
        let mut command = Command::new(program);
        command.args(rest);
        if !before.is_empty() {
            command.arg(own);
        }
        for name in CLEARED {
            command.env_remove(name);
        }
        let (mark, value) = stage.mark();
        command.args(line).env(mark, value).env("XDG_RUNTIME_DIR", stage.runtime_directory());
        command.stdin(Stdio::null()).process_group(0).kill_on_drop(true);
        command
    }

    /// Starts a command; its stderr is gathered if it is a pipe.
    pub(crate) fn spawn(command: &mut Command, in_namespace: bool) -> Self {
        let mut child = command.spawn().unwrap();
        let lines = Arc::<Mutex<Vec<String>>>::default();
        if let Some(stderr) = child.stderr.take() {
            let gathered = Arc::clone(&lines);
            tokio::spawn(async move {
                let mut read = BufReader::new(stderr).lines();
                while let Ok(Some(line)) = read.next_line().await {
                    gathered.lock().unwrap().push(line);
                }
            });
        }
        let (pid, stdout) = (child.id().unwrap(), child.stdout.take());
        Self { child, pid, in_namespace, lines, stdout }
    }

    /// Its log so far.
    pub(crate) fn log(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    /// Waits for a line with these words in it.
    pub(crate) async fn logs(&self, words: &str) -> String {
        let mut found = None;
        eventually(&format!("logged: {words}"), || {
            found = self.log().into_iter().find(|line| line.contains(words));
            found.is_some()
        })
        .await;
        found.unwrap()
    }

    /// Waits until it listens; answers where.
    pub(crate) async fn listening(&self) -> String {
        let line = self.logs("listening").await;
        let at = line.split("address").nth(1).unwrap_or_else(|| panic!("no address: {line}"));
        at.trim_start_matches(['=', '"', ':']).split([' ', '"']).next().unwrap().to_owned()
    }

    /// A client that has sent its handshake.
    pub(crate) async fn client(&self) -> Client {
        Client::handshake(&self.listening().await).await
    }

    /// Clients of whom each is held by now.
    pub(crate) async fn clients(&self, count: usize) -> Vec<Client> {
        let address = self.listening().await;
        let mut clients = Vec::new();
        for _ in 0..count {
            clients.push(Client::handshake(&address).await);
        }
        clients
    }

    /// The number of `vestibule` itself: inside a namespace it is the child of what we started.
    pub(crate) async fn pid(&self) -> u32 {
        if !self.in_namespace {
            return self.started_pid();
        }
        let children = format!("/proc/{0}/task/{0}/children", self.pid);
        let mut found = None;
        eventually("the namespace has its first process", || {
            let text = std::fs::read_to_string(&children).unwrap_or_default();
            found = text.split_whitespace().next().and_then(|word| word.parse().ok());
            found.is_some()
        })
        .await;
        found.unwrap()
    }

    /// The number of what we started: `vestibule`, too, if whatever came before it became it.
    #[allow(dead_code, reason = "not every suite looks at it")]
    pub(crate) const fn started_pid(&self) -> u32 {
        self.pid
    }

    pub(crate) async fn signal(&self, signal: Signal) {
        kill_process(pid_of(self.pid().await), signal).unwrap();
    }

    /// The number of its child, from its log.
    pub(crate) async fn child_pid(&self) -> u32 {
        let line = self.logs("child started").await;
        line.split("pid=").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap()
    }

    /// Waits for its end: its status, or less than 0 for a signal.
    pub(crate) async fn exit(&mut self) -> i32 {
        use std::os::unix::process::ExitStatusExt;
        let status = timeout(BOUND, self.child.wait()).await;
        let status = status.unwrap_or_else(|_| panic!("it did not end\n{}", self.log().join("\n")));
        let status = status.unwrap();
        status.code().unwrap_or_else(|| -status.signal().unwrap())
    }

    /// All that came on its stdout, once it has ended.
    pub(crate) async fn stdout(&mut self) -> String {
        let mut text = String::new();
        let mut stdout = self.stdout.take().unwrap();
        timeout(BOUND, stdout.read_to_string(&mut text)).await.unwrap().unwrap();
        text
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        // Once it is waited for, its number may be a stranger's.
        if self.child.id().is_some() && Path::new(&format!("/proc/{}", self.pid)).exists() {
            let _ = kill_process_group(pid_of(self.pid), Signal::KILL);
        }
        if std::thread::panicking() {
            println!("log of the door:\n{}", self.log().join("\n"));
        }
    }
}
