//! What the platform asks to know how the container is.
//!
//! Owns the rules about probes. Must never take a prober that the door knows for one that it holds.

use std::time::Duration;

use super::{Part, table};
use crate::manifest::finding::{Findings, Severity};
use crate::manifest::model::{Asks, Platform, Probe};

/// What Kubernetes and Cloud Run take if nobody says ("Configure probes").
const PERIOD_DEFAULT: u64 = 10;
/// The same, in failures.
const FAILURES_DEFAULT: u64 = 3;

pub(super) fn of_door(part: &Part<'_>, found: &mut Findings) {
    if !matches!(
        part.workload.platform,
        Platform::CloudRun | Platform::Knative | Platform::Kubernetes
    ) {
        return;
    }
    startup(part, found);
    budget(part, found);
    liveness(part, found);
    paths(part, found);
}

fn startup(part: &Part<'_>, found: &mut Findings) {
    let Part { workload, container, .. } = part;
    let asked = match workload.platform {
        // Knative has no other gate but readiness.
        Platform::Knative => container.startup.as_ref().or(container.readiness.as_ref()),
        _ => container.startup.as_ref(),
    };
    match asked {
        Some(probe) if probe.asks == Asks::Tcp => {
            found.add(&table::TCP_STARTUP, probe.at, "a TCP probe: the door answers it at once");
        }
        None if workload.platform == Platform::CloudRun => {
            let what = "no startupProbe: Cloud Run asks for the port alone";
            found.add(&table::TCP_STARTUP, container.at, what);
        }
        None if workload.platform == Platform::Knative => {
            let what = "no readinessProbe: Knative asks for the port alone";
            let finding = found.add(&table::TCP_STARTUP, container.at, what);
            finding.mended_by("readinessProbe:\n  httpGet:\n    path: /started");
        }
        _ => {}
    }
}

fn budget(part: &Part<'_>, found: &mut Findings) {
    let Some(probe) = &part.container.startup else { return };
    let patience = patience(probe);
    let measured = part.known.measured_start.filter(|start| *start > patience);
    if let Some(start) = measured {
        let what = format!(
            "{} s of patience, and a start was measured with {} s",
            patience.as_secs(),
            start.as_secs_f32()
        );
        found.add(&table::STARTUP_BUDGET, probe.at, what).mended_by(mended(start));
    } else if part.door.startup > patience
        && part.door.knows("startup_timeout")
        && part.known.measured_start.is_none()
    {
        let own = part.door.startup;
        let what = format!(
            "{} s of patience, and the door's --startup-timeout is {} s",
            patience.as_secs(),
            own.as_secs()
        );
        let finding = found.add(&table::STARTUP_BUDGET, probe.at, what);
        finding.only(Severity::Warning).mended_by(mended(own));
    }
}

fn mended(start: Duration) -> String {
    let failures = start.as_secs() + u64::from(start.subsec_nanos() > 0);
    format!("periodSeconds: 1\nfailureThreshold: {failures}")
}

fn patience(probe: &Probe) -> Duration {
    let period = probe.period.unwrap_or(PERIOD_DEFAULT);
    let tries = period.saturating_mul(probe.failures.unwrap_or(FAILURES_DEFAULT));
    Duration::from_secs(tries.saturating_add(probe.delay.unwrap_or(0)))
}

fn liveness(part: &Part<'_>, found: &mut Findings) {
    let Part { workload, container, door, known } = part;
    let Some(probe) = &container.liveness else { return };
    if workload.platform != Platform::Kubernetes || container.startup.is_some() {
        return;
    }
    let start = known.measured_start.unwrap_or(door.startup);
    if patience(probe) < start && probe.asks != Asks::Tcp {
        let what = format!(
            "no startupProbe, and liveness gives a start {} s of {} s",
            patience(probe).as_secs(),
            start.as_secs()
        );
        found.add(&table::LIVENESS, probe.at, what);
    }
}

fn paths(part: &Part<'_>, found: &mut Findings) {
    let Part { container, door, .. } = part;
    if !door.knows("public_health") || !door.knows("ready_path") {
        return;
    }
    for (name, probe) in [
        ("startupProbe", &container.startup),
        ("readinessProbe", &container.readiness),
        ("livenessProbe", &container.liveness),
    ] {
        let Some(Probe { asks: Asks::Http { path, port }, at, .. }) = probe else { continue };
        let port = port.as_ref().and_then(|port| port.text.parse::<u16>().ok());
        // Another port is the admin address, or the service's own.
        if port.is_some() && port != door.port {
            continue;
        }
        let asked = path.as_ref().map_or("/", |path| path.text.as_str());
        if !door.answers(asked) {
            let at = path.as_ref().map_or(*at, |path| path.at);
            let what =
                format!("{name} asks {asked}, which is neither --public-health nor --ready-path");
            found.add(&table::PROBE_PATH, at, what);
        }
    }
}
