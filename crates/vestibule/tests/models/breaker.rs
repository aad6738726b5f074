//! Breaks one breaker that many ask at once, with leaves that are lost.

use std::sync::Arc;
use std::time::Duration;

use shuttle::sync::Mutex;
use shuttle::thread;
use tokio::time::Instant;
use vestibule::breaker::{Breaker, FAILURES_MAX, Leave, OPEN, State};

use super::{chance, explore};

const LEASE: Duration = Duration::from_millis(500);

/// A breaker, and until when each probe has its lease.
#[derive(Default)]
struct Guarded {
    breaker: Breaker,
    probes: Vec<Instant>,
}

#[test]
fn one_probe_goes_at_a_time_in_any_order_and_a_lost_one_wedges_nothing() {
    explore(1_000, |world| {
        let guarded = Arc::new(Mutex::new(Guarded::default()));
        let tries = (0..4).map(|_| {
            let guarded = Arc::clone(&guarded);
            thread::spawn(move || (0..4).for_each(|_| one_try(&guarded)))
        });
        let mut threads: Vec<_> = tries.collect();
        let clock = world.clone();
        threads.push(thread::spawn(move || {
            for _ in 0..6 {
                clock.passes(Duration::from_millis(chance(800) as u64));
                thread::yield_now();
            }
        }));
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        world.passes(OPEN.cap + LEASE);
        let mut guarded = guarded.lock().unwrap();
        assert!(guarded.breaker.ask(Instant::now(), LEASE).is_ok());
        let gone = guarded.breaker.transitions();
        assert_eq!(
            gone.open_to_half_open.abs_diff(gone.half_open_to_closed + gone.half_open_to_open),
            u64::from(matches!(guarded.breaker.state(), State::HalfOpen { .. }))
        );
    });
}

fn one_try(guarded: &Mutex<Guarded>) {
    let leave = {
        let mut guarded = guarded.lock().unwrap();
        let (now, ends) = (Instant::now(), Instant::now() + LEASE);
        let Ok(leave) = guarded.breaker.ask(now, LEASE) else { return };
        if matches!(guarded.breaker.state(), State::HalfOpen { .. }) {
            guarded.probes.retain(|ends| *ends > now);
            assert!(guarded.probes.is_empty(), "two probes at a time");
            guarded.probes.push(ends);
        }
        leave
    };
    thread::yield_now();
    end(&mut guarded.lock().unwrap(), leave);
}

fn end(guarded: &mut Guarded, leave: Leave) {
    let chance = chance(6);
    if chance == 0 {
        return;
    }
    let before = guarded.breaker.state();
    let trip = guarded.breaker.record(leave, chance == 1, Instant::now(), 0.5, OPEN.cap);
    assert!(trip.is_none_or(|trip| trip.failures >= FAILURES_MAX));
    if guarded.breaker.state() != before {
        guarded.probes.clear();
    }
}
