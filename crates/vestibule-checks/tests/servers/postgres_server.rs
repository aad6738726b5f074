//! A real PostgreSQL.
//!
//! Owns its data folder, made by `initdb` once and then copied, its settings, and how it is stopped. Must never
//! sync: nothing of it is worth keeping.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;
use tokio::sync::Mutex;

use crate::daemon::{Daemon, program};

/// Its superuser; no text of a check may hold this word.
pub(crate) const USER: &str = "canary_user";
/// The superuser's password.
pub(crate) const PASSWORD: &str = "canary-pass/word@1";
/// The same, as it stands in a URL.
pub(crate) const PASSWORD_IN_URL: &str = "canary-pass%2Fword%401";

const READY: &str = "database system is ready to accept";

/// Settings that make it small and quick.
const SMALL: &str = "
listen_addresses = '127.0.0.1'
fsync = off
full_page_writes = off
synchronous_commit = off
shared_buffers = '2MB'
max_connections = 12
superuser_reserved_connections = 0
max_wal_senders = 3
autovacuum = off
log_connections = on
";

/// A PostgreSQL, which may run or not.
pub(crate) struct Postgres {
    daemon: Daemon,
}

impl Postgres {
    /// One that runs, with these further lines in its `postgresql.conf`.
    pub(crate) async fn start(settings: &str) -> Self {
        let mut server = Self::prepare(settings).await;
        server.run().await;
        server
    }

    /// One that does not run yet.
    pub(crate) async fn prepare(settings: &str) -> Self {
        let template = template().await;
        let daemon = Daemon::prepare(find("postgres"));
        copy(&template, &daemon.folder().join("data"));
        let server = Self { daemon };
        server.configure(settings);
        server
    }

    /// A hot standby of a primary, which must run; it does not run yet.
    pub(crate) async fn standby_of(primary: &Self, settings: &str) -> Self {
        let daemon = Daemon::prepare(find("postgres"));
        let source = format!("host=127.0.0.1 port={} user={USER}", primary.port());
        let mut backup = daemon.command(&find("pg_basebackup"));
        backup.args(["--no-sync", "-c", "fast", "-X", "stream", "-R", "-D", "data", "-d", &source]);
        succeed(backup.env("PGPASSWORD", PASSWORD));
        let server = Self { daemon };
        server.configure(settings);
        server
    }

    /// Starts it, and waits until it takes connections.
    pub(crate) async fn run(&mut self) {
        let from = self.spawn();
        self.daemon.says(READY, from).await;
    }

    /// Starts it and does not wait; says how long its log was before.
    pub(crate) fn spawn(&mut self) -> usize {
        let from = self.daemon.log().len();
        self.daemon.spawn(["-D", "data"]);
        from
    }

    /// Where it runs, and its process.
    pub(crate) fn daemon(&mut self) -> &mut Daemon {
        &mut self.daemon
    }

    /// Its port on 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.daemon.port()
    }

    /// Its URL with user, password, and the query.
    pub(crate) fn url(&self, query: &str) -> String {
        format!("postgres://{USER}:{PASSWORD_IN_URL}@127.0.0.1:{}/postgres{query}", self.port())
    }

    /// Adds lines to its settings; they count from its next start.
    pub(crate) fn configure(&self, settings: &str) {
        let file = self.daemon.folder().join("data/postgresql.conf");
        let before = fs::read_to_string(&file).unwrap();
        let sockets = self.daemon.folder().display();
        let own = format!("port = {}\nunix_socket_directories = '{sockets}'\n", self.port());
        fs::write(&file, format!("{before}\n{SMALL}{own}{settings}\n")).unwrap();
    }

    /// Runs SQL as its superuser, and returns what came out.
    pub(crate) fn sql(&self, sql: &str) -> String {
        let output = succeed(self.psql().args(["-c", sql]));
        output.trim().to_owned()
    }

    /// `psql`, connected as its superuser: a session for as long as its standard input is open.
    pub(crate) fn psql(&self) -> Command {
        let mut command = self.daemon.command(&find("psql"));
        command.args(["-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-d", &self.url("")]);
        command
    }

    /// Ends it at once, without a word to its sessions.
    pub(crate) fn kill(&mut self) {
        self.daemon.kill();
    }

    /// Ends it in order, and closes its sessions.
    pub(crate) fn stop(&mut self) {
        self.daemon.end(Signal::INT);
    }
}

/// A data folder with nothing in it, made by `initdb` once and kept beside the build.
async fn template() -> PathBuf {
    static MAKING: Mutex<()> = Mutex::const_new(());
    let _one_at_a_time = MAKING.lock().await;
    let version = succeed(Command::new(find("postgres")).arg("--version"));
    let name = format!("{}-1", version.trim().replace([' ', '(', ')', '/'], "-"));
    let template = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if !template.exists() {
        let maker = Daemon::prepare(find("initdb"));
        fs::write(maker.folder().join("password"), PASSWORD).unwrap();
        let mut initdb = maker.command(&find("initdb"));
        initdb.args(["-D", "data", "--username", USER, "--pwfile", "password"]);
        initdb.args(["--auth=scram-sha-256", "--no-sync", "--no-instructions"]);
        succeed(initdb.args(["--wal-segsize=1", "--encoding=UTF8", "--no-locale"]));
        // Another test process may do the same: the first to rename has made it.
        let copied = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        succeed(Command::new("cp").arg("-r").arg(maker.folder().join("data")).arg(copied.path()));
        let _first = fs::rename(copied.path().join("data"), &template);
    }
    template
}

fn copy(template: &Path, data: &Path) {
    succeed(Command::new("cp").args(["-r", "--reflink=auto"]).arg(template).arg(data));
    fs::set_permissions(data, fs::Permissions::from_mode(0o700)).unwrap();
    if let Some((_, user, group)) = crate::daemon::servant() {
        succeed(Command::new("chown").arg("-R").arg(format!("{user}:{group}")).arg(data));
    }
}

/// Runs it to its end, and says what it printed.
fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{errors}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

fn find(name: &str) -> PathBuf {
    let mut folders: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .map(|versions| versions.map(|version| version.unwrap().path().join("bin")).collect())
        .unwrap_or_default();
    folders.sort();
    folders.reverse();
    program(name, &folders)
}
