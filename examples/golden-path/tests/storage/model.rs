//! Random walks on two stores of one database, beside a model that does the same in memory.
//!
//! Breaks whatever the model does not foresee: each answer must be the model's. A failure names its seed and step.

use std::collections::HashMap;

use fastrand::Rng;
use golden_path::event::{Event, RunId, ThreadId, UserId, What};
use golden_path::store::{Accepted, AppendError, Claim, Lease, NewMessage, Store};
use uuid::Uuid;

use crate::ground::{Ground, claim, completed, events, said, somebody, thinking};

on_both! {
    random_walks_answer_as_the_model_does,
}

const WALKS: u64 = 4;
const STEPS: u64 = 150;
const INSTANCES: [&str; 3] = ["one", "two", "three"];

async fn random_walks_answer_as_the_model_does(ground: &Ground) {
    let stores = [ground.open().await, ground.open().await];
    for seed in 0..WALKS {
        let mut walk = Walk::begin(&stores[0], seed).await;
        for step in 0..STEPS {
            walk.at = format!("seed {seed}, step {step}");
            let store = &stores[walk.random.usize(..2)];
            walk.step(store).await;
        }
        for user in walk.users() {
            let told: Vec<Event> = walk.told(user).collect();
            assert_eq!(events(&stores[0], user).await, told, "seed {seed}");
            let open = walk.runs.values().filter(|run| run.lease.user == user && !run.ended);
            let open = i64::try_from(open.count()).unwrap();
            assert_eq!(stores[1].open_runs(user).await.unwrap(), open, "seed {seed}");
        }
        // What one walk leaves open must not be due in the next.
        for lease in stores[0].take_over(claim("end", i64::MAX, i64::MAX)).await.unwrap() {
            stores[0].append(&lease, &completed()).await.unwrap();
        }
    }
}

/// The model, and what was given out.
struct Walk {
    random: Rng,
    at: String,
    now_ms: i64,
    people: Vec<(UserId, ThreadId)>,
    messages: Vec<Uuid>,
    events: Vec<(UserId, Event)>,
    runs: HashMap<RunId, Run>,
    leases: Vec<Lease>,
}

struct Run {
    lease: Lease,
    instance: Option<&'static str>,
    until_ms: i64,
    last: Option<(i64, Event)>,
    cancelled: bool,
    ended: bool,
}

impl Walk {
    async fn begin(store: &Store, seed: u64) -> Self {
        let mut people = Vec::new();
        for name in ["ann", "bob"] {
            people.push(somebody(store, &format!("{name} {seed}")).await);
        }
        Self {
            random: Rng::with_seed(seed),
            at: String::new(),
            now_ms: 0,
            people,
            messages: (0..25).map(|_| Uuid::new_v4()).collect(),
            events: Vec::new(),
            runs: HashMap::new(),
            leases: Vec::new(),
        }
    }

    async fn step(&mut self, store: &Store) {
        self.now_ms += self.random.i64(0..5);
        match self.random.u8(..20) {
            0..6 => self.accept(store).await,
            6..14 => self.append(store).await,
            14..16 => self.take_over(store).await,
            16..18 => self.renew(store).await,
            18 => self.cancel(store).await,
            _ => self.release(store).await,
        }
    }

    async fn accept(&mut self, store: &Store) {
        let (user, own) = self.people[self.random.usize(..2)];
        let thread =
            if self.random.u8(..8) == 0 { self.people[self.random.usize(..2)].1 } else { own };
        let message = self.messages[self.random.usize(..self.messages.len())];
        let instance = self.instance();
        let until_ms = self.now_ms + self.random.i64(1..30);
        let new = NewMessage { instance, until_ms, ..said(user, thread, message) };
        let before = self.told(user).find(|event| {
            matches!(event.what, What::UserMessage { message: said, .. } if said == message)
        });
        let answer = store.accept(new).await.unwrap();
        match (answer, before) {
            (Accepted::Again(event), Some(before)) => assert_eq!(event, before, "{}", self.at),
            (Accepted::NoSuchThread, None) => assert_ne!(thread, own, "{}", self.at),
            (Accepted::New { event, lease }, None) => {
                assert_eq!((event.id, thread), (self.next(user), own), "{}", self.at);
                assert_eq!((lease.answers, lease.epoch), (event.id, 1), "{}", self.at);
                self.events.push((user, event));
                self.leases.push(lease.clone());
                let run = Run {
                    lease,
                    instance: Some(instance),
                    until_ms,
                    last: None,
                    cancelled: false,
                    ended: false,
                };
                self.runs.insert(run.lease.run, run);
            }
            other => panic!("{}: {other:?}", self.at),
        }
    }

    async fn append(&mut self, store: &Store) {
        let Some(lease) = self.random.choice(&self.leases).cloned() else { return };
        let what = match self.random.u8(..8) {
            0..4 => thinking("a"),
            4..7 => thinking("b"),
            _ => completed(),
        };
        let next = self.next(lease.user);
        let run = self.runs.get_mut(&lease.run).unwrap();
        let is_newest = run.lease.epoch == lease.epoch;
        let again =
            run.last.as_ref().filter(|(epoch, last)| *epoch == lease.epoch && last.what == what);
        match (store.append(&lease, &what).await, again) {
            (Ok(event), Some((_, last))) if is_newest => assert_eq!(event, *last, "{}", self.at),
            (Ok(event), None) if is_newest && !run.ended => {
                assert_eq!((event.id, event.run), (next, Some(lease.run)), "{}", self.at);
                run.ended = matches!(what, What::AgentCompleted { .. });
                run.last = Some((lease.epoch, event.clone()));
                self.events.push((lease.user, event));
            }
            (Err(AppendError::NotOurs), None) if !is_newest || run.ended => {}
            (Err(AppendError::NotOurs), Some(_)) if !is_newest => {}
            other => panic!("{}: {other:?}", self.at),
        }
    }

    async fn take_over(&mut self, store: &Store) {
        let instance = self.instance();
        let until_ms = self.now_ms + self.random.i64(1..30);
        let at_most = self.random.usize(..4);
        let mut due: Vec<&mut Run> = self.runs.values_mut().collect();
        due.retain(|run| !run.ended && run.until_ms <= self.now_ms);
        due.sort_by_key(|run| (run.until_ms, run.lease.run));
        due.truncate(at_most);
        let mut expected = Vec::new();
        for run in due {
            run.lease.epoch += 1;
            (run.instance, run.until_ms) = (Some(instance), until_ms);
            expected.push(Lease { is_cancelled: run.cancelled, ..run.lease.clone() });
        }
        let at_most = i64::try_from(at_most).unwrap();
        let some = Claim { at_most, ..claim(instance, self.now_ms, until_ms) };
        let mut taken = store.take_over(some).await.unwrap();
        taken.sort_by_key(|lease| lease.run);
        expected.sort_by_key(|lease| lease.run);
        assert_eq!(taken, expected, "{}", self.at);
        self.leases.extend(taken);
    }

    async fn renew(&mut self, store: &Store) {
        let instance = self.instance();
        let until_ms = self.now_ms + self.random.i64(1..30);
        let all: Vec<RunId> = self.runs.keys().copied().collect();
        let some = self.random.choose_multiple(all, 5);
        let mut expected = Vec::new();
        for run in &some {
            let run = self.runs.get_mut(run).unwrap();
            if run.instance == Some(instance) && !run.ended {
                run.until_ms = until_ms;
                expected.extend(run.cancelled.then_some(run.lease.run));
            }
        }
        expected.sort_unstable();
        assert_eq!(store.renew(instance, &some, until_ms).await.unwrap(), expected, "{}", self.at);
    }

    async fn cancel(&mut self, store: &Store) {
        let (user, _) = self.people[self.random.usize(..2)];
        let Some(lease) = self.random.choice(&self.leases).cloned() else { return };
        let run = self.runs.get_mut(&lease.run).unwrap();
        let is_open = lease.user == user && !run.ended;
        run.cancelled |= is_open;
        assert_eq!(store.ask_cancel(user, lease.run).await.unwrap(), is_open, "{}", self.at);
    }

    async fn release(&mut self, store: &Store) {
        let instance = self.instance();
        store.release(instance).await.unwrap();
        let mut runs = self.runs.values_mut();
        while let Some(run) = runs.find(|run| run.instance == Some(instance) && !run.ended) {
            (run.instance, run.until_ms) = (None, 0);
        }
    }

    fn instance(&mut self) -> &'static str {
        INSTANCES[self.random.usize(..INSTANCES.len())]
    }

    fn users(&self) -> Vec<UserId> {
        self.people.iter().map(|(user, _)| *user).collect()
    }

    fn told(&self, user: UserId) -> impl Iterator<Item = Event> {
        let events = self.events.iter().filter(move |(whose, _)| *whose == user);
        events.map(|(_, event)| event.clone())
    }

    fn next(&self, user: UserId) -> i64 {
        1 + i64::try_from(self.told(user).count()).unwrap()
    }
}
