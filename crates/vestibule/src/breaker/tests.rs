//! Breaks the breaker with any order of asking, answering, losing and waiting, against a model that knows only
//! the rules in words; and with leaves from another time.

use std::time::Duration;

use proptest::prelude::*;
use tokio::time::Instant;

use super::*;

const LEASE: Duration = Duration::from_secs(2);

#[derive(Clone, Copy, Debug)]
enum Act {
    /// Somebody wants to try.
    Ask,
    /// One of the tries under way ends.
    End {
        which: usize,
        passed: bool,
    },
    /// One of the tries under way is never heard of.
    Lose {
        which: usize,
    },
    Wait {
        ms: u64,
    },
    Relent,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        6 => Just(Act::Ask),
        6 => (0..8_usize, prop::bool::weighted(0.25)).prop_map(|(which, passed)| Act::End { which, passed }),
        2 => (0..8_usize).prop_map(|which| Act::Lose { which }),
        4 => (1..4_000_u64).prop_map(|ms| Act::Wait { ms }),
        1 => Just(Act::Relent),
    ];
    prop::collection::vec(act, 1..120)
}

/// The rules, as a log of what happened and no machine.
#[derive(Default)]
struct Model {
    /// Failures since the last success that was believed.
    failures: u32,
    /// If it is not closed: from when on a probe may go.
    shut_until: Option<Instant>,
    /// The probe under way.
    probe: Option<u64>,
    /// Tries granted since it was last closed, which are still believed.
    believed: Vec<u64>,
}

impl Model {
    fn ask(&mut self, id: u64, now: Instant) -> bool {
        match self.shut_until {
            None => self.believed.push(id),
            Some(until) if now < until => return false,
            Some(_) => {
                self.failures += u32::from(self.probe.is_some());
                (self.probe, self.shut_until) = (Some(id), Some(now + LEASE));
            }
        }
        true
    }

    /// Whether it opens; for how long is read from the breaker, since chance decides it.
    fn end(&mut self, id: u64, passed: bool) -> bool {
        let is_probe = self.probe == Some(id);
        if !is_probe && !self.believed.contains(&id) {
            return false;
        }
        self.believed.retain(|other| *other != id);
        self.failures = if passed { 0 } else { self.failures + 1 };
        if is_probe {
            self.probe = None;
            if passed {
                self.shut_until = None;
            }
            return !passed;
        }
        self.failures >= FAILURES_MAX
    }

    fn opens(&mut self, until: Instant) {
        self.believed.clear();
        self.shut_until = Some(until);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn a_breaker_does_what_its_rules_say(acts in acts(), random in 0.0..1.0_f64, cap_ms in 0..20_000_u64) {
        let (mut breaker, mut model) = (Breaker::default(), Model::default());
        let (mut now, cap) = (Instant::now(), Duration::from_millis(cap_ms));
        let mut out: Vec<(u64, Leave)> = Vec::new();
        for (id, act) in (0..).zip(acts) {
            match act {
                Act::Ask => {
                    let asked = breaker.ask(now, LEASE);
                    prop_assert_eq!(asked.is_ok(), model.ask(id, now));
                    out.extend(asked.ok().map(|leave| (id, leave)));
                }
                Act::End { which, passed } if which < out.len() => {
                    let (id, leave) = out.remove(which);
                    let trip = breaker.record(leave, passed, now, random, cap);
                    prop_assert_eq!(trip.is_some(), model.end(id, passed));
                    if let Some(trip) = trip {
                        prop_assert_eq!(trip.failures, model.failures);
                        prop_assert!(trip.open_for <= cap.max(OPEN.floor) && trip.open_for <= OPEN.cap);
                        prop_assert!(trip.open_for >= OPEN.floor);
                        model.opens(now + trip.open_for);
                    }
                }
                Act::Lose { which } if which < out.len() => drop(out.remove(which)),
                Act::End { .. } | Act::Lose { .. } => {}
                Act::Wait { ms } => now += Duration::from_millis(ms),
                Act::Relent => {
                    breaker.relent(now);
                    if model.probe.is_none() {
                        model.shut_until = model.shut_until.map(|until| until.min(now));
                    }
                }
            }
            prop_assert_eq!(breaker.shut_until(), model.shut_until);
            prop_assert_eq!(breaker.failures(), model.failures);
            prop_assert_eq!(matches!(breaker.state(), State::HalfOpen { .. }), model.probe.is_some());
            let gone = breaker.transitions();
            let probing = u64::from(model.probe.is_some());
            prop_assert_eq!(
                gone.open_to_half_open,
                gone.half_open_to_closed + gone.half_open_to_open + probing
            );
        }
        // Whatever was lost, it is asked again.
        let later = now + OPEN.cap + LEASE;
        prop_assert!(breaker.ask(later, LEASE).is_ok());
    }
}

/// A breaker that has just opened.
fn opened(now: Instant) -> Breaker {
    let mut breaker = Breaker::default();
    let mut trips = 0;
    for _ in 0..FAILURES_MAX {
        let leave = breaker.ask(now, LEASE).unwrap();
        trips += u32::from(breaker.record(leave, false, now, 1.0, OPEN.cap).is_some());
    }
    assert_eq!(trips, 1);
    breaker
}

#[test]
fn exactly_one_probe_goes_while_a_breaker_is_half_open() {
    let now = Instant::now();
    let mut breaker = opened(now);
    let until = breaker.ask(now, LEASE).unwrap_err();
    assert_eq!(until, now + Duration::from_secs(1));
    let probe = breaker.ask(until, LEASE).unwrap();
    for ms in [0, 1, 1_999] {
        assert_eq!(breaker.ask(until + Duration::from_millis(ms), LEASE), Err(until + LEASE));
    }
    assert_eq!(breaker.record(probe, true, until, 1.0, OPEN.cap), None);
    assert_eq!(breaker.state(), State::Closed { failures: 0 });
}

#[test]
fn a_lost_leave_costs_one_lease_and_never_wedges_a_breaker() {
    let now = Instant::now();
    let mut breaker = opened(now);
    let mut at = now + OPEN.cap;
    for lost in 1..20_u64 {
        drop(breaker.ask(at, LEASE).unwrap());
        at += LEASE;
        assert_eq!(breaker.transitions().half_open_to_open, lost - 1);
    }
}

#[test]
fn a_probe_that_comes_back_after_its_lease_decides_nothing() {
    let now = Instant::now();
    let mut breaker = opened(now);
    let at = now + OPEN.cap;
    let late = breaker.ask(at, LEASE).unwrap();
    let probe = breaker.ask(at + LEASE, LEASE).unwrap();
    assert_eq!(breaker.record(late, true, at + LEASE, 0.5, OPEN.cap), None);
    assert_eq!(breaker.state().as_str(), "half_open");
    let trip = breaker.record(probe, false, at + LEASE, 1.0, OPEN.cap).unwrap();
    assert_eq!(trip.failures, FAILURES_MAX + 2);
    assert!(trip.open_for > Duration::from_secs(1));
}

#[test]
fn what_began_anew_may_be_asked_at_once() {
    let now = Instant::now();
    let mut breaker = opened(now);
    breaker.relent(now);
    assert!(breaker.ask(now, LEASE).is_ok());
    assert!(breaker.ask(now, LEASE).is_err());
}
