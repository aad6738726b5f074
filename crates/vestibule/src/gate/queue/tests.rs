//! Breaks each rule of the gate, one scenario at a time: no clock, no task, only a queue and a `now` that the
//! test moves. Random sequences are in `invariants`.

mod invariants;
mod limits;
mod retries;
mod scouting;
mod shares;

use std::time::Duration;

use super::super::{ClientKey, Release};
use super::*;
use crate::readiness::Failure;

type Answers = Vec<(u32, Result<Grant, Refusal>)>;

/// A queue with its own clock, whose waiters are numbers.
struct Scene {
    queue: Queue<u32>,
    now: Instant,
}

impl Scene {
    fn new(limits: Limits) -> Self {
        Self { queue: Queue::new(limits), now: Instant::now() }
    }

    fn arrival(&self, kind: Kind) -> Arrival {
        Arrival { kind, bytes: 100, client: None, deadline: self.now + Duration::from_secs(60) }
    }

    fn enter(&mut self, name: u32, kind: Kind) -> Entered {
        let arrival = self.arrival(kind);
        self.queue.enter(arrival, self.now, || name)
    }

    /// Enters a handshake that must be held.
    fn hold(&mut self, name: u32, route: u64) -> u64 {
        match self.enter(name, Kind::Handshake { route }) {
            Entered::Held(id) => id,
            other => panic!("{name} was not held: {other:?}"),
        }
    }

    /// Enters a handshake that must pass at once.
    fn pass(&mut self, route: u64) -> Grant {
        match self.enter(0, Kind::Handshake { route }) {
            Entered::Admitted(grant) => grant,
            other => panic!("not admitted: {other:?}"),
        }
    }

    fn take_stance(&mut self, stance: Stance) {
        self.queue.take_stance(stance, self.now);
    }

    fn answers(&mut self) -> Answers {
        self.queue.take_effects().answers
    }

    /// All that were admitted since the last look, in order.
    fn admitted(&mut self) -> Vec<(u32, Grant)> {
        let answers = self.answers().into_iter();
        answers.map(|(name, answer)| (name, answer.unwrap())).collect()
    }

    fn settle(&mut self, grant: &Grant) {
        self.queue.settle(grant, self.now);
    }

    fn retry(&mut self, name: u32, grant: Grant) -> Retried {
        self.queue.retry(grant, self.now, || name)
    }

    /// A try that must be followed by another one, which is in line at once.
    fn retry_and_rise(&mut self, name: u32, grant: Grant) {
        let Retried::Rests { id, .. } = self.retry(name, grant) else {
            panic!("{name} has no further try");
        };
        self.queue.rise(id, self.now);
    }
}

fn names(admitted: &[(u32, Grant)]) -> Vec<u32> {
    admitted.iter().map(|(name, _)| *name).collect()
}

fn limits() -> Limits {
    Limits { held_max: 50, ..Limits::default() }
}

#[test]
fn a_hold_holds_both_kinds_and_ends_for_plain_requests_at_once() {
    let mut scene = Scene::new(limits());
    for name in 1..=3 {
        assert!(matches!(scene.enter(name, Kind::Plain), Entered::Held(_)));
    }
    for name in 4..=9 {
        scene.hold(name, 7);
    }
    assert!(scene.answers().is_empty());
    scene.take_stance(Stance::Scout);
    let admitted = scene.admitted();
    assert_eq!(names(&admitted), [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(scene.queue.counts().handing_over, 4);
    assert!(matches!(scene.enter(10, Kind::Plain), Entered::Admitted(_)));
}

/// Breaks if a slot is given twice, while the upstream is young, or if giving way is a way around the budget.
#[test]
fn a_hand_over_that_takes_its_time_gives_its_slot_to_the_next_once() {
    let limits = Limits { handovers_max: 1, retry_share: 0.0, ..limits() };
    let mut scene = Scene::new(limits);
    scene.hold(1, 7);
    scene.take_stance(Stance::Scout);
    let (_, mut scout) = scene.admitted().pop().unwrap();
    assert!(!scene.queue.give_way(&mut scout, scene.now));
    assert_eq!((scout.seat, scene.queue.counts().handing_over), (Seat::Scout, 1));
    scene.settle(&scout);
    let mut slow = scene.pass(7);
    scene.hold(2, 8);
    for _ in 0..2 {
        assert!(scene.queue.give_way(&mut slow, scene.now));
        assert_eq!(scene.queue.counts().handing_over, 1);
    }
    assert_eq!(names(&scene.admitted()), [2]);
    scene.settle(&slow);
    assert_eq!((scene.queue.counts().handing_over, scene.queue.counts().settled_total), (1, 2));
}

#[test]
fn a_release_is_paced_by_the_hand_overs_in_flight_and_reported_at_its_end() {
    let limits = Limits { handovers_max: 3, scouts_max: 1, ..limits() };
    let mut scene = Scene::new(limits);
    (1..=8).for_each(|name| {
        scene.hold(name, 7);
    });
    scene.take_stance(Stance::Scout);
    let (_, survivor) = scene.admitted().pop().unwrap();
    scene.settle(&survivor);
    let mut flying = scene.admitted();
    assert_eq!(names(&flying), [2, 3, 4]);
    for expected in 5..=8 {
        scene.now += Duration::from_millis(10);
        scene.hold(99, 7);
        let (_, grant) = flying.remove(0);
        scene.queue.give_back(&grant, scene.now);
        let effects = scene.queue.take_effects();
        let report =
            (expected == 8).then_some(Release { admitted: 7, took: Duration::from_millis(40) });
        assert_eq!(effects.release, report);
        flying.extend(effects.answers.into_iter().map(|(n, a)| (n, a.unwrap())));
        assert_eq!(flying.last().unwrap().0, expected);
    }
}

#[test]
fn bounds_hold_in_number_and_in_bytes_and_scouts_find_their_place_again() {
    let mut scene = Scene::new(Limits { held_max: 3, held_bytes_max: 1_000, ..limits() });
    (1..=3).for_each(|name| {
        scene.hold(name, 7);
    });
    let full = |entered| matches!(entered, Entered::Refused(Refusal::QueueFull));
    assert!(full(scene.enter(4, Kind::Plain)));
    scene.take_stance(Stance::Scout);
    let scouts = scene.admitted();
    assert!(full(scene.enter(5, Kind::Handshake { route: 7 })));
    for (name, grant) in scouts {
        assert!(matches!(scene.retry(name, grant), Retried::Rests { .. }));
    }
    assert_eq!(scene.queue.counts().refused_total.of(&Refusal::QueueFull), 2);

    let mut scene = Scene::new(Limits { held_bytes_max: 250, ..limits() });
    scene.hold(1, 7);
    let second = scene.hold(2, 7);
    assert!(full(scene.enter(3, Kind::Handshake { route: 7 })));
    assert!(scene.queue.leave(second, scene.now));
    scene.hold(4, 7);
}

#[test]
fn a_refusal_answers_all_that_are_held_and_all_newcomers() {
    let mut scene = Scene::new(limits());
    scene.take_stance(Stance::Scout);
    let out = scene.pass(7);
    let resting = scene.pass(8);
    assert!(matches!(scene.retry(1, resting), Retried::Rests { .. }));
    scene.take_stance(Stance::Hold);
    scene.hold(2, 7);
    assert!(matches!(scene.enter(3, Kind::Plain), Entered::Held(_)));
    let refusal = Refusal::Failed(Failure::new("database"));
    scene.take_stance(Stance::Refuse(refusal.clone()));
    let answers = scene.answers();
    assert_eq!(answers.len(), 3);
    assert!(answers.iter().all(|(_, a)| a.as_ref().err() == Some(&refusal)));
    let newcomer = scene.enter(4, Kind::Handshake { route: 7 });
    assert!(matches!(newcomer, Entered::Refused(r) if r == refusal));
    let retried = scene.retry(5, out);
    assert!(matches!(retried, Retried::GivenUp(GiveUp::Refused(r)) if r == refusal));
    assert_eq!(scene.queue.counts().held, 0);
    assert_eq!(scene.queue.counts().refused_total.of(&refusal), 5);
}

#[test]
fn nobody_is_admitted_after_its_deadline() {
    let mut scene = Scene::new(limits());
    scene.hold(1, 7);
    scene.now += Duration::from_secs(60);
    scene.take_stance(Stance::Admit);
    let answers = scene.answers();
    assert!(matches!(answers[..], [(1, Err(Refusal::Deadline))]));
    let late = Arrival { deadline: scene.now, ..scene.arrival(Kind::Plain) };
    let entered = scene.queue.enter(late, scene.now, || 2);
    assert!(matches!(entered, Entered::Refused(Refusal::Deadline)));
}

#[test]
fn a_plain_request_is_no_survivor() {
    let mut scene = Scene::new(limits());
    scene.take_stance(Stance::Scout);
    let Entered::Admitted(grant) = scene.enter(1, Kind::Plain) else {
        panic!("not admitted");
    };
    scene.settle(&grant);
    assert_eq!(scene.queue.stance(), &Stance::Scout);
    assert_eq!(scene.queue.counts().settled_total, 0);
}
