//! A play in the browser: one script of the folder `browser`, driven by node.
//!
//! Owns its process, what it says, and where its pictures are put. It is ended with the test.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

/// How long a play may be silent: it gives up by itself before that.
const SAYS_WITHIN: Duration = Duration::from_secs(60);

/// A play on its way.
pub(crate) struct Play {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Play {
    /// Begins the play of this name with a service at this address.
    pub(crate) fn begin(name: &str, address: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser");
        let is_there = folder.join("node_modules/playwright-core").is_dir();
        assert!(
            is_there,
            "playwright-core is not installed: `./test` installs what the tests need"
        );
        let mut command = Command::new("node");
        command.arg(format!("{name}.mjs")).arg(address).current_dir(&folder);
        command.env("CHROMIUM", chromium()).env("PICTURES", pictures());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0).kill_on_drop(true);
        let mut child = command.spawn().expect("node: `./test` installs what the tests need");
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// What it says next.
    pub(crate) async fn says(&mut self) -> Value {
        let line = timeout(SAYS_WITHIN, self.lines.next_line()).await.expect("a word in time");
        let line = line.unwrap().expect("a word before its end: see what it wrote above");
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}"))
    }

    /// Tells it to go on: what it waited for is there.
    pub(crate) async fn goes_on(mut self) -> Self {
        let mut stdin = self.child.stdin.take().expect("told once");
        stdin.write_all(b"go\n").await.unwrap();
        self
    }

    /// What it saw.
    pub(crate) async fn end(mut self) -> Value {
        let seen = self.says().await;
        let status = timeout(SAYS_WITHIN, self.child.wait()).await.expect("an end").unwrap();
        assert!(status.success(), "{status}");
        seen
    }
}

impl Drop for Play {
    fn drop(&mut self) {
        // The browser is a child of node's, in its group.
        if let Some(pid) = self.child.id().and_then(|id| i32::try_from(id).ok())
            && let Some(group) = rustix::process::Pid::from_raw(pid)
        {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }
}

fn chromium() -> PathBuf {
    let places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
    let found = places.into_iter().map(PathBuf::from).find(|place| place.exists());
    found.expect("chromium is not installed: `./test` installs what the tests need")
}

/// The folder of pictures, beside the build.
fn pictures() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../golden-path-screenshots");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
