//! How long the platform lets things last.
//!
//! Owns the rules that compare the platform's times with the door's. Must never take a time that nobody gave for one
//! that the platform does not have.

use std::time::Duration;

use super::{Part, table};
use crate::manifest::finding::{Findings, Severity};
use crate::manifest::model::{Platform, Workload};

/// The most that Cloud Run allows, in seconds ("Set request timeout").
const REQUEST_MAX: u64 = 3600;
/// What Cloud Run and Knative take if nobody says.
const REQUEST_DEFAULT: u64 = 300;
/// What Cloud Run leaves between SIGTERM and SIGKILL ("Container runtime contract").
const CLOUD_RUN_GRACE: Duration = Duration::from_secs(10);
/// The same of a pod.
const POD_GRACE: Duration = Duration::from_secs(30);
/// The same of compose ("stop_grace_period").
const COMPOSE_GRACE: Duration = Duration::from_secs(10);

pub(super) fn of_workload(workload: &Workload, found: &mut Findings) {
    if !matches!(workload.platform, Platform::CloudRun | Platform::Knative) {
        return;
    }
    let given = workload.request_timeout;
    let seconds = given.map_or(REQUEST_DEFAULT, |given| given.value);
    // Knative's own bound is its operator's to raise: 600 s as it is installed.
    let wanted = if workload.platform == Platform::CloudRun { REQUEST_MAX } else { 600 };
    if seconds < wanted {
        let at = given.map_or(workload.spec, |given| given.at);
        let what = match given {
            Some(_) => format!("timeoutSeconds is {seconds}"),
            None => format!("no timeoutSeconds: {REQUEST_DEFAULT} s"),
        };
        let finding = found.add(&table::REQUEST_TIMEOUT, at, what);
        finding.mended_by(format!("timeoutSeconds: {wanted}"));
    }
    let few = workload.concurrency.filter(|limit| (1..10).contains(&limit.value));
    if let Some(limit) = few {
        let what = format!("containerConcurrency is {}: so many sockets, and no more", limit.value);
        found.add(&table::CONCURRENCY, limit.at, what);
    } else if workload.platform == Platform::CloudRun && workload.concurrency.is_none() {
        let what = "no containerConcurrency: 80 sockets an instance";
        found.add(&table::CONCURRENCY, workload.spec, what).only(Severity::Note);
    }
}

pub(super) fn of_door(part: &Part<'_>, found: &mut Findings) {
    grace(part, found);
    request_timeout(part, found);
}

fn grace(part: &Part<'_>, found: &mut Findings) {
    let Part { workload, container, door, .. } = part;
    let given = workload.grace;
    let grace = match workload.platform {
        Platform::CloudRun => CLOUD_RUN_GRACE,
        Platform::Kubernetes => given.map_or(POD_GRACE, |given| given.value),
        Platform::Compose => given.map_or(COMPOSE_GRACE, |given| given.value),
        // Knative gives as long as a request may take; who runs an image is not said in it.
        Platform::Knative | Platform::Image => return,
    };
    let needed = door.leaving() + container.pre_stop.unwrap_or_default();
    if needed <= grace || !door.knows("drain") || !door.knows("lame_duck") {
        return;
    }
    let at = match given {
        Some(given) if workload.platform != Platform::CloudRun => given.at,
        _ => door.place("drain"),
    };
    let what = format!(
        "the door needs {} s to leave, and is killed after {} s",
        seconds(needed),
        seconds(grace)
    );
    let fix = match workload.platform {
        Platform::CloudRun => "env:\n  - name: VESTIBULE_DRAIN\n    value: 10s".to_owned(),
        Platform::Compose => format!("stop_grace_period: {}s", seconds(needed) + 5),
        _ => format!("terminationGracePeriodSeconds: {}", seconds(needed) + 5),
    };
    found.add(&table::GRACE, at, what).mended_by(fix);
}

fn request_timeout(part: &Part<'_>, found: &mut Findings) {
    let Part { workload, door, .. } = part;
    if workload.platform != Platform::CloudRun || !door.knows("request_timeout") {
        return;
    }
    let platforms = workload.request_timeout.map_or(REQUEST_DEFAULT, |given| given.value);
    let Some(told) = door.request_timeout else { return };
    if told == Duration::from_secs(platforms) {
        return;
    }
    let what = format!("the door goes by {} s, and Cloud Run by {platforms} s", seconds(told));
    let finding = found.add(&table::REQUEST_UNTOLD, door.place("request_timeout"), what);
    finding
        .mended_by(format!("env:\n  - name: VESTIBULE_REQUEST_TIMEOUT\n    value: {platforms}s"));
    if told < Duration::from_secs(platforms) {
        finding.only(Severity::Note);
    }
}

/// Whole seconds, rounded up.
fn seconds(length: Duration) -> u64 {
    length.as_secs() + u64::from(length.subsec_nanos() > 0)
}
