//! Breaks what many do at once with every order that chance finds.
//!
//! What is explored: the real types, run by shuttle, which decides at each await, each yield and each of its own
//! locks who goes on; clients that are dropped at any of these points; and a clock that only the model moves, so
//! that a deadline may come between any two steps. A schedule in which somebody waits for ever is found as a
//! deadlock. A failure prints the schedule, which `shuttle::replay` runs again.
//!
//! What is not: orders within one call. The types' own locks are the standard library's, where shuttle can't
//! step in; a call that takes one is a single step here. What threads do to each other inside a call is broken by
//! `invariant_3_no_slot_is_lost_when_threads_race_over_drops_and_grants`, and memory orderings are tokio's.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests say what they expect by unwrapping")]

#[path = "models/breaker.rs"]
mod breaker;
#[path = "models/flight.rs"]
mod flight;
#[path = "models/gate.rs"]
mod gate;
#[path = "models/startup.rs"]
mod startup;

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use shuttle::future::yield_now;
use shuttle::rand::{Rng, thread_rng};
use tokio::runtime::{Builder, Runtime};

/// The time of a model, and whatever it spawns: both go on only when the model lets them.
#[derive(Clone)]
struct World(Arc<Runtime>);

impl World {
    /// Lets so much time pass at once.
    fn passes(&self, time: Duration) {
        self.0.block_on(async {
            tokio::time::advance(time).await;
            for _ in 0..4 {
                tokio::task::yield_now().await;
            }
        });
    }
}

/// Runs `model` in as many random orders.
fn explore(orders: usize, model: impl Fn(World) + Send + Sync + 'static) {
    let one = move || {
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
        let world = World(Arc::new(runtime.unwrap()));
        let _entered = world.0.enter();
        model(world.clone());
    };
    shuttle::check_random(one, orders);
}

fn chance(below: usize) -> usize {
    thread_rng().gen_range(0..below)
}

/// Somebody who waits, and leaves after so many of their turns.
async fn leaving<T>(turns: usize, wait: impl Future<Output = T>) -> Option<T> {
    let mut wait = Box::pin(wait);
    for _ in 0..turns {
        let polled = poll_fn(|context| Poll::Ready(wait.as_mut().poll(context))).await;
        if let Poll::Ready(answer) = polled {
            return Some(answer);
        }
        yield_now().await;
    }
    None
}
