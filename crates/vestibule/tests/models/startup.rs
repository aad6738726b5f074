//! Breaks the waits for a start that goes on, fails, begins again or is dropped, with waiters who leave.

use std::time::Duration;

use shuttle::future::{block_on, spawn, yield_now};
use tokio::time::Instant;
use vestibule::startup::{self, NotReached, Phase, Phases, Publisher, Watch};

use super::{chance, explore, leaving};

const STEPS: [Phase; 4] = [Phase::DATABASE, Phase::CACHE, Phase::WEBSOCKET, Phase::COMPLETE];

#[test]
fn every_wait_for_a_phase_ends_and_tells_the_truth_in_any_order() {
    explore(2_000, |_world| {
        block_on(async {
            let (publisher, watch) = startup::channel("the model", Phases::default());
            let waits: Vec<_> = (0..4).map(|_| spawn(wait(watch.clone()))).collect();
            let starts = spawn(start(publisher));
            for wait in waits {
                wait.await.unwrap();
            }
            starts.await.unwrap();
            // Nobody is left in between: it is complete, or it has failed.
            let timeline = watch.timeline();
            assert!(timeline.is_complete() != timeline.failure().is_some());
        });
    });
}

async fn start(publisher: Publisher) {
    for step in STEPS {
        yield_now().await;
        match chance(8) {
            0 => return,
            1 => drop(publisher.fail("no")),
            2 => publisher.restart(),
            _ => {}
        }
        // Refused after a failure.
        let _ = publisher.enter(step);
    }
}

async fn wait(mut watch: Watch) {
    let phase = STEPS[chance(STEPS.len())];
    let own = watch.clone();
    // No time passes in this model: only the publisher ends a wait.
    let answer = watch.wait_for(phase, Instant::now() + Duration::from_secs(1));
    let answer = match chance(3) {
        0 => leaving(chance(5), answer).await,
        _ => Some(answer.await),
    };
    match answer {
        Some(Ok(())) => assert_eq!(own.timeline().has_reached(phase), Some(true)),
        Some(Err(NotReached::Failed(_))) => assert!(own.timeline().failure().is_some()),
        Some(Err(NotReached::Gone { .. })) => assert!(own.timeline().failure().is_none()),
        Some(Err(other)) => panic!("{other:?}"),
        None => {}
    }
}
