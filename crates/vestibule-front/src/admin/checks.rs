//! What is shown of the service's checks.
//!
//! Owns the way from the board to documents and metrics. Must never show an answer of a dependency that was not made
//! [`shown`] fit, nor have a label that was not declared.

use std::fmt;

use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use tokio::time::Instant;
use vestibule::breaker;
use vestibule::check::{Outcome, Reason};
use vestibule::health::{Check, Validation};
use vestibule::validation::{Board, Opinion, Standing};

use crate::journal::millis;
use crate::shared::Shared;
use crate::upstream::dial::Dial;

use super::shown::shown;

/// Whether the service is ready without something that it should have.
pub(super) fn is_degraded<D: Dial>(front: &Shared<D>) -> bool {
    matches!(front.validation.opinion(Instant::now()), Opinion::Ready { degraded } if !degraded.is_empty())
}

/// Every check, as it stands.
pub(super) fn list(board: &Board, now: Instant) -> Vec<Check> {
    board.standings().iter().map(|one| check(one, now)).collect()
}

/// What works only without them, by name.
pub(super) fn degraded(board: &Board, now: Instant) -> Vec<String> {
    match board.opinion(now) {
        Opinion::Ready { degraded } => degraded.iter().map(|name| name.to_string()).collect(),
        _ => Vec::new(),
    }
}

/// The passes.
pub(super) fn validation(board: &Board, now: Instant) -> Validation {
    Validation {
        passes: board.passes(),
        running: board.passing_since().is_some(),
        last_ms: board.last_pass().map(|last| millis(last.took)),
        opinion: board.opinion(now).as_str(),
    }
}

fn check(one: &Standing, now: Instant) -> Check {
    let last = one.last.as_ref().map(|last| &last.outcome);
    let detail = match last {
        Some(Outcome::Passed(saw)) => Some(saw.as_str()),
        Some(Outcome::Failed(trouble)) => Some(trouble.detail()),
        Some(Outcome::Skipped(_)) | None => None,
    };
    let failed: u64 = one.counts.failed.iter().map(|(_, count)| count).sum();
    Check {
        name: one.spec.name.to_string(),
        kind: one.kind,
        group: one.spec.group.as_str(),
        critical: one.is_critical(),
        gate: one.spec.gating.as_str(),
        outcome: last.map_or("unknown", Outcome::as_str),
        reason: last.and_then(Outcome::reason),
        detail: detail.map(shown),
        attempts: one.counts.passed + failed,
        took_ms: one.tries.last().map(|tried| millis(tried.took)),
        age_ms: one.age(now).map(millis),
        down: one.down,
        breaker: one.breaker.state().as_str(),
    }
}

/// The checks' metrics: those who keep the numbers are read.
pub(super) fn encode(board: &Board, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    encode_tries(board, encoder)?;
    encode_failures(board, encoder)?;
    encode_passes(board, encoder)?;
    encode_breakers(board, encoder)?;
    let help = "Checks that are down while the service is ready";
    let mut gauge = encoder.encode_descriptor("degraded", help, None, MetricType::Gauge)?;
    gauge
        .encode_gauge(&i64::try_from(degraded(board, Instant::now()).len()).unwrap_or(i64::MAX))?;
    let help = "1 for a check that is down";
    let mut gauges = encoder.encode_descriptor("check_down", help, None, MetricType::Gauge)?;
    for one in board.standings() {
        let labels = [("check", &*one.spec.name), ("kind", one.kind)];
        gauges.encode_family(&labels)?.encode_gauge(&i64::from(one.down))?;
    }
    Ok(())
}

fn encode_tries(board: &Board, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let help = "Tries of checks, by outcome";
    let mut tries = encoder.encode_descriptor("check_attempts", help, None, MetricType::Counter)?;
    for one in board.standings() {
        let failed = one.counts.failed.iter().map(|(_, count)| count).sum();
        for (outcome, count) in [("passed", one.counts.passed), ("failed", failed)] {
            let labels = [("check", &*one.spec.name), ("kind", one.kind), ("outcome", outcome)];
            tries.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(&count, None)?;
        }
    }
    Ok(())
}

fn encode_failures(board: &Board, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let help = "Tries of checks that failed, by reason";
    let mut failures =
        encoder.encode_descriptor("check_failures", help, None, MetricType::Counter)?;
    for one in board.standings() {
        for reason in Reason::ALL {
            let counted = one.counts.failed.iter().find(|(known, _)| *known == reason);
            let count = counted.map_or(0, |(_, count)| *count);
            let labels =
                [("check", &*one.spec.name), ("kind", one.kind), ("reason", reason.as_str())];
            failures.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(&count, None)?;
        }
    }
    Ok(())
}

fn encode_passes(board: &Board, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let help = "Passes over the checks, by what followed from them";
    let mut passes =
        encoder.encode_descriptor("validation_passes", help, None, MetricType::Counter)?;
    for (verdict, count) in board.verdicts() {
        let labels = [("verdict", verdict)];
        passes.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(&count, None)?;
    }
    Ok(())
}

fn encode_breakers(board: &Board, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let help = "Changes of a check's breaker";
    let mut changes =
        encoder.encode_descriptor("breaker_transitions", help, None, MetricType::Counter)?;
    for one in board.standings() {
        for (from, to, count) in one.breaker.transitions().each() {
            let labels = [("check", &*one.spec.name), ("from", from), ("to", to)];
            changes.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(&count, None)?;
        }
    }
    let help = "1 for the state that a check's breaker has, 0 for the others";
    let mut states = encoder.encode_descriptor("breaker_state", help, None, MetricType::Gauge)?;
    for one in board.standings() {
        for word in breaker::State::WORDS {
            let labels = [("check", &*one.spec.name), ("state", word)];
            let value = i64::from(word == one.breaker.state().as_str());
            states.encode_family(&labels)?.encode_gauge(&value)?;
        }
    }
    Ok(())
}
