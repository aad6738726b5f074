//! Breaks the single flight: whoever leads a pass leaves at any point, and nobody's pass is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use shuttle::future::{block_on, spawn, yield_now};
use tokio::time::Instant;
use vestibule::check::{self, Checked, Spec, Trouble};
use vestibule::environment::{Name, Platform};
use vestibule::timeouts::Factors;
use vestibule::validation::Validation;

use super::{World, chance, explore, leaving};

/// A check that takes 30 ms and counts how often it was asked.
fn counted(asked: &Arc<AtomicU32>) -> Validation {
    let asked = Arc::clone(asked);
    let ask = move || {
        asked.fetch_add(1, Ordering::SeqCst);
        async {
            tokio::time::sleep_until(Instant::now() + Duration::from_millis(30)).await;
            Ok::<_, Trouble>("pong")
        }
    };
    let checked = Checked::new(Spec::new("db"), check::from_fn(ask));
    Validation::new(vec![checked], Factors::derive(Name::Production, Platform::CloudRun))
}

/// Time passes and what was spawned goes on, until everybody has their answer.
async fn drives(world: World, over: Arc<AtomicBool>) {
    while !over.load(Ordering::SeqCst) {
        world.passes(Duration::from_millis(10));
        yield_now().await;
    }
}

async fn wants(validation: Validation, since: Instant) {
    let wait = validation.validated_since(since);
    match chance(2) {
        0 => drop(leaving(chance(6), wait).await),
        _ => assert!(wait.await.is_ready()),
    }
}

#[test]
fn one_pass_serves_everybody_whoever_of_them_leaves_in_any_order() {
    explore(800, |world| {
        block_on(async {
            let (asked, over) = <(Arc<AtomicU32>, Arc<AtomicBool>)>::default();
            let validation = counted(&asked);
            let driver = spawn(drives(world, Arc::clone(&over)));
            let since = Instant::now();
            let crowd: Vec<_> = (0..4).map(|_| spawn(wants(validation.clone(), since))).collect();
            for one in crowd {
                one.await.unwrap();
            }
            // The last of all to come, so that it was asked.
            assert!(validation.validated_since(since).await.is_ready());
            assert_eq!(asked.load(Ordering::SeqCst), 1);
            over.store(true, Ordering::SeqCst);
            driver.await.unwrap();
        });
    });
}

#[test]
fn a_keeper_that_stops_takes_nobodys_pass_with_it_in_any_order() {
    explore(800, |world| {
        block_on(async {
            let (asked, over) = <(Arc<AtomicU32>, Arc<AtomicBool>)>::default();
            let validation = counted(&asked);
            let driver = spawn(drives(world, Arc::clone(&over)));
            let since = Instant::now();
            let keeper = {
                let validation = validation.clone();
                spawn(async move { leaving(chance(12), validation.keep()).await })
            };
            let again = {
                let validation = validation.clone();
                spawn(async move {
                    yield_now().await;
                    if chance(2) == 0 {
                        validation.begin_again();
                    }
                })
            };
            let crowd: Vec<_> = (0..3).map(|_| spawn(wants(validation.clone(), since))).collect();
            again.await.unwrap();
            keeper.await.unwrap();
            for one in crowd {
                one.await.unwrap();
            }
            assert!(validation.validated_since(since).await.is_ready());
            assert!(asked.load(Ordering::SeqCst) <= 4);
            over.store(true, Ordering::SeqCst);
            driver.await.unwrap();
        });
    });
}
