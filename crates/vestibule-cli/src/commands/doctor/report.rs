//! All that the doctor knows, as plain data.
//!
//! Owns its parts and the status that follows from them. Must never ask anything, or write it.

use std::time::Duration;

use vestibule::check::{Criticality, Group, Outcome, Skipped};
use vestibule::timeouts::Factors;
use vestibule::validation::{Board, Standing};

use super::findings::{Finding, Severity, findings};
use super::machine::Machine;
use super::path::CriticalPath;
use super::patience;
use crate::commands::meant::Meant;
use crate::exit::Exit;

/// One look at everything.
#[derive(Debug)]
pub(super) struct Report<'a> {
    pub(super) meant: &'a Meant,
    pub(super) machine: &'a Machine,
    pub(super) checks: Vec<Seen>,
    pub(super) path: CriticalPath,
    pub(super) findings: Vec<Finding>,
}

/// One check, and what was seen of it.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) name: String,
    pub(super) kind: &'static str,
    pub(super) group: Group,
    pub(super) critical: bool,
    pub(super) gate: &'static str,
    pub(super) target: String,
    /// `passed`, `failed` or `skipped`.
    pub(super) outcome: &'static str,
    pub(super) reason: Option<&'static str>,
    /// What came back.
    pub(super) detail: String,
    pub(super) tries: Vec<Tried>,
    /// From the start of the first try to the end of the last.
    pub(super) took: Duration,
    pub(super) timeout: Duration,
    pub(super) formula: String,
    pub(super) advice: Option<&'static str>,
}

/// One try.
#[derive(Clone, Debug)]
pub(super) struct Tried {
    pub(super) took: Duration,
    /// `None` if it passed.
    pub(super) reason: Option<&'static str>,
    /// What came back.
    pub(super) detail: String,
}

/// How it stands with all of it, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Status {
    /// All is well.
    Ok,
    /// Something deserves a warning.
    Warnings,
    /// A degradable check failed.
    Degraded,
    /// A critical check failed.
    Failed,
}

impl<'a> Report<'a> {
    /// Of settings, what was seen of the checks, and the machine.
    pub(super) fn new(meant: &'a Meant, machine: &'a Machine, board: &Board) -> Self {
        let factors = &meant.door.factors;
        let checks: Vec<_> = board.standings().iter().map(|one| Seen::of(one, factors)).collect();
        let path = CriticalPath::of(&checks);
        let findings = findings(meant, machine, &checks, &path);
        Self { meant, machine, checks, path, findings }
    }

    /// The worst of all.
    pub(super) fn status(&self) -> Status {
        let checks = self.checks.iter().filter(|one| !one.has_passed());
        let of_check = |one: &Seen| if one.critical { Status::Failed } else { Status::Degraded };
        let warned = self.findings.iter().any(|one| one.severity == Severity::Warning);
        let base = if warned { Status::Warnings } else { Status::Ok };
        checks.map(of_check).fold(base, Status::max)
    }
}

impl Seen {
    fn of(standing: &Standing, factors: &Factors) -> Self {
        let spec = &standing.spec;
        let tries: Vec<_> = standing
            .tries
            .iter()
            .map(|tried| match &tried.result {
                Ok(saw) => {
                    Tried { took: tried.took, reason: None, detail: saw.as_str().to_owned() }
                }
                Err(trouble) => Tried {
                    took: tried.took,
                    reason: Some(trouble.reason().as_str()),
                    detail: trouble.detail().to_owned(),
                },
            })
            .collect();
        let took = match (standing.tries.first(), standing.tries.last()) {
            (Some(first), Some(last)) => last.at.saturating_duration_since(first.at) + first.took,
            _ => Duration::ZERO,
        };
        let outcome = standing.last.as_ref().map(|last| &last.outcome);
        let (detail, advice) = match outcome {
            Some(Outcome::Passed(saw)) => (saw.as_str().to_owned(), None),
            Some(Outcome::Failed(trouble)) => {
                (trouble.detail().to_owned(), Some(trouble.reason().advice()))
            }
            Some(Outcome::Skipped(why)) => skipped(*why),
            None => skipped(Skipped::NoTimeLeft),
        };
        Self {
            name: spec.name.to_string(),
            kind: standing.kind,
            group: spec.group,
            critical: spec.criticality == Criticality::Critical,
            gate: spec.gating.as_str(),
            target: standing.target.to_string(),
            outcome: outcome.map_or("skipped", Outcome::as_str),
            reason: outcome.map_or(Some(Skipped::NoTimeLeft.as_str()), Outcome::reason),
            detail,
            tries,
            took,
            timeout: standing.timeout.value,
            formula: patience::of_check(spec.timeout, factors),
            advice,
        }
    }

    /// Whether it was seen to work.
    pub(super) fn has_passed(&self) -> bool {
        self.outcome == "passed"
    }
}

fn skipped(why: Skipped) -> (String, Option<&'static str>) {
    let (detail, advice) = match why {
        Skipped::EarlierGroup => ("not asked: an earlier group failed", "mend that group first"),
        Skipped::BreakerOpen => (
            "not asked: it failed so often that it is given a rest",
            "it is asked again by itself in a moment",
        ),
        Skipped::NoTimeLeft => (
            "not asked: the validation budget was used up",
            "mend the slower checks, or raise the validation budget",
        ),
    };
    (detail.to_owned(), Some(advice))
}

impl Status {
    /// The word in documents.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warnings => "warnings",
            Self::Degraded => "degraded",
            Self::Failed => "failed",
        }
    }

    /// How the process ends.
    pub(super) const fn exit(self) -> Exit {
        match self {
            Self::Ok => Exit::Ok,
            Self::Warnings | Self::Degraded => Exit::Degraded,
            Self::Failed => Exit::CriticalFailed,
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A critical check that took so long.
    pub(in crate::commands::doctor) fn seen(
        name: &str,
        group: Group,
        ms: u64,
        passed: bool,
    ) -> Seen {
        Seen {
            name: name.to_owned(),
            kind: "custom",
            group,
            critical: true,
            gate: "startup",
            target: String::new(),
            outcome: if passed { "passed" } else { "failed" },
            reason: (!passed).then_some("refused"),
            detail: String::new(),
            tries: Vec::new(),
            took: Duration::from_millis(ms),
            timeout: Duration::from_secs(1),
            formula: String::new(),
            advice: None,
        }
    }

    #[test]
    fn the_worst_decides_the_status() {
        assert!(Status::Failed > Status::Degraded && Status::Degraded > Status::Warnings);
        assert_eq!(Status::Failed.exit(), Exit::CriticalFailed);
        assert_eq!(Status::Warnings.exit(), Exit::Degraded);
    }
}
