//! A real Redis.
//!
//! Owns its settings and how it is stopped. Must never write its data, unless a test asks it to.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use crate::daemon::{Daemon, LONG, program};

/// Its password; no text of a check may hold it.
pub(crate) const PASSWORD: &str = "canary-pass/word@2";
/// The same, as it stands in a URL.
pub(crate) const PASSWORD_IN_URL: &str = "canary-pass%2Fword%402";

const READY: &str = "Ready to accept connections";

/// A Redis, which may run or not.
pub(crate) struct Redis {
    daemon: Daemon,
    arguments: Vec<String>,
}

impl Redis {
    /// One that runs, with these further arguments: `--maxclients 1`.
    pub(crate) async fn start(arguments: &str) -> Self {
        let mut server = Self::prepare(arguments);
        server.run().await;
        server
    }

    /// One that does not run yet.
    pub(crate) fn prepare(arguments: &str) -> Self {
        let daemon = Daemon::prepare(program("redis-server", &[]));
        let arguments = arguments.split_whitespace().map(str::to_owned).collect();
        Self { daemon, arguments }
    }

    /// Starts it, and waits until it takes commands.
    pub(crate) async fn run(&mut self) {
        let from = self.spawn();
        self.daemon.says(READY, from).await;
    }

    /// Starts it and does not wait; says how long its log was before.
    pub(crate) fn spawn(&mut self) -> usize {
        let from = self.daemon.log().len();
        let port = self.port().to_string();
        let own = ["--port", &port, "--bind", "127.0.0.1", "--save", "", "--requirepass", PASSWORD];
        let all = own.into_iter().chain(self.arguments.iter().map(String::as_str));
        self.daemon.spawn(all.collect::<Vec<_>>());
        from
    }

    /// Adds arguments for its next start.
    pub(crate) fn argue(&mut self, arguments: &str) {
        self.arguments.extend(arguments.split_whitespace().map(str::to_owned));
    }

    /// Where it runs, and its process.
    pub(crate) fn daemon(&mut self) -> &mut Daemon {
        &mut self.daemon
    }

    /// Its port on 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.daemon.port()
    }

    /// Its URL with the password.
    pub(crate) fn url(&self) -> String {
        format!("redis://:{PASSWORD_IN_URL}@127.0.0.1:{}", self.port())
    }

    /// A session as its owner, for as long as it is kept.
    pub(crate) fn session(&self) -> Session {
        let stream = TcpStream::connect(("127.0.0.1", self.port())).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        let mut session = Session { stream };
        assert_eq!(session.ask(&format!("AUTH {PASSWORD}")), "+OK");
        session
    }

    /// Ends it at once.
    pub(crate) fn kill(&mut self) {
        self.daemon.kill();
    }
}

/// A session in which one line is asked and one line answered.
pub(crate) struct Session {
    stream: TcpStream,
}

impl Session {
    /// Asks, and returns the answer's first line.
    pub(crate) fn ask(&mut self, line: &str) -> String {
        self.tell(line);
        let mut answer = String::new();
        BufReader::new(&self.stream).read_line(&mut answer).unwrap();
        answer.trim_end().to_owned()
    }

    /// Asks, and does not wait for the answer.
    pub(crate) fn tell(&mut self, line: &str) {
        self.stream.write_all(format!("{line}\r\n").as_bytes()).unwrap();
    }
}
