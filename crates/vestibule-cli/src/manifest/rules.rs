//! What is judged.
//!
//! Owns the order of the rules and which workloads they look at: those with a door, or all if the user says that all
//! have WebSockets. Must never judge by what is out of sight.

mod probes;
mod routes;
mod start;
pub(crate) mod table;
mod times;

use super::Known;
use super::door::Door;
use super::finding::{Finding, Findings, Rule};
use super::model::{Container, Deployment, Workload};

/// Judges everything.
pub(super) fn judge(deployment: &Deployment, known: &Known, found: &mut Findings) {
    for workload in &deployment.workloads {
        let has_door = workload.doors().next().is_some();
        if !has_door && !known.websockets {
            continue;
        }
        times::of_workload(workload, found);
        routes::of_workload(workload, found);
        start::of_workload(workload, found);
        for (container, door) in workload.doors() {
            let part = Part { workload, container, door, known };
            times::of_door(&part, found);
            probes::of_door(&part, found);
            start::of_door(&part, found);
        }
    }
    routes::of_ways(deployment, known, found);
}

/// The rule of this number.
pub(crate) fn find(id: &str) -> Option<&'static Rule> {
    table::ALL.iter().copied().find(|rule| rule.id.eq_ignore_ascii_case(id))
}

/// A door and what stands around it.
struct Part<'a> {
    workload: &'a Workload,
    container: &'a Container,
    door: &'a Door,
    known: &'a Known,
}

impl Finding {
    /// Whether a rule of this number found it.
    #[cfg(test)]
    pub(super) fn is(&self, id: &str) -> bool {
        self.rule.id == id
    }
}
