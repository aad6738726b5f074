//! A model of how Cloud Run starts an instance, probes it, queues for it, routes to it and ends it.
//!
//! Owns the rules, each with its source; `docs/cloud-run-model.md` has the same table for people, and a test
//! compares the two. `instance`, `probe` and `head` are pure; `router`, `route` and `asking` are the shell: a
//! real router on a loopback port. Must never know what it stands before: the app and the door are instances
//! alike. Not modelled: CPU throttling and startup boost, more than one instance, restarts, TLS, HTTP/2.

mod asking;
mod head;
mod instance;
pub(crate) mod probe;
mod route;
mod router;

use std::time::Duration;

pub use probe::{Ask, BadProbe, Probe};
pub(crate) use router::{Program, Router};

/// Requests that one instance gets at a time, WebSockets included for as long as they are open.
///
/// "Maximum concurrent requests per instance": 80 by default, at most 1,000. "Using WebSockets": an open
/// socket counts.
pub const CONCURRENCY: usize = 80;
/// The most that [`CONCURRENCY`] may be set to ("Maximum concurrent requests per instance").
pub const CONCURRENCY_MAX: usize = 1000;
/// How long a request may take, its wait for an instance and an open WebSocket included.
///
/// "Set request timeout for services": 300 s by default, at most 3,600 s. Answered with 504; an open socket
/// is cut.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(300);
/// The least time that a request waits for an instance ("About instance autoscaling").
pub const PENDING_MIN: Duration = Duration::from_secs(10);
/// As a multiple of the average startup: how long a request waits for an instance, if that is longer than
/// [`PENDING_MIN`] ("About instance autoscaling").
pub const PENDING_STARTUPS: f64 = 3.5;
/// Requests that wait at a time. The platform names no figure: this is a bound of ours.
pub const PENDING_MAX: usize = 10_000;
/// From SIGTERM to SIGKILL ("Container runtime contract", instance shutdown).
pub const TERMINATION: Duration = Duration::from_secs(10);
/// Between two connects of a TCP probe, within its timeout. Recalled, not documented: the most favourable to
/// whoever is probed.
pub const CONNECT_AGAIN: Duration = Duration::from_millis(10);

/// Variables of the container that the platform sets besides `PORT` ("Container runtime contract"). The names
/// are ours.
pub const VARIABLES: [(&str, &str); 3] =
    [("K_SERVICE", "race"), ("K_REVISION", "race-00001-vst"), ("K_CONFIGURATION", "race")];

/// One service on the modelled platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloudRun {
    /// What decides when the instance gets traffic.
    pub probe: Probe,
    /// Requests at a time, see [`CONCURRENCY`].
    pub concurrency: usize,
    /// See [`REQUEST_TIMEOUT`].
    pub request_timeout: Duration,
}

impl CloudRun {
    /// A service with the platform's own defaults, but for its probe.
    #[must_use]
    pub fn new(probe: Probe) -> Self {
        Self { probe, concurrency: CONCURRENCY, request_timeout: REQUEST_TIMEOUT }
    }
}

/// What the platform did in one race. Moments are counted from the race's start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Routing {
    /// The service's settings.
    pub service: CloudRun,
    /// When the instance was started: for the first client.
    pub started: Option<Duration>,
    /// When its probe succeeded, and requests went to it.
    pub routed_from: Option<Duration>,
    /// Attempts of the probe that failed.
    pub probe_failures: u32,
    /// Whether the probe failed for good, so that the platform ended the instance.
    pub gave_up: bool,
    /// The most requests that waited at a time.
    pub pending_peak: usize,
    /// Requests that waited for others to end, though the instance was started: the concurrency was reached.
    pub crowded: usize,
    /// Requests that the platform itself refused, or that met no instance.
    pub refused: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    // Breaks the document: a rule whose number was changed in one of the two places.
    #[test]
    fn the_document_has_every_rule_of_the_model() {
        let document = include_str!("../../../docs/cloud-run-model.md");
        let default = Probe::tcp();
        let seconds = |span: Duration| span.as_secs();
        let said = [
            format!(
                "timeout {} s, period {} s, {} failure",
                seconds(default.timeout),
                seconds(default.period),
                default.failures_max
            ),
            format!("| {} ms | recalled |", CONNECT_AGAIN.as_millis()),
            format!(
                "{PENDING_STARTUPS} × the average startup, at least {} s",
                seconds(PENDING_MIN)
            ),
            format!("{},{:03}, then 429", PENDING_MAX / 1000, PENDING_MAX % 1000),
            format!("{CONCURRENCY} by default, at most {},000", CONCURRENCY_MAX / 1000),
            format!("| {} s | page \"Set request timeout", seconds(REQUEST_TIMEOUT)),
            format!("after {} s | page \"Container runtime contract\"", seconds(TERMINATION)),
        ];
        for rule in said {
            assert!(document.contains(&rule), "docs/cloud-run-model.md does not say: {rule}");
        }
        for (name, _) in VARIABLES {
            assert!(document.contains(&format!("`{name}`")), "{name}");
        }
        assert!("http:/,period=1s,timeout=1s,failures=240".parse::<Probe>().is_ok());
        assert!("http:/,period=1s,failures=241".parse::<Probe>().is_err());
    }
}
