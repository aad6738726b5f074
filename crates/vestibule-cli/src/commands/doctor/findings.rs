//! What looks wrong.
//!
//! Owns one rule for each, and what to do about it. A warning is certain and changes the status; a note is
//! worth knowing and does not. Must never guess: what may be meant is no finding.

use std::time::Duration;

use vestibule::environment::{Conflict, Platform};

use super::machine::Machine;
use super::path::CriticalPath;
use super::patience::in_seconds;
use super::report::Seen;
use crate::commands::meant::Meant;
use crate::config::Command;

/// Cloud Run kills an instance so long after its SIGTERM (Cloud Run, "Container runtime contract").
const CLOUD_RUN_KILLS: Duration = Duration::from_secs(10);
/// A pod has so long by default (Kubernetes, "Pod Lifecycle": `terminationGracePeriodSeconds`).
const POD_GRACE: Duration = Duration::from_secs(30);

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Severity {
    /// Certain, and worth a change.
    Warning,
    /// Worth knowing.
    Note,
}

impl Severity {
    /// The word in documents.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// One thing that looks wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) severity: Severity,
    /// A word for machines.
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) advice: String,
}

/// All of them.
pub(super) fn findings(
    meant: &Meant,
    machine: &Machine,
    checks: &[Seen],
    path: &CriticalPath,
) -> Vec<Finding> {
    let mut all = of_environment(meant);
    all.extend(of_times(meant));
    all.extend(of_checks(meant, checks, path));
    all.extend(of_machine(meant, machine));
    all
}

fn warning(code: &'static str, message: String, advice: impl Into<String>) -> Finding {
    Finding { severity: Severity::Warning, code, message, advice: advice.into() }
}

fn note(code: &'static str, message: impl Into<String>, advice: impl Into<String>) -> Finding {
    Finding { severity: Severity::Note, code, message: message.into(), advice: advice.into() }
}

fn of_environment(meant: &Meant) -> Vec<Finding> {
    let conflict = |conflict: &Conflict| {
        let (code, advice) = match conflict {
            Conflict::ImpatientName { .. } => (
                "impatient_environment",
                "set ENVIRONMENT to staging or production where the platform is meant",
            ),
            Conflict::TestOnPlatform { .. } => {
                ("test_on_platform", "take it out of the deployment")
            }
            Conflict::TwoPlatforms { .. } => {
                ("two_platforms", "set the markers of one platform only")
            }
        };
        warning(code, conflict.to_string(), advice)
    };
    let place = &meant.door.environment;
    let settings = meant
        .warnings
        .iter()
        .map(|message| warning("setting", message.clone(), "correct the name, or take it away"));
    let unknown = place.unknown.iter();
    let unknown = unknown
        .map(|value| warning("unknown_environment", value.to_string(), "correct its spelling"));
    unknown.chain(place.conflicts.iter().map(conflict)).chain(settings).collect()
}

fn of_times(meant: &Meant) -> Vec<Finding> {
    let (front, patience) = (&meant.door.front, &meant.door.front.patience);
    let platform = meant.door.environment.platform;
    let mut found = Vec::new();
    if let Some(request) = front.request_timeout.filter(|request| front.hold > *request) {
        let message = format!(
            "hold ({}) is longer than the platform's request timeout ({}), which ends it first",
            in_seconds(front.hold),
            in_seconds(request),
        );
        found.push(warning(
            "hold_beyond_request",
            message,
            "lower --hold, or raise the platform's timeout and --request-timeout with it",
        ));
    }
    let leaving = patience.drain + patience.lame_duck;
    if platform.is_cloud_run() && leaving > CLOUD_RUN_KILLS {
        let message = format!(
            "drain and lame duck together take {}, and Cloud Run kills {} after SIGTERM",
            in_seconds(leaving),
            in_seconds(CLOUD_RUN_KILLS),
        );
        found.push(warning(
            "drain_beyond_kill",
            message,
            "lower --drain to 8s, and leave --lame-duck 0",
        ));
    }
    if platform == Platform::Kubernetes && leaving > POD_GRACE {
        let message = format!(
            "drain and lame duck together take {}; a pod has {} unless it says otherwise",
            in_seconds(leaving),
            in_seconds(POD_GRACE),
        );
        found.push(note(
            "drain_beyond_grace",
            message,
            "raise terminationGracePeriodSeconds beyond it",
        ));
    }
    if platform == Platform::CloudRun && front.public_health.is_none() {
        let message = "the default TCP startup probe passes as soon as the door listens, which ends CPU boost early";
        found.push(note(
            "no_startup_path",
            message,
            "set --public-health PATH, and an HTTP startup probe on it",
        ));
    }
    found
}

fn of_checks(meant: &Meant, checks: &[Seen], path: &CriticalPath) -> Vec<Finding> {
    let factors = &meant.door.factors;
    let startup = meant.door.front.patience.startup;
    let mut found = Vec::new();
    for name in &meant.not_asked {
        let message =
            format!("{name}: not asked, since its address is the command's, which is not started");
        found.push(note("needs_the_command", message, "see /health of the running door"));
    }
    if checks.is_empty() && meant.not_asked.is_empty() {
        let advice = "name what the service needs: --check NAME=URL, or [[check]] in the file";
        found.push(note(
            "no_checks",
            "no checks are set: readiness is the service's own word",
            advice,
        ));
    }
    for one in checks.iter().filter(|one| one.timeout >= factors.validation.value) {
        let budget = in_seconds(factors.validation.value);
        let message =
            format!("{}: one try may take the whole validation budget ({budget})", one.name);
        found.push(warning(
            "timeout_is_budget",
            message,
            "lower its timeout, or raise the validation budget",
        ));
    }
    let least = path.least();
    let bounds = [("validation budget", factors.validation.value), ("startup budget", startup)];
    for (name, bound) in bounds.into_iter().filter(|(_, bound)| path.is_whole && least > *bound) {
        let message = format!(
            "a start takes {} at least, longer than the {name} ({})",
            in_seconds(least),
            in_seconds(bound)
        );
        found.push(warning(
            "path_beyond_budget",
            message,
            "mend the slowest check, or raise the budget",
        ));
    }
    found
}

fn of_machine(meant: &Meant, machine: &Machine) -> Vec<Finding> {
    let mut found = Vec::new();
    let held = meant.door.front.limits.held_max;
    if machine.connections < held {
        let message = format!(
            "the limit of open files allows {} connections, and {held} may be held",
            machine.connections,
        );
        let advice = "raise ulimit -n, or lower --max-held";
        // The default is a guess at what may come; who asks for so many should get them.
        let is_asked_for = meant.view.place_of("max_held").is_some_and(|from| from != "default");
        let finding = if is_asked_for { warning } else { note };
        found.push(finding("few_descriptors", message, advice.to_owned()));
    }
    if !machine.has_proc {
        let message = "there is no /proc: workers that leave the command's group can't be found";
        found.push(note("no_proc", message, "mount it"));
    }
    if meant.command == Command::Run && machine.runtime_directory.is_none() {
        let message = "no directory for a notify socket may be written: an abstract one is used";
        found.push(note(
            "no_runtime_directory",
            message,
            "make /run, /tmp or $XDG_RUNTIME_DIR writable",
        ));
    }
    found
}
