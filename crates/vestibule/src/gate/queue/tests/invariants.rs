//! Breaks the gate's invariants with random sequences of everything that can happen to it: arrivals, leavings,
//! deadlines, survivors, failures, restarts, refusals, in any order and at any time. A model beside the queue
//! keeps account of every entrant.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroUsize;

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

#[derive(Clone, Debug)]
enum Event {
    Enter { route: Option<u64>, client: Option<u8>, bytes: usize, patience_ms: u64 },
    GiveWay(Index),
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
        8 => newcomer(),
        3 => any::<Index>().prop_map(Event::GiveWay),
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

fn newcomer() -> impl Strategy<Value = Event> {
    let route = proptest::option::weighted(0.8, 0..4_u64);
    let client = proptest::option::weighted(0.8, 0..3_u8);
    (route, client, 0..400_usize, 0..2_000_u64).prop_map(|(route, client, bytes, patience_ms)| {
        Event::Enter { route, client, bytes, patience_ms }
    })
}

fn tight_limits() -> impl Strategy<Value = Limits> {
    let held = (0..12_usize, 0..2_000_usize, 0..4_usize);
    (held, 0..9_usize, 0..4_usize, 0..4_u32).prop_map(
        |((held_max, held_bytes_max, per_client), handovers_max, scouts_max, tries_max)| Limits {
            held_max,
            held_bytes_max,
            held_per_client_max: NonZeroUsize::new(per_client),
            handovers_max,
            scouts_max,
            tries_max,
            retry_share: 0.2,
        },
    )
}

/// What the model knows of one that is held.
#[derive(Clone, Copy)]
struct Account {
    bytes: usize,
    client: Option<ClientKey>,
    deadline: Instant,
}

/// The queue, and an account of everybody beside it. A waiter is the arrival number of its entrant.
struct Model {
    scene: Scene,
    limits: Limits,
    /// Held; their deadlines are the shell's timers.
    held: BTreeMap<u64, Account>,
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
            Event::Enter { route, client, bytes, patience_ms } => {
                self.enter(route, client, bytes, patience_ms);
            }
            Event::GiveWay(at) => {
                let count = self.out.len();
                if count > 0 {
                    let grant = &mut self.out[at.index(count)];
                    self.scene.queue.give_way(grant, self.scene.now);
                }
            }
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

    fn enter(&mut self, route: Option<u64>, client: Option<u8>, bytes: usize, patience_ms: u64) {
        let kind = route.map_or(Kind::Plain, |route| Kind::Handshake { route });
        let client = client.map(|last| IpAddr::from(Ipv4Addr::new(192, 0, 2, last)).into());
        let deadline = self.scene.now + Duration::from_millis(patience_ms);
        let arrival = Arrival { kind, bytes, client, deadline };
        let could_go =
            self.scene.queue.open_seat().and_then(|seat| self.scene.queue.next_turn(seat));
        self.entered += 1;
        // The model's waiter must be the arrival number, which is the count of everything so far.
        let id = self.scene.queue.next;
        let waiter = u32::try_from(id).unwrap();
        match self.scene.queue.enter(arrival, self.scene.now, || waiter) {
            Entered::Admitted(grant) => {
                assert_ne!(self.scene.queue.stance(), &Stance::Hold);
                assert!(arrival.deadline > self.scene.now);
                let is_young = self.scene.queue.stance() == &Stance::Scout;
                let overtakes = kind != Kind::Plain && !self.fresh.is_empty() && !is_young;
                assert!(!overtakes && could_go.is_none(), "a newcomer overtook one that waits");
                self.out.push(grant);
            }
            Entered::Refused(_) => self.done += 1,
            Entered::Held(held) => {
                assert_eq!(held, id);
                self.held.insert(id, Account { bytes, client, deadline });
                if route.is_some() {
                    self.fresh.push_back(id);
                }
            }
        }
    }

    fn retry(&mut self, grant: Grant) {
        let id = grant.entrant.id;
        let Entrant { bytes, client, deadline, .. } = grant.entrant;
        let account = Account { bytes, client, deadline };
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
        let late = |(id, account): (&u64, &Account)| (account.deadline <= now).then_some(*id);
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
            let deadline = self.held[&id].deadline;
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
        let bytes: usize = self.held.values().map(|account| account.bytes).sum();
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
        let (in_room, left) = queue.scouts.count();
        assert_eq!(in_room + left, scouts);
        assert!(in_room <= limits.scouts_max.max(1));
        self.check_places();
        for grant in out {
            assert!(grant.entrant.tries_in(grant.era) <= limits.tries_max.max(1));
        }
    }

    /// Whoever is held, rests or is out as a scout has one place, and nobody else has; and no client has more
    /// than its share of them.
    fn check_places(&self) {
        let scouts = self.out.iter().filter(|grant| grant.seat == Seat::Scout);
        let scouts = scouts.map(|grant| (grant.entrant.bytes, grant.entrant.client));
        let held = self.held.values().map(|account| (account.bytes, account.client));
        let all: Vec<_> = held.chain(scouts).collect();
        let (taken, bytes, shares) = self.scene.queue.places.books();
        assert_eq!((taken, bytes), (all.len(), all.iter().map(|(bytes, _)| bytes).sum()));
        assert!(taken <= self.limits.held_max && bytes <= self.limits.held_bytes_max);
        let mut wanted = HashMap::new();
        for client in all.iter().filter_map(|(_, client)| *client) {
            *wanted.entry(client).or_insert(0) += 1;
        }
        if let Some(most) = self.limits.held_per_client_max {
            assert!(shares.values().all(|share| *share <= most.get()));
        }
        assert_eq!(shares, &wanted);
    }

    /// Whenever a seat is free, nobody waits who could take it.
    fn check_wake_ups(&self) {
        let queue = &self.scene.queue;
        if let Some(seat) = queue.open_seat() {
            assert_eq!(queue.next_turn(seat), None);
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
        let (taken, bytes, shares) = self.scene.queue.places.books();
        assert_eq!((taken, bytes, shares.len()), (0, 0, 0));
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
