//! Breaks the gate's shell: deadlines, futures dropped at every point, refusals in mid-rest. Paused time.

use std::time::Duration;

use super::*;
use crate::readiness::Failure;

fn arrival(seconds: u64) -> Arrival {
    Arrival {
        kind: Kind::Handshake { route: 7 },
        bytes: 100,
        client: None,
        deadline: Instant::now() + Duration::from_secs(seconds),
    }
}

fn gate(stance: Stance) -> Gate {
    let gate = Gate::new(Limits::default());
    gate.take_stance(stance);
    gate
}

/// Lets every task run until it waits.
async fn settle_down() {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn invariant_2_a_held_client_is_refused_at_its_deadline_and_not_later() {
    let gate = gate(Stance::Hold);
    let began = Instant::now();
    let answer = gate.admit(arrival(20)).await;
    assert_eq!(answer.unwrap_err(), Refusal::Deadline);
    assert_eq!(began.elapsed(), Duration::from_secs(20));
    assert_eq!(gate.counts().held, 0);
    assert_eq!(gate.counts().refused_total.of(&Refusal::Deadline), 1);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_future_frees_its_place_at_once() {
    let gate = gate(Stance::Hold);
    let held = tokio::spawn({
        let gate = gate.clone();
        async move { gate.admit(arrival(60)).await }
    });
    settle_down().await;
    assert_eq!((gate.counts().held, gate.counts().held_bytes), (1, 100));
    held.abort();
    settle_down().await;
    assert_eq!((gate.counts().held, gate.counts().held_bytes), (0, 0));
    assert_eq!(gate.counts().left_total, 1);
}

#[tokio::test(start_paused = true)]
async fn a_future_dropped_between_its_answer_and_its_next_poll_gives_the_slot_back() {
    let gate = gate(Stance::Hold);
    let mut held = Box::pin(gate.admit(arrival(60)));
    tokio::select! {
        biased;
        _ = &mut held => panic!("admitted in a hold"),
        () = settle_down() => {}
    }
    gate.take_stance(Stance::Admit);
    assert_eq!(gate.counts().handing_over, 1);
    drop(held);
    assert_eq!(gate.counts().handing_over, 0);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_answers_all_that_are_held_at_once() {
    let gate = gate(Stance::Hold);
    let began = Instant::now();
    let held: Vec<_> = (0..100)
        .map(|_| {
            let gate = gate.clone();
            tokio::spawn(async move { gate.admit(arrival(60)).await })
        })
        .collect();
    settle_down().await;
    let refusal = Refusal::Failed(Failure::new("the child exited"));
    gate.take_stance(Stance::Refuse(refusal.clone()));
    for task in held {
        assert_eq!(task.await.unwrap().unwrap_err(), refusal);
    }
    assert_eq!(began.elapsed(), Duration::ZERO);
    assert_eq!(gate.counts().refused_total.total(), 100);
}

#[tokio::test(start_paused = true)]
async fn a_warm_gate_admits_on_the_first_poll() {
    let gate = gate(Stance::Admit);
    let mut admitted = Box::pin(gate.admit(arrival(60)));
    let polled =
        std::future::poll_fn(|cx| std::task::Poll::Ready(admitted.as_mut().poll(cx))).await;
    let std::task::Poll::Ready(Ok(permit)) = polled else {
        panic!("a warm gate made a client wait");
    };
    assert_eq!(gate.counts().handing_over, 1);
    assert!(!permit.is_scout());
    permit.answered();
    assert_eq!(gate.counts().handing_over, 0);
}

#[tokio::test(start_paused = true)]
async fn a_scout_rests_between_tries_until_its_deadline_and_frees_its_slot() {
    let gate = gate(Stance::Scout);
    let began = Instant::now();
    let mut permit = gate.admit(arrival(10)).await.unwrap();
    let mut tries = 0;
    let give_up = loop {
        assert!(permit.is_scout());
        tries += 1;
        assert_eq!(permit.tries(), tries);
        let before = Instant::now();
        match permit.retry().await {
            Ok(next) => permit = next,
            Err(give_up) => break give_up,
        }
        let rest = before.elapsed();
        assert!(rest >= Duration::from_millis(25), "{rest:?}");
        assert!(rest <= Duration::from_millis(101), "{rest:?}");
        assert_eq!(permit.waited(Instant::now()), began.elapsed());
    };
    assert_eq!(give_up, GiveUp::Refused(Refusal::Deadline));
    assert_eq!(began.elapsed(), Duration::from_secs(10));
    assert!((99..=400).contains(&tries), "{tries}");
    assert_eq!((gate.counts().handing_over, gate.counts().held), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_ends_a_rest_and_a_dropped_rest_frees_its_place() {
    let gate = gate(Stance::Scout);
    let rest = |gate: Gate| async move { gate.admit(arrival(10)).await.unwrap().retry().await };
    let dropped = tokio::spawn(rest(gate.clone()));
    settle_down().await;
    assert_eq!(gate.counts().held, 1);
    dropped.abort();
    settle_down().await;
    assert_eq!(gate.counts().held, 0);

    let began = Instant::now();
    let refused = tokio::spawn(rest(gate.clone()));
    settle_down().await;
    gate.take_stance(Stance::Refuse(Refusal::Draining));
    let give_up = refused.await.unwrap().unwrap_err();
    assert_eq!(give_up, GiveUp::Refused(Refusal::Draining));
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_survivor_releases_the_queue_and_the_release_is_reported() {
    let gate = gate(Stance::Hold);
    let mut releases = gate.on_release();
    let held: Vec<_> = (0..500)
        .map(|_| {
            let gate = gate.clone();
            tokio::spawn(async move {
                let permit = gate.admit(arrival(60)).await.unwrap();
                tokio::time::sleep(Duration::from_millis(100)).await;
                permit.settled();
            })
        })
        .collect();
    settle_down().await;
    assert_eq!(gate.counts().held, 500);
    gate.take_stance(Stance::Scout);
    for task in held {
        task.await.unwrap();
    }
    assert_eq!(gate.stance(), Stance::Admit);
    releases.changed().await.unwrap();
    let report = releases.borrow().clone();
    assert_eq!(report.total, 1);
    assert_eq!(report.last.unwrap().admitted, 496);
    assert_eq!(gate.counts().settled_total, 500);
    assert_eq!((gate.counts().handing_over, gate.counts().held), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn invariant_3_no_slot_is_lost_when_threads_race_over_drops_and_grants() {
    let gate = Gate::new(Limits { handovers_max: 3, ..Limits::default() });
    gate.take_stance(Stance::Admit);
    let tasks: Vec<_> = (0..400_u32)
        .map(|turn| {
            let gate = gate.clone();
            tokio::spawn(async move {
                let mut admitted = Box::pin(gate.admit(arrival(60)));
                for _ in 0..turn % 7 {
                    tokio::select! {
                        biased;
                        permit = &mut admitted => {
                            tokio::task::yield_now().await;
                            return drop(permit);
                        }
                        () = tokio::task::yield_now() => {}
                    }
                }
                if turn % 3 != 0 {
                    drop(admitted.await);
                }
            })
        })
        .collect();
    for task in tasks {
        tokio::time::timeout(Duration::from_secs(20), task).await.unwrap().unwrap();
    }
    assert_eq!((gate.counts().handing_over, gate.counts().held), (0, 0));
    assert_eq!(gate.counts().refused_total.total(), 0);
}
