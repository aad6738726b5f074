//! What the environment says about how slow to be.
//!
//! Owns every variable that this example reads; must never guess at a value that does not parse.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

/// How the service behaves until it is ready.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The port is not bound.
    Unbound,
    /// Handshakes get their 101 and then Close 1011.
    Close1011,
    /// The same, while the health path says 200.
    Lying,
    /// Everything gets 503.
    Refuse503,
    /// Nothing is ever answered.
    Silent,
    /// As `Close1011`; then it exits with status 1, and the next start is warm.
    Crash,
    /// Ready as soon as the port is bound.
    Warm,
}

/// The variables, parsed.
pub(crate) struct Settings {
    pub(crate) port: u16,
    pub(crate) mode: Mode,
    /// From the start of `main` to readiness.
    pub(crate) ready_after: Duration,
    /// From the start of `main` until the port is bound.
    pub(crate) bind_after: Duration,
    /// Keep handshakes waiting and serve them once ready.
    pub(crate) holds_itself: bool,
    /// Where to send `READY=1`.
    pub(crate) notify_socket: Option<String>,
    /// The file that remembers the first start.
    pub(crate) crash_marker: Option<PathBuf>,
    /// The file to which the moment of readiness is appended.
    pub(crate) stamp: Option<PathBuf>,
}

impl Settings {
    /// Reads the process environment, once.
    pub(crate) fn from_environment() -> Result<Self, String> {
        let crash_marker = variable("CRASH_MARKER").map(PathBuf::from);
        let mode = match variable("MODE").as_deref().map_or(Ok(Mode::Warm), Mode::from_str)? {
            Mode::Crash if crash_marker.as_deref().is_some_and(Path::exists) => Mode::Warm,
            mode => mode,
        };
        let ready_after = match mode {
            Mode::Warm => Duration::ZERO,
            _ => seconds("READY_AFTER", Duration::from_millis(600))?,
        };
        let bind_after = match mode {
            Mode::Unbound => seconds("BIND_AFTER", ready_after)?,
            _ => seconds("BIND_AFTER", Duration::ZERO)?,
        };
        let port = variable("PORT").map_or(Ok(8081), |text| text.parse());
        Ok(Self {
            port: port.map_err(|error| format!("PORT: {error}"))?,
            mode,
            ready_after,
            bind_after,
            holds_itself: variable("HOLD_ITSELF").as_deref() == Some("1"),
            notify_socket: variable("NOTIFY_SOCKET")
                .filter(|_| variable("NOTIFY").as_deref() == Some("1")),
            crash_marker,
            stamp: variable("VESTIBULE_RACE_STAMP").map(PathBuf::from),
        })
    }
}

impl FromStr for Mode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "unbound" => Ok(Self::Unbound),
            "close1011" => Ok(Self::Close1011),
            "lying" => Ok(Self::Lying),
            "refuse503" => Ok(Self::Refuse503),
            "silent" => Ok(Self::Silent),
            "crash" => Ok(Self::Crash),
            "warm" => Ok(Self::Warm),
            _ => Err(format!(
                "MODE={text} is unknown; one of: unbound, close1011, lying, refuse503, silent, crash, warm"
            )),
        }
    }
}

fn seconds(name: &str, default: Duration) -> Result<Duration, String> {
    let Some(text) = variable(name) else {
        return Ok(default);
    };
    let number: f64 = text.parse().map_err(|error| format!("{name}={text}: {error}"))?;
    Duration::try_from_secs_f64(number).map_err(|error| format!("{name}={text}: {error}"))
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the example's only room that reads the world"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
