//! One instance and those who wait for it.
//!
//! Owns the state, the pending queue and the concurrency. Pure: takes `now`, and hands each waiter back with
//! what becomes of it. Must never start, dial or answer anything.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use super::{
    CloudRun, PENDING_MAX, PENDING_MIN, PENDING_STARTUPS,
    probe::{Probing, Verdict},
};

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It goes to the instance, and counts until [`Model::finished`].
    Routed,
    /// It waited as long as the platform permits, or the queue is full: 429.
    NoInstance,
    /// The instance is gone: 503.
    Unavailable,
}

#[derive(Debug)]
enum State {
    /// Scaled to zero.
    Absent,
    /// Being started.
    Launching,
    /// Started, and not yet probed with success.
    Starting { since: Instant, probing: Probing },
    /// Takes traffic.
    Serving { startup: Duration },
    /// Ended. A real platform would start another; one instance is one race.
    Gone,
}

#[derive(Debug)]
struct Pending<W> {
    waiter: W,
    arrived: Instant,
    /// Only the instance's concurrency holds it up.
    is_crowded: bool,
}

/// The instance and its queue; `W` is whatever waits.
#[derive(Debug)]
pub(super) struct Model<W> {
    service: CloudRun,
    state: State,
    pending: VecDeque<Pending<W>>,
    in_flight: usize,
    pub(super) counted: Counted,
}

/// What is told at the end.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counted {
    pub(super) started: Option<Instant>,
    pub(super) routed_from: Option<Instant>,
    pub(super) probe_failures: u32,
    pub(super) gave_up: bool,
    pub(super) pending_peak: usize,
    pub(super) crowded: usize,
    pub(super) refused: usize,
}

impl<W> Model<W> {
    pub(super) fn new(service: CloudRun) -> Self {
        Self {
            service,
            state: State::Absent,
            pending: VecDeque::new(),
            in_flight: 0,
            counted: Counted::default(),
        }
    }

    /// A request comes. Says whether the instance has to be started for it.
    pub(super) fn arrive(&mut self, waiter: W, now: Instant) -> bool {
        self.pending.push_back(Pending { waiter, arrived: now, is_crowded: false });
        let is_first = matches!(self.state, State::Absent);
        if is_first {
            self.state = State::Launching;
        }
        is_first
    }

    /// The instance's process is there, and its probe begins.
    pub(super) fn launched(&mut self, now: Instant) {
        if let State::Launching = self.state {
            let probing = Probing::begin(self.service.probe.clone(), now);
            self.state = State::Starting { since: now, probing };
            self.counted.started = Some(now);
        }
    }

    /// When the next attempt of the probe begins; `None` once there is none to come.
    pub(super) fn next_probe(&self) -> Option<Instant> {
        match &self.state {
            State::Starting { probing, .. } => Some(probing.next()),
            _ => None,
        }
    }

    /// An attempt ended. Says whether the instance has to be ended for it.
    pub(super) fn probed(&mut self, began: Instant, succeeded: bool, now: Instant) -> bool {
        let State::Starting { since, probing } = &mut self.state else { return false };
        let verdict = probing.attempted(began, succeeded);
        self.counted.probe_failures = probing.failures();
        match verdict {
            Verdict::Again => false,
            Verdict::Started => {
                self.state = State::Serving { startup: now - *since };
                self.counted.routed_from = Some(now);
                false
            }
            Verdict::GivenUp => {
                self.counted.gave_up = true;
                self.state = State::Gone;
                true
            }
        }
    }

    /// The instance ended by itself.
    pub(super) fn gone(&mut self) {
        self.state = State::Gone;
    }

    /// A routed request ended.
    pub(super) fn finished(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// A routed request met no instance behind the port.
    pub(super) fn unanswered(&mut self) {
        self.counted.refused += 1;
    }

    /// Everybody whose wait is over, in order of arrival.
    pub(super) fn settle(&mut self, now: Instant) -> Vec<(W, Fate)> {
        let mut over = Vec::new();
        while let Some(first) = self.pending.front() {
            let fate = match self.state {
                State::Gone => Fate::Unavailable,
                State::Serving { .. } if self.in_flight < self.service.concurrency => Fate::Routed,
                _ if self.deadline(first).is_some_and(|deadline| now >= deadline) => {
                    Fate::NoInstance
                }
                _ => break,
            };
            let Some(first) = self.pending.pop_front() else { break };
            match fate {
                Fate::Routed => self.in_flight += 1,
                Fate::NoInstance | Fate::Unavailable => self.counted.refused += 1,
            }
            over.push((first.waiter, fate));
        }
        while self.pending.len() > PENDING_MAX {
            let Some(last) = self.pending.pop_back() else { break };
            self.counted.refused += 1;
            over.push((last.waiter, Fate::NoInstance));
        }
        self.note_the_crowd();
        self.counted.pending_peak = self.counted.pending_peak.max(self.pending.len());
        over
    }

    /// Whoever is left although the instance takes traffic waits for room.
    fn note_the_crowd(&mut self) {
        if !matches!(self.state, State::Serving { .. }) {
            return;
        }
        // Those noted before stand in front.
        let new = self.pending.iter_mut().rev().take_while(|pending| !pending.is_crowded);
        for pending in new {
            pending.is_crowded = true;
            self.counted.crowded += 1;
        }
    }

    /// When somebody's wait ends if nothing happens before.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.pending.front().and_then(|first| self.deadline(first))
    }

    /// Until when a request waits. The average startup is this start's own: the model knows no other, and so
    /// a start that goes on, for which 3.5 times its length has not passed, ends nobody's wait. The probe
    /// bounds it.
    fn deadline(&self, pending: &Pending<W>) -> Option<Instant> {
        match self.state {
            State::Serving { startup } => {
                Some(pending.arrived + startup.mul_f64(PENDING_STARTUPS).max(PENDING_MIN))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::platform::Probe;

    const SECOND: Duration = Duration::from_secs(1);

    fn model(probe: Probe, concurrency: usize) -> Model<usize> {
        Model::new(CloudRun { concurrency, ..CloudRun::new(probe) })
    }

    fn fates(of: Vec<(usize, Fate)>, fate: Fate) -> Vec<usize> {
        of.into_iter().filter(|(_, met)| *met == fate).map(|(who, _)| who).collect()
    }

    // Breaks the start: only the first request causes it, and nobody is routed before the probe says so.
    #[test]
    fn requests_wait_for_the_probe_and_then_go_in_order() {
        let now = Instant::now();
        let mut model = model(Probe::http("/health"), 80);
        assert!(model.arrive(0, now));
        assert_eq!(model.next_probe(), None, "nothing is there to be probed");
        model.launched(now);
        assert!(!model.arrive(1, now + SECOND));
        assert!(!model.probed(now, false, now));
        assert!(model.settle(now + SECOND).is_empty());
        assert_eq!(model.next_probe(), Some(now + SECOND));
        assert!(!model.probed(now + SECOND, true, now + SECOND));
        assert_eq!(fates(model.settle(now + SECOND), Fate::Routed), [0, 1]);
        assert_eq!(model.next_probe(), None);
        assert_eq!((model.counted.pending_peak, model.counted.probe_failures), (2, 1));
    }

    // Breaks the concurrency: a request more than there is room for waits, for 3.5 startups or 10 s, then 429.
    #[test]
    fn one_too_many_waits_for_room_and_not_for_ever() {
        for (startup, patience) in [(0, 10_000), (2_000, 10_000), (4_000, 14_000)] {
            let now = Instant::now();
            let mut model = model(Probe::tcp(), 2);
            model.arrive(0, now);
            model.launched(now);
            let served = now + Duration::from_millis(startup);
            model.probed(now, true, served);
            model.arrive(1, served);
            model.arrive(2, served);
            assert_eq!(fates(model.settle(served), Fate::Routed), [0, 1]);
            let deadline = served + Duration::from_millis(patience);
            assert_eq!(model.next_deadline(), Some(deadline));
            assert!(model.settle(deadline - Duration::from_millis(1)).is_empty());
            assert_eq!(fates(model.settle(deadline), Fate::NoInstance), [2]);
            model.arrive(3, deadline);
            model.finished();
            assert_eq!(fates(model.settle(deadline + SECOND), Fate::Routed), [3]);
            assert_eq!((model.counted.crowded, model.counted.refused), (1, 1));
        }
    }

    // Breaks the end of a start that never succeeds: the instance is ended, everybody is told.
    #[test]
    fn a_failed_start_refuses_all_who_wait_and_all_who_come() {
        let now = Instant::now();
        let mut model = model("http:/,failures=1".parse().unwrap(), 80);
        model.arrive(0, now);
        model.launched(now);
        assert!(model.probed(now, false, now));
        assert!(!model.arrive(1, now));
        assert_eq!(fates(model.settle(now), Fate::Unavailable), [0, 1]);
        assert!(model.counted.gave_up);
    }

    #[test]
    fn the_queue_is_bounded_and_the_last_are_refused() {
        let now = Instant::now();
        let mut model = model(Probe::tcp(), 80);
        for who in 0..PENDING_MAX + 3 {
            model.arrive(who, now);
        }
        assert_eq!(fates(model.settle(now), Fate::NoInstance).len(), 3);
        assert_eq!(model.counted.pending_peak, PENDING_MAX);
    }

    proptest! {
        // Breaks the count with any order of events: everybody gets one fate, and never more run than may.
        #[test]
        fn everybody_gets_one_fate_and_the_concurrency_holds(
            concurrency in 1usize..5,
            events in prop::collection::vec((0u8..4, 0u64..4000), 1..120),
        ) {
            let mut now = Instant::now();
            let mut model = model(Probe::tcp(), concurrency);
            let (mut came, mut told, mut running) = (0, Vec::new(), 0usize);
            for (event, pause) in events {
                now += Duration::from_millis(pause);
                match event {
                    0 | 1 => {
                        model.arrive(came, now);
                        came += 1;
                    }
                    2 => {
                        model.launched(now);
                        model.probed(now, true, now);
                    }
                    _ if running > 0 => {
                        running -= 1;
                        model.finished();
                    }
                    _ => {}
                }
                for (who, fate) in model.settle(now) {
                    told.push(who);
                    running += usize::from(fate == Fate::Routed);
                }
                prop_assert!(running <= concurrency);
            }
            model.gone();
            told.extend(model.settle(now).into_iter().map(|(who, _)| who));
            told.sort_unstable();
            prop_assert_eq!(told, (0..came).collect::<Vec<_>>());
        }
    }
}
