//! Breaks permits and places: clients come, hold, try again and leave, while stances and time change.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use shuttle::future::{block_on, spawn, yield_now};
use tokio::time::Instant;
use vestibule::gate::{Arrival, Gate, Kind, Limits, Permit, Refusal, Stance};

use super::{World, chance, explore, leaving};

const SLOTS: usize = 2;

/// What the clients did, by their own account.
#[derive(Default)]
struct Tally {
    /// Permits that are held now.
    out: AtomicUsize,
    retried: AtomicU64,
}

#[test]
fn no_permit_and_no_place_is_lost_in_any_order() {
    explore(1_000, |world| block_on(crowd(world)));
}

async fn crowd(world: World) {
    let limits = Limits { held_max: 4, handovers_max: SLOTS, ..Limits::default() };
    let gate = Gate::new(limits);
    let tally = Arc::<Tally>::default();
    let clients = (0..5).map(|route| spawn(client(gate.clone(), route, Arc::clone(&tally))));
    let mut tasks: Vec<_> = clients.collect();
    tasks.push(spawn(moods(gate.clone(), world)));
    let mut came = 0;
    for task in tasks {
        came += task.await.unwrap();
    }
    let counts = gate.counts();
    assert_eq!((counts.held, counts.held_bytes, counts.handing_over), (0, 0, 0));
    // Whoever tries again may be refused, or leave, after having been admitted.
    let told = counts.admitted_total + counts.refused_total.total() + counts.left_total;
    let retried = tally.retried.load(Ordering::SeqCst);
    assert!((came..=came + retried).contains(&told), "{came} came: {counts:?}");
    // Every slot is there for those who come later.
    gate.take_stance(Stance::Admit);
    let mut permits = Vec::new();
    for route in 0..SLOTS as u64 {
        permits.push(gate.admit(arrival(route)).await.unwrap());
    }
}

fn arrival(route: u64) -> Arrival {
    let deadline = Instant::now() + Duration::from_millis(300);
    Arrival { kind: Kind::Handshake { route }, bytes: 100, deadline, client: None }
}

/// One client; it may leave at any point. Answers whether it came.
async fn client(gate: Gate, route: u64, tally: Arc<Tally>) -> u64 {
    let wait = gate.admit(arrival(route % 2));
    let turns = chance(12);
    let answer = if turns < 6 { leaving(turns, wait).await } else { Some(wait.await) };
    if let Some(Ok(permit)) = answer {
        hand_over(permit, &tally).await;
    }
    // A wait that is dropped before its first turn has never come.
    u64::from(turns > 0)
}

async fn hand_over(permit: Permit, tally: &Tally) {
    let mut held = Held::new(permit, &tally.out);
    for _ in 0..3 {
        yield_now().await;
        let Some(permit) = held.permit.take() else { return };
        match chance(5) {
            0 => drop(permit),
            1 => permit.answered(),
            2 => drop(permit.settled()),
            3 => {
                // Its slot goes with the first turn, and what it gets then is not counted.
                drop(held);
                tally.retried.fetch_add(1, Ordering::SeqCst);
                drop(leaving(chance(4), permit.retry()).await);
                return;
            }
            _ => {
                held.permit = Some(permit);
                continue;
            }
        }
        return;
    }
}

/// A permit that is out, counted.
struct Held<'a> {
    permit: Option<Permit>,
    out: &'a AtomicUsize,
}

impl<'a> Held<'a> {
    fn new(permit: Permit, out: &'a AtomicUsize) -> Self {
        assert!(out.fetch_add(1, Ordering::SeqCst) < SLOTS, "more permits than slots");
        Self { permit: Some(permit), out }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.out.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The gate's stances change, and time passes.
async fn moods(gate: Gate, world: World) -> u64 {
    for _ in 0..4 {
        let stance = match chance(4) {
            0 => Stance::Hold,
            1 => Stance::Scout,
            2 => Stance::Refuse(Refusal::BreakerOpen),
            _ => Stance::Admit,
        };
        gate.take_stance(stance);
        yield_now().await;
        world.passes(Duration::from_millis(chance(120) as u64));
        yield_now().await;
    }
    // Whoever is still there has their deadline.
    for _ in 0..20 {
        world.passes(Duration::from_millis(100));
        yield_now().await;
    }
    0
}
