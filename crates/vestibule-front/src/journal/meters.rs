//! What is counted and measured.
//!
//! Owns the counters and histograms, each with every label value from the start, so that nothing
//! that arrives makes a new series. Must never hold a number that somebody else keeps: those are
//! read when somebody asks (`admin::metrics`).

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::ending::{Ending, Party, Phase};
use crate::farewell::Reason;
use crate::tunnel::Ended;

use super::reloads::Outcome;
use super::{About, Kind};

/// One label: its name and a word of an enum.
type One = [(&'static str, &'static str); 1];
/// Two of them.
type Two = [(&'static str, &'static str); 2];

/// Seconds of a hold: browsers and libraries give up after 10, 20, 45 and 240.
const HOLD: [f64; 12] = [0.001, 0.01, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 45.0, 60.0, 240.0];
/// Seconds from readiness to a 101: what a user feels, and what a defect adds.
const LAG: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 20.0];
/// Seconds of a tunnel: from a failed page to a day.
const TUNNEL: [f64; 8] = [1.0, 10.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0, 86_400.0];
/// Seconds of a start, up to the longest startup budget by default.
const START: [f64; 11] = [0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 60.0, 120.0, 240.0];

/// How a client's wait may end.
const HOLD_OUTCOMES: [(Kind, &[&str]); 2] = [
    (Kind::Handshake, &["admitted", "refused", "left", "answered"]),
    (Kind::Plain, &["admitted", "refused", "left"]),
];
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// The counters and histograms.
#[derive(Debug)]
pub struct Meters {
    pub(super) accepted: Counter,
    pub(super) lag: Histogram,
    pub(super) time_to_ready: Histogram,
    endings: Family<Two, Counter>,
    refused: Family<One, Counter>,
    early_bytes: Counter,
    answers: Family<Two, Counter>,
    hold: Histograms<Two>,
    tunnel: Histogram,
    tunnel_bytes: Family<One, Counter>,
    reloads: Family<One, Counter>,
}

impl Default for Meters {
    /// All at zero, and every series there.
    fn default() -> Self {
        let meters = Self {
            accepted: Counter::default(),
            lag: Histogram::new(LAG),
            time_to_ready: Histogram::new(START),
            endings: Family::default(),
            refused: Family::default(),
            early_bytes: Counter::default(),
            answers: Family::default(),
            hold: Family::new_with_constructor(|| Histogram::new(HOLD)),
            tunnel: Histogram::new(TUNNEL),
            tunnel_bytes: Family::default(),
            reloads: Family::default(),
        };
        meters.begin_all();
        meters
    }
}

impl Meters {
    /// Names and explains them.
    pub fn register(&self, to: &mut Registry) {
        let own = |counter: &Counter| counter.clone();
        to.register("connections_accepted", "Public connections accepted", own(&self.accepted));
        to.register("endings", "Connections ended, by whose act and phase", self.endings.clone());
        to.register("refused", "Clients refused, by reason", self.refused.clone());
        to.register(
            "early_bytes",
            "Handshakes that sent bytes before their answer",
            own(&self.early_bytes),
        );
        to.register("answers", "Answers of the service, by status class", self.answers.clone());
        to.register(
            "tunnel_bytes",
            "Bytes that passed through tunnels which have ended, by direction",
            self.tunnel_bytes.clone(),
        );
        to.register("reloads", "Reloads of the settings, by outcome", self.reloads.clone());
        to.register("hold_seconds", "From arrival to the end of the wait", self.hold.clone());
        to.register(
            "lag_seconds",
            "From readiness to the 101, for handshakes held at readiness",
            self.lag.clone(),
        );
        to.register(
            "tunnel_duration_seconds",
            "From a handshake's arrival to its tunnel's end",
            self.tunnel.clone(),
        );
        to.register(
            "time_to_ready_seconds",
            "From the start of the service, or its loss, to readiness",
            self.time_to_ready.clone(),
        );
    }

    /// How many were refused for each reason.
    pub fn refusals(&self) -> Vec<(&'static str, u64)> {
        let count = |code| self.refused.get_or_create(&[("reason", code)]).get();
        Reason::CODES.iter().map(|code| (*code, count(code))).collect()
    }

    pub(super) fn ended(&self, ending: Ending) {
        let labels = [("by", ending.by.as_str()), ("phase", ending.phase.as_str())];
        self.endings.get_or_create(&labels).inc();
    }

    pub(super) fn refused(&self, reason: &Reason) {
        self.refused.get_or_create(&[("reason", reason.code())]).inc();
        if *reason == Reason::EarlyBytes {
            self.early_bytes.inc();
        }
    }

    pub(super) fn reloaded(&self, outcome: Outcome) {
        self.reloads.get_or_create(&[("outcome", outcome.as_str())]).inc();
    }

    pub(super) fn answered(&self, kind: Kind, status: u16) {
        let class = CLASSES[usize::from(status / 100).clamp(1, CLASSES.len()) - 1];
        self.answers.get_or_create(&[("kind", kind.as_str()), ("class", class)]).inc();
    }

    pub(super) fn held(&self, kind: Kind, outcome: &'static str, waited: Duration) {
        let labels = [("kind", kind.as_str()), ("outcome", outcome)];
        self.hold.get_or_create(&labels).observe(waited.as_secs_f64());
    }

    /// A wait that did not end well. A plain request waits only as long as it is held; what comes
    /// behind that is its exchange.
    pub(super) fn hold_ended(&self, about: About, ending: Ending, outcome: &'static str) {
        match about.kind {
            Some(Kind::Plain) if ending.phase != Phase::Held => {}
            Some(kind) => self.held(kind, outcome, about.waited()),
            None => {}
        }
    }

    pub(super) fn tunnel_ended(&self, ended: &Ended, lasted: Duration) {
        self.tunnel.observe(lasted.as_secs_f64());
        let bytes = [("to_client", ended.to_client), ("to_upstream", ended.to_upstream)];
        for (direction, bytes) in bytes {
            self.tunnel_bytes.get_or_create(&[("direction", direction)]).inc_by(bytes);
        }
    }

    fn begin_all(&self) {
        for by in Party::ALL {
            for phase in Phase::ALL {
                let labels = [("by", by.as_str()), ("phase", phase.as_str())];
                drop(self.endings.get_or_create(&labels));
            }
        }
        for reason in Reason::CODES {
            drop(self.refused.get_or_create(&[("reason", reason)]));
        }
        for outcome in Outcome::ALL {
            drop(self.reloads.get_or_create(&[("outcome", outcome.as_str())]));
        }
        for direction in ["to_client", "to_upstream"] {
            drop(self.tunnel_bytes.get_or_create(&[("direction", direction)]));
        }
        for (kind, outcomes) in HOLD_OUTCOMES {
            for class in CLASSES {
                drop(self.answers.get_or_create(&[("kind", kind.as_str()), ("class", class)]));
            }
            for outcome in outcomes {
                drop(self.hold.get_or_create(&[("kind", kind.as_str()), ("outcome", outcome)]));
            }
        }
    }
}
