//! What the tests of this room share: conditions with a bound, processes found by a mark, copies of
//! this program.
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::time::{Instant, sleep};
use vestibule_front::process::child::{Child, Launch};

/// The bound of every wait. Far above what anything here takes, so that only a defect reaches it.
pub(crate) const BOUND: Duration = Duration::from_secs(20);

pub(crate) const ROLE: &str = "VESTIBULE_TEST_ROLE";
pub(crate) const SCRATCH: &str = "VESTIBULE_TEST_SCRATCH";

pub(crate) fn launch(program: &str, args: &[&str]) -> Launch {
    Launch {
        program: program.into(),
        args: args.iter().map(OsString::from).collect(),
        env: Vec::new(),
    }
}

pub(crate) fn shell(script: &str, args: &[&str]) -> Child {
    Child::spawn(&launch("sh", &[&["-c", script, "sh"], args].concat())).unwrap()
}

/// Waits until `condition` holds; fails with `what` at the bound.
pub(crate) async fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + BOUND;
    while !condition() {
        assert!(Instant::now() < deadline, "never came true: {what}");
        sleep(Duration::from_millis(2)).await;
    }
}

/// Waits for a file to be complete (its last byte a newline), and returns its words.
pub(crate) async fn words_of(file: &Path) -> Vec<String> {
    eventually(&format!("{} written", file.display()), || {
        fs::read_to_string(file).is_ok_and(|text| text.ends_with('\n'))
    })
    .await;
    fs::read_to_string(file).unwrap().split_whitespace().map(str::to_owned).collect()
}

/// A length of sleep that no other process asks for, by which ours are found.
pub(crate) fn mark() -> String {
    format!("9{:08}.{:06}", fastrand::u32(..100_000_000), fastrand::u32(..1_000_000))
}

/// The living sleepers of this length.
pub(crate) fn marked(mark: &str) -> Vec<u32> {
    processes()
        .filter(|pid| {
            fs::read(format!("/proc/{pid}/cmdline"))
                .is_ok_and(|line| line == format!("sleep\0{mark}\0").as_bytes())
        })
        .filter(|&pid| is_alive(pid))
        .collect()
}

/// Neither gone nor a zombie.
pub(crate) fn is_alive(pid: u32) -> bool {
    state(pid).is_some_and(|(state, _)| state != "Z" && state != "X")
}

/// The zombies among the children of a process.
pub(crate) fn zombies_of(parent: u32) -> Vec<u32> {
    processes().filter(|&pid| state(pid) == Some(("Z".to_owned(), parent))).collect()
}

fn state(pid: u32) -> Option<(String, u32)> {
    let line = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = line.rsplit_once(')')?.1.split_whitespace();
    Some((fields.next()?.to_owned(), fields.next()?.parse().ok()?))
}

fn processes() -> impl Iterator<Item = u32> {
    fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// A copy of this program in one role, with a directory to leave word in.
pub(crate) struct Helper {
    role: &'static str,
    pub(crate) scratch: tempfile::TempDir,
}

impl Helper {
    pub(crate) fn new(role: &'static str) -> Self {
        Self { role, scratch: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// The command; `before` is run first and runs the rest of its line, as `env` and `unshare` do.
    pub(crate) fn command(&self, before: &[&str]) -> Command {
        let own = std::env::current_exe().unwrap();
        let mut line: Vec<OsString> = before.iter().map(OsString::from).collect();
        line.push(own.into());
        // With one test at a time it runs in the main thread, as a service is started.
        line.extend(["helper", "--exact", "--nocapture", "--test-threads=1"].map(OsString::from));
        let mut command = Command::new(&line[0]);
        command.args(&line[1..]).env(ROLE, self.role).env(SCRATCH, self.scratch.path());
        command
    }

    /// Runs it to its end, which must be a good one.
    pub(crate) fn run(&self, before: &[&str]) -> Output {
        let output = self.command(before).output().unwrap();
        let text = [output.stdout.as_slice(), &output.stderr].concat();
        assert!(
            output.status.success(),
            "{} failed:\n{}",
            self.role,
            String::from_utf8_lossy(&text)
        );
        assert!(String::from_utf8_lossy(&text).contains("1 passed"), "the helper ran no test");
        output
    }
}

pub(crate) fn run(role: impl Future<Output = ()>) {
    Builder::new_current_thread().enable_all().build().unwrap().block_on(role);
}

/// A process of the test's own, which ends with the test however that ends.
pub(crate) struct Running(pub(crate) std::process::Child);

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(command.spawn().unwrap())
    }

    /// Kills it, so that nothing of it stays but what is to be found.
    pub(crate) fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A PID namespace of our own, where the machine allows one.
pub(crate) fn in_own_namespace() -> Option<&'static [&'static str]> {
    const COMMAND: [&str; 4] = ["unshare", "-Urpf", "--mount-proc", "--kill-child"];
    let works = Command::new(COMMAND[0])
        .args(&COMMAND[1..])
        .arg("true")
        .output()
        .is_ok_and(|out| out.status.success());
    works.then_some(&COMMAND)
}
