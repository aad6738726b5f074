//! The critical path of a start.
//!
//! Owns which check of each group is waited for longest. Must never take a check for fast that was not seen
//! to pass.

use std::time::Duration;

use vestibule::check::Group;

use super::report::Seen;

/// What the first ready waits for.
#[derive(Clone, Debug, Default)]
pub(super) struct CriticalPath {
    /// The slowest critical check of each group that has one, in order.
    pub(super) legs: Vec<Leg>,
    /// All of them have passed; else the start can't be that short.
    pub(super) is_whole: bool,
}

/// The slowest critical check of one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Leg {
    pub(super) group: Group,
    pub(super) check: String,
    pub(super) took: Duration,
    pub(super) passed: bool,
}

impl CriticalPath {
    /// Of what was seen.
    pub(super) fn of(checks: &[Seen]) -> Self {
        let critical = |group| checks.iter().filter(move |one| one.critical && one.group == group);
        let leg = |group| {
            // One that fails is waited for longest, however soon it said so.
            let slowest = critical(group).max_by_key(|one| (!one.has_passed(), one.took))?;
            let (check, took, passed) = (slowest.name.clone(), slowest.took, slowest.has_passed());
            Some(Leg { group, check, took, passed })
        };
        let legs: Vec<_> = Group::ALL.into_iter().filter_map(leg).collect();
        let is_whole = legs.iter().all(|leg| leg.passed);
        Self { legs, is_whole }
    }

    /// The shortest that a start can be with checks as they are now: groups wait for each other.
    pub(super) fn least(&self) -> Duration {
        self.legs.iter().map(|leg| leg.took).sum()
    }

    /// The leg that takes longest.
    pub(super) fn longest(&self) -> Option<&Leg> {
        self.legs.iter().max_by_key(|leg| (!leg.passed, leg.took))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::report::tests::seen;

    #[test]
    fn groups_wait_for_each_other_and_for_their_slowest() {
        let checks = [
            seen("db", Group::Dependencies, 30, true),
            seen("cache", Group::Dependencies, 50, true),
            seen("auth", Group::Services, 200, true),
        ];
        let path = CriticalPath::of(&checks);
        assert_eq!((path.least(), path.is_whole), (Duration::from_millis(250), true));
        assert_eq!(path.longest().map(|leg| leg.check.as_str()), Some("auth"));
        let failed =
            [seen("db", Group::Dependencies, 1, false), seen("bus", Group::Dependencies, 90, true)];
        let path = CriticalPath::of(&failed);
        assert_eq!((path.legs[0].check.as_str(), path.is_whole), ("db", false));
    }
}
