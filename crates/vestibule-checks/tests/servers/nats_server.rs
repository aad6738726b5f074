//! A real nats-server.
//!
//! Owns its settings and how it is stopped.

use std::fs;
use std::path::PathBuf;

use rustix::process::Signal;

use crate::daemon::{Daemon, program};

/// Its token and its user's password; no text of a check may hold them.
pub(crate) const TOKEN: &str = "canary-token";
pub(crate) const PASSWORD: &str = "canary-pass/word@2";
/// The same, as it stands in a URL.
pub(crate) const PASSWORD_IN_URL: &str = "canary-pass%2Fword%402";

/// The line that makes it have JetStream.
pub(crate) const JETSTREAM: &str = "jetstream { store_dir: \"FOLDER/js\" }";

const READY: &str = "Server is ready";

/// A NATS server, which may run or not.
pub(crate) struct Nats {
    daemon: Daemon,
}

impl Nats {
    /// One that runs with these settings, in which `FOLDER` is its own.
    pub(crate) async fn start(settings: &str) -> Self {
        let mut server = Self::prepare(settings);
        server.run().await;
        server
    }

    /// One that does not run yet.
    pub(crate) fn prepare(settings: &str) -> Self {
        let daemon = Daemon::prepare(program("nats-server", &[PathBuf::from("/usr/sbin")]));
        let settings = settings.replace("FOLDER", &daemon.folder().display().to_string());
        let listen = format!("listen: \"127.0.0.1:{}\"\n{settings}\n", daemon.port());
        fs::write(daemon.folder().join("nats.conf"), listen).unwrap();
        Self { daemon }
    }

    /// Puts a file into its folder, before it runs.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.daemon.folder().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// Starts it, and waits until it takes clients.
    pub(crate) async fn run(&mut self) {
        let from = self.daemon.log().len();
        let settings = self.daemon.folder().join("nats.conf");
        self.daemon.spawn([PathBuf::from("-c"), settings]);
        self.daemon.says(READY, from).await;
    }

    /// Where it runs, and its process.
    #[allow(dead_code, reason = "not every suite looks at it")]
    pub(crate) fn daemon(&mut self) -> &mut Daemon {
        &mut self.daemon
    }

    /// Its port on 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.daemon.port()
    }

    /// Its URL without a user.
    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port())
    }

    /// Asks its clients to leave.
    pub(crate) fn lame_duck(&self) {
        self.daemon.signal(Signal::USR2);
    }

    /// Stops it where it stands: the kernel still accepts for it.
    pub(crate) fn freeze(&self) {
        self.daemon.freeze();
    }

    /// Ends it at once.
    pub(crate) fn kill(&mut self) {
        self.daemon.kill();
    }
}
