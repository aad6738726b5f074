//! A running example. Dropping it ends it.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// How long anything here may take; whoever meets it hangs.
pub(crate) const WATCHDOG: Duration = Duration::from_secs(60);

/// How long the service's database takes.
pub(crate) const COLD_START: Duration = Duration::from_millis(600);

/// One process.
pub(crate) struct Service {
    /// `127.0.0.1:PORT`.
    pub(crate) address: String,
    _child: Child,
}

impl Service {
    /// Starts an example on a free port; it listens when this returns.
    pub(crate) async fn start(program: &str, cold_start: Duration, database: &str) -> Self {
        let mut child = Command::new(program)
            .env_clear()
            .env("PORT", "0")
            .env("COLD_START_MS", cold_start.as_millis().to_string())
            .env("DATABASE", database)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = timeout(WATCHDOG, lines.next_line()).await.unwrap().unwrap().unwrap();
        let address = line.strip_prefix("listening on ").unwrap().to_owned();
        Self { address, _child: child }
    }
}
