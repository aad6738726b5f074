//! Breaks the gate's invariants with random sequences of everything that can happen to it: arrivals, leavings,
//! deadlines, survivors, failures, restarts, refusals, in any order and at any time. A model beside the queue
//! keeps account of every entrant.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

#[derive(Clone, Debug)]
enum Event {
    Enter { route: Option<u64>, bytes: usize, patience_ms: u64 },
    Leave(Index),
    Rise(Index),
    Settle(Index),
    GiveBack(Index),
    Retry(Index),
    Advance(u64),
    Turn(Stance),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let stance = prop_oneof![
        2 => Just(Stance::Hold),
        4 => Just(Stance::Scout),
        3 => Just(Stance::Admit),
        1 => Just(Stance::Refuse(Refusal::Draining)),
    ];
    let event = prop_oneof![
        8 => (proptest::option::weighted(0.8, 0..4_u64), 0..400_usize, 0..2_000_u64)
            .prop_map(|(route, bytes, patience_ms)| Event::Enter { route, bytes, patience_ms }),
        1 => any::<Index>().prop_map(Event::Leave),
        4 => any::<Index>().prop_map(Event::Rise),
        2 => any::<Index>().prop_map(Event::Settle),
        2 => any::<Index>().prop_map(Event::GiveBack),
        5 => any::<Index>().prop_map(Event::Retry),
        2 => (1..400_u64).prop_map(Event::Advance),
        1 => stance.prop_map(Event::Turn),
    ];
    proptest::collection::vec(event, 1..100)
}

fn tight_limits() -> impl Strategy<Value = Limits> {
    (0..12_usize, 0..2_000_usize, 0..5_usize, 0..4_usize, 0..4_u32).prop_map(
        |(held_max, held_bytes_max, handovers_max, scouts_max, tries_max)| Limits {
            held_max,
            held_bytes_max,
            handovers_max,
            scouts_max,
            tries_max,
            retry_share: 0.2,
        },
    )
}

/// The queue, and an account of everybody beside it. A waiter is the arrival number of its entrant.
struct Model {
    scene: Scene,
    limits: Limits,
    /// Held, with bytes and deadline; the shell's timers.
    held: BTreeMap<u64, (usize, Instant)>,
    resting: BTreeSet<u64>,
    /// First-time handshakes in the order in which they began to wait.
    fresh: VecDeque<u64>,
    out: Vec<Grant>,
    entered: u64,
    done: u64,
}

impl Model {
    fn new(limits: Limits) -> Self {
        Self {
            scene: Scene::new(limits.clone()),
            limits,
            held: BTreeMap::new(),
            resting: BTreeSet::new(),
            fresh: VecDeque::new(),
            out: Vec::new(),
            entered: 0,
            done: 0,
        }
    }

    fn play(&mut self, event: Event) {
        let was = self.scene.queue.stance().clone();
        let turns = matches!(event, Event::Turn(_));
        let settles = matches!(event, Event::Settle(_));
        match event {
            Event::Enter { route, bytes, patience_ms } => self.enter(route, bytes, patience_ms),
            Event::Leave(at) => {
                if let Some(id) = pick(&at, self.held.keys()) {
                    assert!(self.scene.queue.leave(id, self.scene.now));
                    self.finish(id);
                }
            }
            Event::Rise(at) => {
                if let Some(id) = pick(&at, self.resting.iter()) {
                    self.resting.remove(&id);
                    self.scene.queue.rise(id, self.scene.now);
                }
            }
            Event::Settle(at) => {
                if let Some(grant) = self.take_out(&at) {
                    self.scene.settle(&grant);
                    self.done += 1;
                }
            }
            Event::GiveBack(at) => {
                if let Some(grant) = self.take_out(&at) {
                    self.scene.queue.give_back(&grant, self.scene.now);
                    self.done += 1;
                }
            }
            Event::Retry(at) => {
                if let Some(grant) = self.take_out(&at) {
                    self.retry(grant);
                }
            }
            Event::Advance(ms) => self.advance(ms),
            Event::Turn(stance) => self.scene.take_stance(stance),
        }
        self.collect();
        let survived = was == Stance::Scout && settles;
        let stance = self.scene.queue.stance();
        assert!(turns || *stance == was || survived && *stance == Stance::Admit);
    }

    fn enter(&mut self, route: Option<u64>, bytes: usize, patience_ms: u64) {
        let kind = route.map_or(Kind::Plain, |route| Kind::Handshake { route });
        let arrival =
            Arrival { kind, bytes, deadline: self.scene.now + Duration::from_millis(patience_ms) };
        self.entered += 1;
        // The model's waiter must be the arrival number, which is the count of everything so far.
        let id = self.scene.queue.next;
        let waiter = u32::try_from(id).unwrap();
        match self.scene.queue.enter(arrival, self.scene.now, || waiter) {
            Entered::Admitted(grant) => {
                assert_ne!(self.scene.queue.stance(), &Stance::Hold);
                assert!(arrival.deadline > self.scene.now);
                let overtakes = kind != Kind::Plain && !self.fresh.is_empty();
                assert!(!overtakes, "a newcomer overtook one that waits");
                self.out.push(grant);
            }
            Entered::Refused(_) => self.done += 1,
            Entered::Held(held) => {
                assert_eq!(held, id);
                self.held.insert(id, (bytes, arrival.deadline));
                if route.is_some() {
                    self.fresh.push_back(id);
                }
            }
        }
    }

    fn retry(&mut self, grant: Grant) {
        let id = grant.entrant.id;
        let account = (grant.entrant.bytes, grant.entrant.deadline);
        let waiter = u32::try_from(id).unwrap();
        match self.scene.retry(waiter, grant) {
            Retried::GivenUp(_) => self.done += 1,
            Retried::Rests { .. } => {
                self.held.insert(id, account);
                self.resting.insert(id);
            }
        }
    }

    /// Time passes, and the shell's timers fire.
    fn advance(&mut self, ms: u64) {
        self.scene.now += Duration::from_millis(ms);
        let now = self.scene.now;
        let late =
            |(id, (_, deadline)): (&u64, &(usize, Instant))| (*deadline <= now).then_some(*id);
        let late: Vec<u64> = self.held.iter().filter_map(late).collect();
        for id in late {
            assert!(self.scene.queue.expire(id, now));
            self.finish(id);
        }
    }

    /// Takes the answers, each of which must be the first for one that is held.
    fn collect(&mut self) {
        let stance = self.scene.queue.stance().clone();
        let mut last_fresh = None;
        for (waiter, answer) in self.scene.answers() {
            let id = u64::from(waiter);
            let is_fresh = self.fresh.contains(&id);
            let (_, deadline) = self.held[&id];
            self.finish(id);
            let Ok(grant) = answer else { continue };
            self.done -= 1;
            assert_ne!(stance, Stance::Hold, "admitted in a hold");
            assert!(!matches!(stance, Stance::Refuse(_)), "admitted while refusing");
            assert!(deadline > self.scene.now, "admitted too late");
            if is_fresh && stance == Stance::Admit {
                assert!(last_fresh < Some(id), "out of order");
                let waits_longer = self.fresh.front().is_some_and(|first| *first < id);
                assert!(!waits_longer, "one that came earlier still waits");
                last_fresh = Some(id);
            }
            self.out.push(grant);
        }
        self.check_accounts();
    }

    /// Everybody who entered is held, out, or done: nobody is lost and nobody counts twice.
    fn check_accounts(&self) {
        let counts = self.scene.queue.counts();
        assert_eq!(counts.held, self.held.len());
        let bytes: usize = self.held.values().map(|(bytes, _)| bytes).sum();
        assert_eq!(counts.held_bytes, bytes);
        let under_way = self.held.len() + self.out.len();
        assert_eq!(self.entered, self.done + u64::try_from(under_way).unwrap());
    }

    fn check_bounds(&self) {
        let queue = &self.scene.queue;
        let limits = &self.limits;
        let (counts, out) = (queue.counts(), &self.out);
        assert!(counts.held <= limits.held_max);
        assert!(counts.held_bytes <= limits.held_bytes_max);
        let slots = out.iter().filter(|g| g.seat.takes_slot()).count();
        assert_eq!(counts.handing_over, slots);
        assert!(slots <= limits.handovers_max.max(1));
        let scouts = out.iter().filter(|g| g.seat == Seat::Scout).count();
        assert_eq!(queue.scouts.count(), scouts);
        assert!(scouts <= limits.scouts_max.max(1));
        for grant in out {
            assert!(grant.entrant.tries_in(grant.era) <= limits.tries_max.max(1));
        }
    }

    /// Whenever a seat is free, nobody waits who could take it.
    fn check_wake_ups(&self) {
        let queue = &self.scene.queue;
        if queue.open_seat().is_some() {
            assert_eq!(queue.waiting.first_turn(), None);
        }
        if matches!(queue.stance(), Stance::Scout | Stance::Admit) {
            assert_eq!(queue.waiting.first_plain(), None);
        }
    }

    /// One that was held has its one outcome.
    fn finish(&mut self, id: u64) {
        assert!(self.held.remove(&id).is_some(), "a second answer");
        self.resting.remove(&id);
        self.fresh.retain(|fresh| *fresh != id);
        self.done += 1;
    }

    fn take_out(&mut self, at: &Index) -> Option<Grant> {
        let count = self.out.len();
        (count > 0).then(|| self.out.swap_remove(at.index(count)))
    }

    /// Everybody gets the answer, and everything comes back to nothing.
    fn end(mut self) {
        while let Some(grant) = self.out.pop() {
            self.scene.queue.give_back(&grant, self.scene.now);
            self.done += 1;
            self.collect();
        }
        self.advance(10_000);
        assert_eq!(self.entered, self.done);
        assert_eq!(self.scene.queue.counts().handing_over, 0);
        assert_eq!(self.scene.queue.counts().held, 0);
        assert_eq!(self.scene.queue.counts().held_bytes, 0);
    }
}

fn pick<'a>(at: &Index, mut ids: impl ExactSizeIterator<Item = &'a u64>) -> Option<u64> {
    let count = ids.len();
    (count > 0).then(|| ids.nth(at.index(count)).copied())?
}

proptest! {
    #[test]
    fn invariant_1_nobody_is_admitted_while_the_gate_holds(
        events in events(), limits in tight_limits(),
    ) {
        let mut model = Model::new(limits);
        for event in events {
            let turns = matches!(event, Event::Turn(_));
            let holds = model.scene.queue.stance() == &Stance::Hold;
            let admitted = model.scene.queue.counts().admitted_total;
            model.play(event);
            if holds && !turns {
                prop_assert_eq!(model.scene.queue.counts().admitted_total, admitted);
            }
        }
    }

    #[test]
    fn invariant_2_everybody_gets_exactly_one_answer_in_time(
        events in events(), limits in tight_limits(),
    ) {
        let mut model = Model::new(limits);
        events.into_iter().for_each(|event| model.play(event));
        model.end();
    }

    #[test]
    fn invariant_3_bounds_hold_whatever_arrives(events in events(), limits in tight_limits()) {
        let mut model = Model::new(limits);
        for event in events {
            model.play(event);
            model.check_bounds();
        }
        model.end();
    }

    #[test]
    fn no_wake_up_is_lost(events in events(), limits in tight_limits()) {
        let mut model = Model::new(limits);
        for event in events {
            model.play(event);
            model.check_wake_ups();
        }
    }
}
