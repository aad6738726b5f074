//! The startup probe: what is asked, when, and what its answers mean.
//!
//! Owns the limits that the platform sets and the state of probing. Pure: takes `now`. Must never dial.

use std::{fmt, str::FromStr, time::Duration};

use tokio::time::Instant;

/// The least period ("Cloud Run Admin API v2", `Probe.periodSeconds`).
const PERIOD_MIN: Duration = Duration::from_secs(1);
/// The longest period of a startup probe, and the longest that all attempts may take ("Configure container
/// health checks"; newer pages say 600 s for the latter).
const WINDOW_MAX: Duration = Duration::from_secs(240);

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Whether the port accepts a connection.
    Tcp,
    /// Whether `GET` of this path is answered with 200 to 399.
    Http(String),
}

/// A startup probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// What is asked.
    pub ask: Ask,
    /// From the start of one attempt to the start of the next.
    pub period: Duration,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// As many failed attempts in a row end the instance.
    pub failures_max: u32,
}

impl Probe {
    /// The one that every service has if nobody chooses another ("Configure container health checks", the
    /// default TCP startup probe): one attempt of 240 s, within which the connect is tried again.
    #[must_use]
    pub fn tcp() -> Self {
        Self { ask: Ask::Tcp, period: WINDOW_MAX, timeout: WINDOW_MAX, failures_max: 1 }
    }

    /// The quickest that may be configured for a path: once a second, for as long as the platform permits.
    /// The platform's own defaults (every 10 s, 3 failures) would give up many a start.
    #[must_use]
    pub fn http(path: &str) -> Self {
        Self {
            ask: Ask::Http(path.to_owned()),
            period: PERIOD_MIN,
            timeout: PERIOD_MIN,
            failures_max: 240,
        }
    }

    fn within_limits(self) -> Result<Self, BadProbe> {
        if !(PERIOD_MIN..=WINDOW_MAX).contains(&self.period) {
            return Err(BadProbe::Period);
        }
        if self.timeout < PERIOD_MIN || self.timeout > self.period {
            return Err(BadProbe::Timeout);
        }
        let window = self.period.checked_mul(self.failures_max);
        if self.failures_max == 0 || window.is_none_or(|window| window > WINDOW_MAX) {
            return Err(BadProbe::Window);
        }
        Ok(self)
    }
}

impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.ask {
            Ask::Tcp if *self == Self::tcp() => f.write_str("the default TCP probe"),
            Ask::Tcp => write!(f, "a TCP probe every {} s", self.period.as_secs_f64()),
            Ask::Http(path) => write!(f, "GET {path} every {} s", self.period.as_secs_f64()),
        }
    }
}

/// Why a probe can't be configured so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadProbe {
    /// Neither of the two.
    #[error("use tcp or http:/PATH, then ,period=1s ,timeout=1s ,failures=240 as needed")]
    Form,
    /// Outside of the platform's limits.
    #[error("Cloud Run takes a period from 1s to 240s")]
    Period,
    /// Outside of the platform's limits.
    #[error("Cloud Run takes a timeout of at least 1s and at most the period")]
    Timeout,
    /// Outside of the platform's limits.
    #[error("Cloud Run takes at least one failure, and period times failures of at most 240s")]
    Window,
}

impl FromStr for Probe {
    type Err = BadProbe;

    /// Reads `tcp` or `http:/PATH`, followed by `,period=SECONDSs`, `,timeout=…`, `,failures=COUNT`. A shorter
    /// or longer period alone keeps as many failures as the platform's 240 s have room for.
    fn from_str(text: &str) -> Result<Self, BadProbe> {
        let mut parts = text.split(',');
        let mut probe = match parts.next().and_then(|ask| ask.split_once(':')) {
            None if text.split(',').next() == Some("tcp") => Self::tcp(),
            Some(("http", path))
                if path.starts_with('/') && !path.contains(char::is_whitespace) =>
            {
                Self::http(path)
            }
            _ => return Err(BadProbe::Form),
        };
        let mut failures = None;
        for part in parts {
            let (name, value) = part.split_once('=').ok_or(BadProbe::Form)?;
            match name {
                "period" => probe.period = seconds(value)?,
                "timeout" => probe.timeout = seconds(value)?,
                "failures" => failures = Some(value.parse().map_err(|_| BadProbe::Form)?),
                _ => return Err(BadProbe::Form),
            }
        }
        // Whoever shortens the default probe's period means one attempt to be as short.
        probe.timeout = probe.timeout.min(probe.period.max(PERIOD_MIN));
        let room = WINDOW_MAX.as_secs().checked_div(probe.period.as_secs()).unwrap_or(1);
        probe.failures_max = failures.unwrap_or_else(|| u32::try_from(room).unwrap_or(1).max(1));
        probe.within_limits()
    }
}

fn seconds(text: &str) -> Result<Duration, BadProbe> {
    let number = text.strip_suffix('s').and_then(|number| number.parse().ok());
    number.map(Duration::from_secs).ok_or(BadProbe::Form)
}

/// The probing of one start.
#[derive(Debug)]
pub(super) struct Probing {
    probe: Probe,
    next: Instant,
    failures: u32,
}

/// What an attempt led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The instance is started: it gets traffic.
    Started,
    /// Another attempt follows.
    Again,
    /// The instance is ended.
    GivenUp,
}

impl Probing {
    pub(super) fn begin(probe: Probe, now: Instant) -> Self {
        Self { probe, next: now, failures: 0 }
    }

    /// When the next attempt begins.
    pub(super) fn next(&self) -> Instant {
        self.next
    }

    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    /// Takes in how the attempt that began at `began` ended.
    pub(super) fn attempted(&mut self, began: Instant, succeeded: bool) -> Verdict {
        if succeeded {
            return Verdict::Started;
        }
        self.failures += 1;
        self.next = began + self.probe.period;
        if self.failures >= self.probe.failures_max { Verdict::GivenUp } else { Verdict::Again }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Probe, BadProbe> {
        text.parse()
    }

    // Breaks the reader with each form, and with everything that the platform would turn down.
    #[test]
    fn only_what_the_platform_takes_can_be_configured() {
        assert_eq!(read("tcp"), Ok(Probe::tcp()));
        assert_eq!(read("http:/health"), Ok(Probe::http("/health")));
        let slow = read("http:/ready,period=10s,failures=3,timeout=2s").unwrap();
        assert_eq!((slow.period.as_secs(), slow.timeout.as_secs(), slow.failures_max), (10, 2, 3));
        assert_eq!(read("http:/ready,period=10s").unwrap().failures_max, 24);
        assert_eq!(read("tcp,period=2s").unwrap().timeout.as_secs(), 2);
        for bad in [
            "",
            "tcp:",
            "grpc:/",
            "http:",
            "http:health",
            "http:/a b",
            "http:/,x=1s",
            "http:/,period",
        ] {
            assert_eq!(read(bad), Err(BadProbe::Form), "{bad}");
        }
        for short in ["http:/,period=0s", "http:/,period=241s"] {
            assert_eq!(read(short), Err(BadProbe::Period), "{short}");
        }
        assert_eq!(read("http:/,period=500ms"), Err(BadProbe::Form));
        assert_eq!(read("http:/,timeout=0s"), Err(BadProbe::Timeout));
        for long in ["http:/,failures=0", "http:/,failures=241", "http:/,period=100s,failures=3"] {
            assert_eq!(read(long), Err(BadProbe::Window), "{long}");
        }
    }

    // Breaks the schedule: attempts begin a period apart whatever each one takes, and end by their number.
    #[test]
    fn attempts_are_a_period_apart_and_bounded() {
        let start = Instant::now();
        let probe = read("http:/health,period=2s,failures=3").unwrap();
        let mut probing = Probing::begin(probe, start);
        for number in 1..3 {
            let began = probing.next();
            assert_eq!(probing.attempted(began, false), Verdict::Again);
            assert_eq!(probing.next() - start, Duration::from_secs(2 * number));
        }
        assert_eq!(probing.attempted(probing.next(), false), Verdict::GivenUp);
        let mut probing = Probing::begin(Probe::tcp(), start);
        assert_eq!(probing.next(), start);
        assert_eq!(probing.attempted(start, true), Verdict::Started);
    }
}
