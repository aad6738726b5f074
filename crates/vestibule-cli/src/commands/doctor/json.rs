//! The report for machines.
//!
//! Owns its form, which docs/doctor.schema.json describes. Must never hold a value that was not looked at by
//! `shown`, or made by a check to be shown.

use std::time::Duration;

use serde_json::{Map, Value, json};
use vestibule::environment::{Environment, Evidence, Says};

use super::patience;
use super::place::{fit_to_show, unknown};
use super::report::{Report, Seen, Tried};
use crate::config::shown::fit;

/// Raised when a reader of the former would misread this one.
const SCHEMA: &str = "vestibule.doctor/1";

/// The whole document.
pub(super) fn document(report: &Report<'_>) -> Value {
    let meant = report.meant;
    json!({
        "schema": SCHEMA,
        "version": env!("CARGO_PKG_VERSION"),
        "command": meant.command.as_str(),
        "status": report.status().as_str(),
        "environment": environment(&meant.door.environment),
        "timeouts": timeouts(report),
        "checks": report.checks.iter().map(check).collect::<Value>(),
        "critical_path": critical_path(report),
        "limits": limits(report),
        "findings": report.findings.iter().map(|one| json!({
            "severity": one.severity.as_str(),
            "code": one.code,
            "message": fit(&one.message),
            "advice": one.advice,
        })).collect::<Value>(),
    })
}

/// The document of settings that are wrong.
pub(super) fn mistakes(mistakes: &[Value]) -> Value {
    json!({ "schema": SCHEMA, "status": "mistakes", "mistakes": mistakes })
}

fn environment(place: &Environment) -> Value {
    let evidence = |one: &Evidence| {
        let says = match one.says {
            Says::Name(name) => Some(name.as_str()),
            Says::Platform(platform) => Some(platform.as_str()),
            Says::Nothing => None,
        };
        json!({
            "variable": one.variable,
            "value": fit_to_show(&one.value),
            "says": says,
            "lost": one.lost,
        })
    };
    let unknown = unknown(place).into_iter();
    json!({
        "name": place.name.as_str(),
        "platform": place.platform.as_str(),
        "patience": place.patience().as_str(),
        "evidence": place.evidence.iter().map(evidence).collect::<Value>(),
        "conflicts": place.conflicts.iter().map(ToString::to_string).collect::<Value>(),
        "unknown": unknown.map(|(name, value)| json!({ "variable": name, "value": value })).collect::<Value>(),
    })
}

fn timeouts(report: &Report<'_>) -> Value {
    let mut all = Map::new();
    for one in patience::factors(report.meant) {
        all.insert(one.key.to_owned(), one.value.into());
        all.insert(format!("{}_formula", one.key), one.formula.into());
    }
    for one in patience::lengths(report.meant) {
        all.insert(format!("{}_ms", one.key), one.value.map(ms).into());
        all.insert(format!("{}_formula", one.key), one.formula.into());
    }
    all.into()
}

fn check(one: &Seen) -> Value {
    let tried = |tried: &Tried| {
        json!({
            "took_ms": ms(tried.took),
            "outcome": if tried.reason.is_none() { "passed" } else { "failed" },
            "reason": tried.reason,
            "detail": fit(&tried.detail),
        })
    };
    json!({
        "name": fit(&one.name),
        "kind": one.kind,
        "group": one.group.as_str(),
        "critical": one.critical,
        "gate": one.gate,
        "target": fit(&one.target),
        "outcome": one.outcome,
        "reason": one.reason,
        "detail": fit(&one.detail),
        "attempts": one.tries.len(),
        "took_ms": ms(one.took),
        "timeout_ms": ms(one.timeout),
        "timeout_formula": one.formula,
        "tries": one.tries.iter().map(tried).collect::<Value>(),
        "advice": one.advice,
    })
}

fn critical_path(report: &Report<'_>) -> Value {
    let legs = report.path.legs.iter().map(|leg| {
        json!({
            "group": leg.group.as_str(),
            "check": fit(&leg.check),
            "took_ms": ms(leg.took),
            "passed": leg.passed,
        })
    });
    let least = report.path.least();
    let (factors, patience) = (&report.meant.door.factors, &report.meant.door.front.patience);
    json!({
        "groups": legs.collect::<Value>(),
        "longest": report.path.longest().map(|leg| fit(&leg.check)),
        "least_start_ms": ms(least),
        "all_passed": report.path.is_whole,
        "validation_budget_ms": ms(factors.validation.value),
        "startup_budget_ms": ms(patience.startup),
        "within_validation_budget": least <= factors.validation.value,
        "within_startup_budget": least <= patience.startup,
    })
}

fn limits(report: &Report<'_>) -> Value {
    let machine = report.machine;
    let directory = machine.runtime_directory.as_ref();
    json!({
        "descriptors_soft": machine.descriptors_soft,
        "descriptors_hard": machine.descriptors_hard,
        "connections": machine.connections,
        "held": report.meant.door.front.limits.held_max,
        "backlog": machine.backlog,
        "somaxconn": machine.somaxconn,
        "memory_bytes": machine.memory,
        "processors": machine.processors,
        "processor_quota": machine.quota,
        "sandbox": machine.gvisor.as_ref().map(|_| "gvisor"),
        "sandbox_evidence": machine.gvisor.as_deref().map(fit),
        "is_first_process": machine.is_first,
        "runtime_directory": directory.map(|path| fit(&path.to_string_lossy())),
        "has_proc": machine.has_proc,
    })
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
