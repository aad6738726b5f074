//! Gathers the health document.
//!
//! Owns where each of its values comes from. Must never show what was not [`shown`] fit.

use tokio::time::Instant;
use vestibule::health::{
    Document, LastRefusal, LastReload, Now, Phase, Readiness, Refused, SCHEMA, Startup,
};
use vestibule::readiness::State;

use crate::journal::millis;
use crate::journal::reloads::Outcome;
use crate::shared::Shared;
use crate::upstream::dial::Dial;
use crate::upstream::probe::Evidence;

use super::shown::shown;
use super::{Facts, checks};

/// Everything as it is now.
pub(super) fn document<D: Dial>(front: &Shared<D>, facts: &Facts) -> Document {
    let now = Instant::now();
    let state = front.readiness.state();
    let service = front.service.picture(now);
    let (gate, full) = (front.gate.counts(), front.places.occupancy());
    let probed = front.journal.how_probed();
    let start = service.startup;
    let phases = start.report(now).into_iter().map(|report| Phase {
        name: report.phase.as_str(),
        state: report.state.as_str(),
        took_ms: report.duration.map(millis),
    });
    let refused = front.journal.meters.refusals().into_iter().filter(|(_, count)| *count > 0);
    let last = front.journal.last_refusals().into_iter().map(|refused| LastRefusal {
        reason: refused.code,
        by: refused.ending.by.as_str(),
        phase: refused.ending.phase.as_str(),
        ago_ms: millis(now.saturating_duration_since(refused.at)),
    });
    let reload = front.journal.last_reload();
    let board = front.validation.board();
    Document {
        schema: SCHEMA,
        version: facts.version,
        uptime_ms: millis(now.saturating_duration_since(front.started())),
        environment: facts.environment,
        platform: facts.platform,
        state: state.as_str(),
        since_ms: millis(service.unchanged_for),
        failure: match &state {
            State::Failed(failure) => Some(shown(failure.reason())),
            _ => None,
        },
        startup: Startup {
            phase: start.current().as_str(),
            starts: start.run(),
            phases: phases.collect(),
        },
        readiness: Readiness {
            source: probed.source,
            last_seen: probed.last_seen.to_string(),
            evidence: service.evidence.map(Evidence::as_str),
        },
        checks: checks::list(&board, now),
        degraded: checks::degraded(&board, now),
        validation: checks::validation(&board, now),
        now: Now {
            held: gate.held,
            held_bytes: gate.held_bytes,
            hand_overs: gate.handing_over,
            tunnels: service.tunnels,
            connections: full.open,
            connections_limit: full.limit,
        },
        refused: refused.map(|(reason, count)| Refused { reason, count }).collect(),
        last_refusals: last.collect(),
        last_reload: LastReload {
            outcome: reload.map_or(Outcome::NONE, |reload| reload.outcome.as_str()),
            ago_ms: reload.map(|reload| millis(now.saturating_duration_since(reload.at))),
        },
    }
}
