//! How a door behaves, before a service changes it.
//!
//! Owns nothing but the join of environment and timeouts. Must never read a variable by itself.

use std::time::Duration;

use crate::check::Checked;
use crate::environment::{self, EnvSource};
use crate::gate::Limits;
use crate::startup::Phases;
use crate::timeouts::{Budgets, Factors};

/// What a door goes by. [`Settings::detect`] derives it; change what you know better.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The startup's phases.
    pub phases: Phases,
    /// How long the startup and its checks may take.
    pub startup: Duration,
    /// What must be there before anybody is admitted; by default nothing.
    pub checks: Vec<Checked>,
    /// How the environment stretches their timeouts, and how long a pass over them may take.
    pub factors: Factors,
    /// How long one client may be held.
    pub hold: Duration,
    /// After how long the platform cuts a request.
    pub request_timeout: Option<Duration>,
    /// The bounds of the gate. Only those of holding count here: nothing is paced or tried again in-process.
    pub limits: Limits,
}

impl Settings {
    /// What follows from where we run; unknown values and conflicts are logged.
    #[must_use]
    pub fn detect(source: &dyn EnvSource) -> Self {
        let environment = environment::detect(source);
        for warning in environment.warnings() {
            tracing::warn!(warning, "the environment says what can't be meant");
        }
        let budgets = Budgets::derive(environment.name, environment.platform);
        tracing::info!(
            environment = %environment.name,
            platform = %environment.platform,
            startup = %budgets.startup,
            hold = %budgets.hold,
            "patience of the door"
        );
        Self {
            phases: Phases::default(),
            startup: budgets.startup.value,
            checks: Vec::new(),
            factors: Factors::derive(environment.name, environment.platform),
            hold: budgets.hold.value,
            request_timeout: budgets.request_timeout.value,
            limits: Limits::default(),
        }
    }
}
