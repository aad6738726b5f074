//! A real server as a child of the test.
//!
//! Owns its folder, port, process and log: whoever drops it leaves nothing behind. Where we are root the server
//! runs as another user, since PostgreSQL refuses root. Must never wait without a bound.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::chown;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

/// Nothing here takes longer, even on a machine that is busy with other tests.
pub(crate) const LONG: Duration = Duration::from_secs(30);

/// A server's folder and port, and its process if it runs. The log is kept over restarts.
pub(crate) struct Daemon {
    folder: TempDir,
    program: PathBuf,
    port: u16,
    child: Option<Child>,
}

impl Daemon {
    /// A folder of its own and a port that nobody listens on; nothing runs yet.
    pub(crate) fn prepare(program: PathBuf) -> Self {
        let folder = tempfile::Builder::new().prefix("vestibule-server-").tempdir().unwrap();
        if let Some((_, user, group)) = servant() {
            chown(folder.path(), Some(user), Some(group)).unwrap();
        }
        Self { folder, program, port: free_port(), child: None }
    }

    /// Its folder.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its port on 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Its process.
    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(self.child.as_ref().expect("it runs"))
    }

    /// A command that runs as the server does, in its folder, and is killed if the test's thread dies.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]);
        if let Some((name, user, group)) = servant() {
            command.arg(format!("--reuid={user}")).arg(format!("--regid={group}"));
            command.arg("--clear-groups").env("USER", name);
        }
        command.arg("--").arg(program);
        command.current_dir(self.folder()).env("LC_ALL", "C").env("HOME", self.folder());
        command.stdin(Stdio::null());
        command
    }

    /// Starts it with these arguments; it is not ready yet.
    pub(crate) fn spawn<S: AsRef<std::ffi::OsStr>>(
        &mut self,
        arguments: impl IntoIterator<Item = S>,
    ) {
        assert!(self.child.is_none(), "it runs already");
        let log = File::options().create(true).append(true).open(self.log_path()).unwrap();
        let mut command = self.command(&self.program);
        command.args(arguments).stdout(log.try_clone().unwrap()).stderr(log);
        self.child =
            Some(command.spawn().expect("setpriv, of the package util-linux, must be there"));
    }

    /// Waits until its log holds this text behind `from`; says what it holds instead if it never does.
    pub(crate) async fn says(&mut self, text: &str, from: usize) {
        let end = Instant::now() + LONG;
        while !self.log().get(from..).is_some_and(|log| log.contains(text)) {
            let ended = self.child.as_mut().and_then(|child| child.try_wait().unwrap());
            let hopeless = ended.is_some() || Instant::now() > end;
            assert!(!hopeless, "{ended:?}: no {text:?} in:\n{}", self.log());
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// All that it said.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.log_path()).unwrap_or_default()).into_owned()
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Stops it where it stands: the kernel still accepts for it. Each of its threads has stopped on return; until
    /// then one on another processor may answer.
    pub(crate) fn freeze(&self) {
        self.signal(Signal::STOP);
        let tasks = format!("/proc/{}/task", self.pid().as_raw_nonzero());
        let has_stopped = |task: fs::DirEntry| {
            let stat = fs::read_to_string(task.path().join("stat")).unwrap_or_default();
            // The name in brackets may hold anything; the state follows it.
            stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('T'))
        };
        let deadline = Instant::now() + LONG;
        while !fs::read_dir(&tasks).unwrap().all(|task| has_stopped(task.unwrap())) {
            assert!(Instant::now() < deadline, "it does not stop");
            std::thread::yield_now();
        }
    }

    /// Ends it by this signal and waits for its end.
    pub(crate) fn end(&mut self, signal: Signal) -> ExitStatus {
        self.signal(signal);
        let mut child = self.child.take().unwrap();
        child.wait().unwrap()
    }

    /// Kills it: whoever is connected sees a reset.
    pub(crate) fn kill(&mut self) {
        assert_eq!(self.end(Signal::KILL).signal(), Some(9));
    }

    fn log_path(&self) -> PathBuf {
        self.folder().join("log")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _stopped_ones_too = kill_process(Pid::from_child(&child), Signal::CONT);
            let _gone = child.kill();
            let _reaped = child.wait();
        }
    }
}

/// The program of this name, from `PATH`, or from one of these folders.
pub(crate) fn program(name: &str, folders: &[PathBuf]) -> PathBuf {
    #[expect(clippy::disallowed_methods, reason = "where the programs are is the machine's to say")]
    let path = std::env::var("PATH").unwrap_or_default();
    let mut places = std::env::split_paths(&path).chain(folders.iter().cloned());
    places
        .find_map(|place| Some(place.join(name)).filter(|file| file.is_file()))
        .unwrap_or_else(|| panic!("{name} is not installed: `./test` installs what the tests need"))
}

/// A port that nobody listens on, below the range of which the kernel takes ports for those who dial: one that
/// is dialled before its server is there must not be connected to itself.
pub(crate) fn free_port() -> u16 {
    let mut ports = std::iter::repeat_with(|| fastrand::u16(20_000..32_000));
    ports.find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok()).unwrap()
}

/// Who runs servers where we are root: name, user, group.
pub(crate) fn servant() -> Option<(String, u32, u32)> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let find = |wanted: &str| {
        users.lines().find_map(|line| {
            let fields: Vec<&str> = line.split(':').collect();
            let is_wanted = fields.first() == Some(&wanted);
            is_wanted.then(|| {
                (wanted.to_owned(), fields[2].parse().unwrap(), fields[3].parse().unwrap())
            })
        })
    };
    Some(find("postgres").or_else(|| find("nobody")).expect("a user postgres or nobody"))
}
