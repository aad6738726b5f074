//! When the app was really ready, on the clock of the race.
//!
//! Owns the stamp file that an app may write into, and the probe that stands in for it. Must
//! never take a client's word where the app's own is to be had.

use std::{
    fs,
    io::{self, Write as _},
    net::SocketAddr,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{Instant, sleep, timeout},
};

use crate::clock::Clock;

/// The variable that names the stamp file to the app.
///
/// The app appends one line at the moment it becomes ready: its `CLOCK_MONOTONIC` in whole
/// nanoseconds (`time.monotonic_ns()`, `process.hrtime.bigint()`).
pub const STAMP_VARIABLE: &str = "VESTIBULE_RACE_STAMP";

/// The pause between two probes: well below what a person or a percentile would notice.
const PROBE_PAUSE: Duration = Duration::from_millis(2);
/// How long one probe may take. A service that accepts and hangs must not stop the probing.
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);
/// More than any stamp file needs; the rest of a larger file is not read.
const STAMP_BYTES_MAX: usize = 4096;

/// The moment of real readiness, and who said so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Readiness {
    /// Counted from the start of the race.
    pub at: Duration,
    /// Who said so.
    pub source: Source,
}

/// Who said that the app is ready; the first is the best evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The app itself, by its stamp.
    Stamp,
    /// A probe of its ready path, at its own port.
    Probe,
    /// Nobody but the first client that was ok; lags are then counted from that client's 101.
    FirstOk,
}

impl Source {
    /// How a report names the source.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Stamp => "the app's own stamp",
            Self::Probe => "a probe of the ready path",
            Self::FirstOk => "the first client that was ok",
        }
    }

    /// The same as a stable key for machines.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Stamp => "stamp",
            Self::Probe => "probe",
            Self::FirstOk => "first_ok",
        }
    }
}

/// A fresh, private, empty file for the app's stamp; removed on drop.
#[derive(Debug)]
pub(crate) struct StampFile {
    path: PathBuf,
}

impl StampFile {
    /// Creates the file in the system's temporary directory.
    pub(crate) fn create() -> io::Result<Self> {
        let name = format!("vestibule-race-{:016x}.stamp", fastrand::u64(..));
        let path = std::env::temp_dir().join(name);
        fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?.flush()?;
        Ok(Self { path })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The app's readiness, once it has written it.
    pub(crate) fn read(&self, clock: &Clock) -> Option<Duration> {
        let bytes = fs::read(&self.path).ok()?;
        first_stamp(&bytes[..bytes.len().min(STAMP_BYTES_MAX)], clock)
    }
}

impl Drop for StampFile {
    fn drop(&mut self) {
        // A file that is already gone is what we want.
        let _ = fs::remove_file(&self.path);
    }
}

/// The first whole line that is a reading of this race's clock. A line still being written, and
/// lines that are no such reading, do not count.
fn first_stamp(bytes: &[u8], clock: &Clock) -> Option<Duration> {
    let whole = &bytes[..=bytes.iter().rposition(|&byte| byte == b'\n')?];
    let text = std::str::from_utf8(whole).ok()?;
    text.lines()
        .filter_map(|line| line.trim().parse().ok())
        .find_map(|ns| clock.since_start_of_reading(ns))
}

/// Asks `path` until it answers 2xx, and returns when that answer came. Runs until it is dropped
/// otherwise; the race's own end bounds it.
pub(crate) async fn probe_until_ready(addresses: Vec<SocketAddr>, path: String) -> Instant {
    loop {
        if let Ok(Ok(true)) = timeout(PROBE_TIMEOUT, probe_once(&addresses, &path)).await {
            return Instant::now();
        }
        sleep(PROBE_PAUSE).await;
    }
}

/// Whether `path` is answered with 200 to 399 now.
pub(crate) async fn probe_once(addresses: &[SocketAddr], path: &str) -> io::Result<bool> {
    let mut stream = TcpStream::connect(addresses).await?;
    let address = stream.peer_addr()?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nUser-Agent: vestibule-race\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    // `HTTP/1.1 2` or 3, as the door reads it, is enough; whatever follows is of no interest.
    let mut status_line = [0; 10];
    stream.read_exact(&mut status_line).await?;
    Ok(status_line.starts_with(b"HTTP/1.") && matches!(&status_line[8..], b" 2" | b" 3"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    fn clock() -> Clock {
        Clock::at(Instant::now(), 1_000_000_000)
    }

    // Breaks the reading of a stamp: half a line, other text, a time before the race, two lines.
    #[test]
    fn the_first_whole_stamp_counts() {
        let ms = |ms| Some(Duration::from_millis(ms));
        assert_eq!(first_stamp(b"", &clock()), None);
        assert_eq!(first_stamp(b"30000", &clock()), None);
        assert_eq!(first_stamp(b"3000000000\n", &clock()), ms(2000));
        assert_eq!(first_stamp(b" 3000000000 \r\n", &clock()), ms(2000));
        assert_eq!(first_stamp(b"ready\n3000000000\n", &clock()), ms(2000));
        assert_eq!(first_stamp(b"5\n3000000000\n4000000000\n", &clock()), ms(2000));
        assert_eq!(first_stamp(b"\xff\n", &clock()), None);
    }

    #[test]
    fn a_stamp_file_is_private_and_leaves_with_its_owner() {
        use std::os::unix::fs::PermissionsExt as _;
        let file = StampFile::create().unwrap();
        let path = file.path().to_owned();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::write(&path, "1500000000\n").unwrap();
        assert_eq!(file.read(&clock()), Some(Duration::from_millis(500)));
        drop(file);
        assert!(!path.exists());
    }

    // A probe must not take 503, a cut answer or another protocol for readiness.
    #[tokio::test]
    async fn only_2xx_ends_the_probing() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let probing = tokio::spawn(probe_until_ready(vec![address], "/health".into()));
        for answer in ["HTTP/1.1 503 No", "HTTP/1", "SSH-2.0-x 2", "HTTP/1.1 404 "] {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = vec![0; 256];
            let n = stream.read(&mut head).await.unwrap();
            assert!(head[..n].starts_with(b"GET /health HTTP/1.1\r\n"));
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        let (mut stream, _) = listener.accept().await.unwrap();
        assert!(!probing.is_finished());
        stream.write_all(b"HTTP/1.1 204 x\r\n\r\n").await.unwrap();
        timeout(Duration::from_secs(5), probing).await.unwrap().unwrap();
    }
}
