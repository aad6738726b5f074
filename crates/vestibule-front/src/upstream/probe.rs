//! Asks the upstream whether it is ready.
//!
//! Owns one question at a time, each with its own timeout and connection. Must never have two
//! probes in flight, nor take a connection for readiness where a path was given: a kernel
//! accepts for a process that hangs.

use std::fmt;
use std::io;
use std::str::FromStr;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, sleep, timeout};

use crate::head::upgrade::AnswerReader;
use crate::stream::scratch::read_once;
use crate::upstream::ahead::Ahead;
use crate::upstream::dial::{Dial, nobody_listens};
use crate::upstream::requests::{Kind, Requests};
use crate::upstream::shortage::Shortage;

/// Pause after a refused dial: it costs nobody anything, and readiness often is the binding.
const REFUSED_PAUSE: Duration = Duration::from_millis(5);
/// Pause after an answer: the service spends its own processor on our questions.
const ANSWERED_PAUSE: Duration = Duration::from_millis(10);
/// While nobody is held, nobody waits for the next answer: it may be so many times later.
const NOBODY_HELD: u32 = 10;
/// Pauses grow to a thousandth of the wait so far, and to this at most: whoever waited for long does
/// not see it, and a service that stays away costs less than a hundredth of a processor.
const PAUSE_MAX: Duration = Duration::from_millis(250);
/// A ready path's answer head is small; more is not an answer to a probe.
const ANSWER_MAX: usize = 16 * 1024;

/// How the upstream's readiness is learnt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// The child says so itself, by `sd_notify` `READY=1`.
    Notify,
    /// `GET PATH` answers with a status from 200 to 399.
    Http(String),
    /// A connection is accepted.
    Tcp,
}

/// A readiness source that could not be understood.
#[derive(Debug, thiserror::Error)]
#[error("not a readiness source: use notify, http:/PATH or tcp")]
pub struct ReadinessSyntax;

/// What was seen when the upstream was found ready: it decides how far a first hand-over is
/// believed (see [`super::settle::window`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// The service said `READY=1`.
    Notified,
    /// Its ready path says yes; `refused_before` if the same path had said no, which shows that
    /// it tells the two apart.
    Answered {
        /// The path had answered with another status before.
        refused_before: bool,
    },
    /// Its port accepts connections; nothing more is known.
    Connected,
}

impl Evidence {
    /// The word used in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Notified => "notified",
            Self::Answered { refused_before: true } => "answered_after_no",
            Self::Answered { refused_before: false } => "answered",
            Self::Connected => "connected",
        }
    }
}

/// What one probe saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Nobody was asked yet.
    Nothing,
    /// Nobody listens.
    NobodyListens,
    /// No answer, or one that breaks off.
    NoAnswer,
    /// We could not ask.
    Short(Shortage),
    /// A connection, where that is all that is asked for.
    Connection,
    /// The ready path's status.
    Status(u16),
}

impl FromStr for Readiness {
    type Err = ReadinessSyntax;

    fn from_str(text: &str) -> Result<Self, ReadinessSyntax> {
        match text.split_once(':') {
            None if text == "notify" => Ok(Self::Notify),
            None if text == "tcp" => Ok(Self::Tcp),
            Some(("http", path)) if is_path(path) => Ok(Self::Http(path.into())),
            _ => Err(ReadinessSyntax),
        }
    }
}

impl Readiness {
    /// The word used in flags and logs.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Notify => "notify",
            Self::Http(_) => "http",
            Self::Tcp => "tcp",
        }
    }
}

impl fmt::Display for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Notify => f.write_str("READY=1 over sd_notify"),
            // A query may hold a key.
            Self::Http(target) => {
                let path = target.split('?').next().unwrap_or_default();
                write!(f, "a status from 200 to 399 of GET {path}")
            }
            Self::Tcp => f.write_str("an open port"),
        }
    }
}

/// Whether `path` can be asked for as it stands: printable ASCII from a slash on.
pub fn is_path(path: &str) -> bool {
    path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#')
}

/// Probes until the upstream says yes, and dials ahead for the `held` while it says no. Bounded by
/// whoever drops it at the end of the startup budget; each probe is bounded by `try_timeout` or a
/// part of it; `tell` hears what it saw.
pub async fn until_ready<D: Dial>(
    dial: &Ahead<D>,
    held: impl Fn() -> usize,
    readiness: &Readiness,
    try_timeout: Duration,
    requests: &Requests,
    tell: impl Fn(Seen),
) -> Evidence {
    let mut refused_before = false;
    let mut unanswered = 0_u32;
    let began = Instant::now();
    loop {
        let patience = patience(unanswered, try_timeout);
        let asked = timeout(patience, ask(dial.fresh(), readiness, requests)).await;
        let seen = asked.unwrap_or(Seen::NoAnswer);
        tell(seen);
        unanswered = if seen == Seen::NoAnswer { unanswered.wrapping_add(1) } else { 0 };
        match seen {
            Seen::Status(200..=399) => return Evidence::Answered { refused_before },
            Seen::Connection => return Evidence::Connected,
            Seen::Status(_) => {
                refused_before = true;
                dial.grow(held()).await;
                rest(pause(ANSWERED_PAUSE, began.elapsed()), &held).await;
            }
            Seen::NoAnswer | Seen::Nothing => {
                dial.unanswered();
                rest(pause(ANSWERED_PAUSE, began.elapsed()), &held).await;
            }
            Seen::Short(_) => sleep(pause(ANSWERED_PAUSE, began.elapsed())).await,
            Seen::NobodyListens => sleep(pause(REFUSED_PAUSE, began.elapsed())).await,
        }
    }
}

/// Asks once.
pub async fn ask_once<D: Dial>(
    dial: &Ahead<D>,
    readiness: &Readiness,
    try_timeout: Duration,
    requests: &Requests,
) -> Seen {
    let asked = timeout(try_timeout, ask(dial.fresh(), readiness, requests)).await;
    asked.unwrap_or(Seen::NoAnswer)
}

/// Of those that get no answer three are hasty, then one is patient: a service that swallows what
/// comes before it is ready is found soon after, and one whose ready path is slow is found, too.
fn patience(unanswered: u32, try_timeout: Duration) -> Duration {
    if unanswered % 4 == 3 { try_timeout } else { try_timeout / 4 }
}

/// The pause behind a probe, `waited` after the first one.
fn pause(least: Duration, waited: Duration) -> Duration {
    least.max(waited / 1000).min(PAUSE_MAX)
}

/// Rests for a pause; for longer while nobody is held, and then no longer once somebody is.
async fn rest(pause: Duration, held: &impl Fn() -> usize) {
    let longest = Instant::now() + PAUSE_MAX.min(pause * NOBODY_HELD);
    sleep(pause).await;
    while held() == 0 && Instant::now() < longest {
        sleep(ANSWERED_PAUSE).await;
    }
}

async fn ask<D: Dial>(dial: &D, readiness: &Readiness, requests: &Requests) -> Seen {
    let stream = match dial.dial().await {
        Ok(stream) => stream,
        Err(error) => {
            return match Shortage::of(&error) {
                Some(shortage) => Seen::Short(shortage),
                None if nobody_listens(&error) => Seen::NobodyListens,
                None => Seen::NoAnswer,
            };
        }
    };
    let Readiness::Http(path) = readiness else { return Seen::Connection };
    requests.begin(Kind::Probe);
    status(stream, path).await.map_or(Seen::NoAnswer, Seen::Status)
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("nothing was asked"),
            Self::NobodyListens => f.write_str("nobody listens"),
            Self::NoAnswer => f.write_str("no answer"),
            Self::Short(shortage) => write!(f, "nothing: {shortage}"),
            Self::Connection => f.write_str("a connection"),
            Self::Status(status) => write!(f, "status {status}"),
        }
    }
}

async fn status<S>(mut stream: S, path: &str) -> io::Result<u16>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let head = format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: vestibule-probe\r\n\
         Accept: */*\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    let mut reader = AnswerReader::new();
    let mut read = 0;
    while read < ANSWER_MAX {
        let count = read_once(&mut stream, ANSWER_MAX, |bytes| reader.feed(bytes)).await?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        read += count;
        if let Some(answer) = reader.take_answer().map_err(io::Error::other)? {
            return Ok(answer.status());
        }
    }
    Err(io::ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;

    use super::*;
    use crate::journal::millis;
    use crate::upstream::dial::Upstream;

    #[test]
    fn every_spelling_of_a_source_is_read_and_nonsense_is_refused() {
        let http = |p: &str| Some(Readiness::Http(p.into()));
        let rows = [
            ("notify", Some(Readiness::Notify)),
            ("tcp", Some(Readiness::Tcp)),
            ("http:/health", http("/health")),
            ("http:/a?b=c", http("/a?b=c")),
            ("http:health", None),
            ("http:/a b", None),
            ("http:/a\r\nX: y", None),
            ("grpc", None),
            ("", None),
        ];
        for (text, wanted) in rows {
            assert_eq!(text.parse().ok(), wanted, "{text:?}");
        }
    }

    #[test]
    fn a_service_that_stays_away_is_asked_more_and_more_rarely() {
        let rows = [(0, 5), (5_000, 5), (12_000, 12), (250_000, 250), (3_600_000, 250)];
        for (waited, wanted) in rows {
            let pause = pause(REFUSED_PAUSE, Duration::from_millis(waited));
            assert_eq!(pause, Duration::from_millis(wanted), "{waited}");
        }
    }

    /// Would break if a start that nobody waits for were asked as often as one for which clients are held, or
    /// if the first client had to wait for the end of a long rest.
    #[tokio::test(start_paused = true)]
    async fn a_rest_is_longer_while_nobody_is_held_and_ends_when_somebody_comes() {
        let began = Instant::now();
        let held_from = |ms: u64| move || usize::from(began.elapsed() >= Duration::from_millis(ms));
        for (comes_ms, rested_ms) in [(0, 10), (10, 10), (35, 40), (5_000, 100)] {
            let at = millis(began.elapsed());
            rest(ANSWERED_PAUSE, &held_from(at + comes_ms)).await;
            assert_eq!(millis(began.elapsed()) - at, rested_ms, "{comes_ms}");
        }
    }

    /// A path that said no before it said yes is told apart from one that never said no.
    #[tokio::test]
    async fn a_path_that_said_no_first_is_better_evidence() {
        for (answers, refused_before) in
            [(vec!["503 No", "200 OK"], true), (vec!["200 OK"], false), (vec!["garbage"; 1], false)]
        {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let port = listener.local_addr().unwrap().port();
            let upstream = Ahead::new(Upstream::Loopback(port), 0);
            tokio::spawn(async move {
                for answer in answers.into_iter().chain(["200 OK"]) {
                    let (mut stream, _) = listener.accept().await.unwrap();
                    let mut head = [0; 512];
                    let _ = stream.read(&mut head).await;
                    let answer = format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n");
                    stream.write_all(answer.as_bytes()).await.unwrap();
                }
            });
            let ready = Readiness::Http("/health".into());
            let requests = Requests::default();
            let second = Duration::from_secs(1);
            let seen = until_ready(&upstream, || 0, &ready, second, &requests, |_| ()).await;
            assert_eq!(seen, Evidence::Answered { refused_before });
        }
    }

    /// A service that swallows the first probes is found by a later one, not after their full
    /// time; one that takes three quarters of the time for each answer is found as well.
    #[tokio::test]
    async fn f05_swallowed_probes_cost_little_and_a_slow_ready_path_is_found() {
        let try_timeout = Duration::from_millis(400);
        for (swallowed, takes_ms, within_ms) in [(2, 0, 390), (0, 300, 1000)] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let port = listener.local_addr().unwrap().port();
            let upstream = Ahead::new(Upstream::Loopback(port), 0);
            tokio::spawn(async move {
                for number in 0.. {
                    let (mut stream, _) = listener.accept().await.unwrap();
                    tokio::spawn(async move {
                        if number < swallowed {
                            std::future::pending::<()>().await;
                        }
                        sleep(Duration::from_millis(takes_ms)).await;
                        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
                    });
                }
            });
            let ready = Readiness::Http("/health".into());
            let requests = Requests::default();
            let found = until_ready(&upstream, || 0, &ready, try_timeout, &requests, |_| ());
            timeout(Duration::from_millis(within_ms) + try_timeout, found).await.unwrap();
        }
    }

    /// Would break if a service could make us read, or wait, for as long as it likes by what it answers to
    /// a probe.
    #[tokio::test(start_paused = true)]
    async fn a25_an_answer_to_a_probe_is_bounded_in_bytes_and_in_time() {
        let endless: [&[u8]; 4] = [
            b"HTTP/1.1 103 Early Hints\r\n\r\n",
            b"x",
            b"HTTP/1.1 200 OK\r\nA: b\r\nHTTP/1.1 200 OK",
            b"\r\n",
        ];
        for part in endless {
            let (ours, mut theirs) = tokio::io::duplex(1024);
            let said = tokio::spawn(async move {
                let mut said = 0;
                while theirs.write_all(part).await.is_ok() {
                    said += part.len();
                }
                said
            });
            assert!(status(ours, "/health").await.is_err(), "{}", part.escape_ascii());
            assert!(said.await.unwrap() <= 2 * ANSWER_MAX + 1024, "{}", part.escape_ascii());
        }
        let (ours, silent) = tokio::io::duplex(1024);
        assert!(timeout(Duration::from_secs(9), status(ours, "/health")).await.is_err());
        drop(silent);
    }
}
