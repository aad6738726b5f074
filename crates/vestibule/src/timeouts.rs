//! How patient to be.
//!
//! Owns every number of time that follows from where we run, each with the reason for it. Must never read a
//! clock, a setting or a variable, and must never let the timers of a handshake outlive it: these numbers are
//! for starting, holding and stopping, none for an open tunnel.

mod clock;

use std::fmt;
use std::time::Duration;

use tokio::time::Instant;

use crate::environment::{Name, Platform, patience};

pub use self::clock::handshake_clock;

/// What a client's own clock is cut by, so that our explicit answer comes before its silent 1006.
pub const CLIENT_CLOCK_MARGIN: Duration = Duration::from_secs(1);

/// The same for clients accepted in the first second on a platform that queues: their clock ran before we saw
/// them.
pub const CLIENT_CLOCK_MARGIN_QUEUED: Duration = Duration::from_secs(5);

/// No single check's timeout on Cloud Run in staging or production is shorter.
pub const CLOUD_RUN_CHECK_FLOOR: Duration = Duration::from_millis(500);

/// A number and where it comes from, for `doctor`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sourced<T> {
    /// The number.
    pub value: T,
    /// The formula, the platform's page, or the setting that gave it.
    pub source: String,
}

impl<T> Sourced<T> {
    /// A number with its reason.
    pub fn new(value: T, source: impl Into<String>) -> Self {
        Self { value, source: source.into() }
    }
}

impl fmt::Display for Sourced<Duration> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} ({})", self.value, self.source)
    }
}

/// At most three digits behind the point: 0.7 × 1.5 is shown as 1.05.
impl fmt::Display for Sourced<f64> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", (self.value * 1_000.0).round() / 1_000.0, self.source)
    }
}

/// The budgets of a front, before settings change them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budgets {
    /// How long the service may take to become ready the first time.
    pub startup: Sourced<Duration>,
    /// How long one client may be held.
    pub hold: Sourced<Duration>,
    /// From SIGTERM to the end, the child's grace included.
    pub drain: Sourced<Duration>,
    /// What the child has of the drain, from its SIGTERM to its SIGKILL.
    pub child_grace: Sourced<Duration>,
    /// How long newcomers are still admitted after SIGTERM.
    pub lame_duck: Sourced<Duration>,
    /// After how long the platform cuts a request; `None` where it is not known to.
    pub request_timeout: Sourced<Option<Duration>>,
}

impl Budgets {
    /// The budgets for this environment on this platform.
    ///
    /// A managed platform's patience is kept whatever the name, see [`patience`].
    #[must_use]
    pub fn derive(name: Name, platform: Platform) -> Self {
        let seconds = Duration::from_secs;
        let patient = patience(name, platform);
        let startup = match platform {
            Platform::CloudRun
            | Platform::CloudRunJob
            | Platform::AppEngine
            | Platform::Knative
            | Platform::Kubernetes => seconds(240),
            Platform::GoogleCloud | Platform::LocalHost => seconds(60),
        };
        let lame_duck = match platform {
            Platform::Kubernetes => Sourced::new(
                seconds(5),
                "kubernetes: endpoints lag behind the SIGTERM (Pod Lifecycle, \"Termination of Pods\")",
            ),
            other => Sourced::new(Duration::ZERO, format!("{other}: no new traffic after SIGTERM")),
        };
        let request_timeout = if platform == Platform::CloudRun {
            Sourced::new(Some(seconds(300)), "assumed: Cloud Run's default request timeout")
        } else {
            Sourced::new(None, format!("{platform}: none known"))
        };
        let hold = if patient.is_patient() { 60 } else { 10 };
        Self {
            startup: Sourced::new(startup, format!("default on {platform}")),
            hold: Sourced::new(seconds(hold), format!("default in {patient}")),
            drain: Sourced::new(
                seconds(8),
                "Cloud Run kills 10 s after SIGTERM (Container runtime contract), less 2 s",
            ),
            child_grace: Sourced::new(seconds(2), "default: the last part of the drain"),
            lame_duck,
            request_timeout,
        }
    }
}

/// When a held client must have its answer: the least of the hold budget, what is left of the platform's
/// request timeout, and the client's own clock less [`CLIENT_CLOCK_MARGIN`].
#[must_use]
pub fn hold_deadline(
    now: Instant,
    hold: Duration,
    request_timeout_left: Option<Duration>,
    client_clock: Option<Duration>,
) -> Instant {
    let patience = client_clock.map(|clock| clock.saturating_sub(CLIENT_CLOCK_MARGIN));
    let bounds = [request_timeout_left, patience].into_iter().flatten();
    let wait = bounds.fold(hold, Duration::min);
    // A budget beyond what the clock can count is cut to what it surely can: a century.
    let century = Duration::from_secs(100 * 365 * 24 * 3_600);
    now.checked_add(wait.min(century)).unwrap_or(now)
}

/// The factors by which an environment stretches the timeouts of checks, each with its reason. A setting replaces
/// one of them by another `Sourced`, and leaves the rest.
#[derive(Clone, Debug, PartialEq)]
pub struct Factors {
    /// By what a check's own timeout is multiplied.
    pub multiplier: Sourced<f64>,
    /// And again, for safety.
    pub margin: Sourced<f64>,
    /// The validation budget: how long one pass over all checks may take.
    pub validation: Sourced<Duration>,
    /// No single check's timeout is shorter.
    pub floor: Sourced<Duration>,
}

impl Factors {
    /// The factors for this environment on this platform, with the patience that [`patience`] keeps.
    #[must_use]
    pub fn derive(name: Name, platform: Platform) -> Self {
        let patient = patience(name, platform);
        let row = Row::of(patient);
        let of_name = if patient == name {
            format!("in {name}")
        } else {
            format!("in {patient}, whose patience {platform} keeps")
        };
        let is_slow = platform.is_cloud_run() && patient.is_patient();
        let (multiplier, floor) = if is_slow {
            let value = row.multiplier * CLOUD_RUN_GROWTH;
            let source = format!("{} {of_name} × {CLOUD_RUN_GROWTH} on {platform}", row.multiplier);
            (
                Sourced::new(value, source),
                Sourced::new(CLOUD_RUN_CHECK_FLOOR, format!("on {platform}")),
            )
        } else {
            let floor = Sourced::new(Duration::ZERO, format!("none {of_name} on {platform}"));
            (Sourced::new(row.multiplier, of_name.clone()), floor)
        };
        Self {
            multiplier,
            margin: Sourced::new(row.margin, of_name.clone()),
            validation: Sourced::new(Duration::from_secs(row.validation_s), of_name),
            floor,
        }
    }

    /// A check's timeout: base × multiplier × margin, at least the floor, at most what is `left` of the
    /// validation budget. Its source is the formula, in which each number says where it comes from.
    #[must_use]
    pub fn check_timeout(&self, base: Duration, left: Duration) -> Sourced<Duration> {
        let factor = self.multiplier.value * self.margin.value;
        let stretched = Duration::try_from_secs_f64(base.as_secs_f64() * factor).unwrap_or(left);
        let value = stretched.max(self.floor.value).min(left);
        let Self { multiplier, margin, floor, .. } = self;
        let source =
            format!("{base:?} × {multiplier} × {margin}, at least {floor}, at most {left:?}");
        Sourced { value, source }
    }
}

/// By what the multiplier grows on Cloud Run in staging and production: an instance that starts there shares its
/// processor with its own start, and its first connections go through a cold network path.
const CLOUD_RUN_GROWTH: f64 = 1.5;

/// What an environment's name alone says.
struct Row {
    multiplier: f64,
    margin: f64,
    validation_s: u64,
}

impl Row {
    const fn of(name: Name) -> Self {
        let (multiplier, margin, validation_s) = match name {
            Name::Production => (1.0, 1.2, 8),
            Name::Staging => (0.7, 1.1, 5),
            Name::Development => (0.3, 1.0, 3),
            Name::Test | Name::Local => (0.3, 1.0, 2),
        };
        Self { multiplier, margin, validation_s }
    }
}

#[cfg(test)]
mod tests;
