//! A measured process.
//!
//! Owns starting it, reading what the kernel says of it, and ending it. Must never leave one.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running `vestibule`, and the address that it said it listens on.
pub(crate) struct Door {
    child: Child,
    /// Where clients connect.
    pub(crate) address: SocketAddr,
    /// From exec to the line that says so.
    pub(crate) listening_after: Duration,
}

impl Door {
    /// Starts a door and reads its log until it listens; a thread reads on.
    #[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
    pub(crate) fn start(command: &mut Command) -> Result<Self, String> {
        let started = Instant::now();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| error.to_string())?;
        let stderr = child.stderr.take().ok_or("no stderr")?;
        let mut lines = BufReader::new(stderr).lines().map_while(Result::ok);
        let address = lines.find_map(|line| {
            line.split("address=").nth(1)?.split(' ').next()?.parse::<SocketAddr>().ok()
        });
        let listening_after = started.elapsed();
        let Some(address) = address else {
            let _ = child.kill();
            let _ = child.wait();
            return Err("the door ended before it listened".to_owned());
        };
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Self { child, address, listening_after })
    }

    /// Resident memory in KiB: all of it, and the part that is not a file's.
    pub(crate) fn memory(&self) -> Result<(f64, f64), String> {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
        let of = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name))?;
            line.split_ascii_whitespace().nth(1)?.parse::<f64>().ok()
        };
        of("VmRSS:").zip(of("RssAnon:")).ok_or_else(|| "no memory in status".to_owned())
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        // SIGTERM, so that it ends its own child; the group is not ours.
        let pid = self.child.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &pid]).status();
        let _ = self.child.wait();
    }
}
