//! Breaks the bounds on retries: routes broken by a bug, warm services in trouble, restarts in between.

use super::*;

#[test]
fn a_route_broken_by_a_bug_gets_its_last_answer_after_three_tries_while_others_survive() {
    let mut scene = Scene::new(limits());
    scene.hold(1, 66);
    scene.hold(2, 7);
    scene.take_stance(Stance::Scout);
    let mut scouts = scene.admitted();
    let (_, survivor) = scouts.pop().unwrap();
    let (broken, mut grant) = scouts.pop().unwrap();
    for _ in 0..20 {
        scene.retry_and_rise(broken, grant);
        (_, grant) = scene.admitted().pop().unwrap();
    }
    scene.settle(&survivor);
    for _ in 0..3 {
        scene.retry_and_rise(broken, grant);
        (_, grant) = scene.admitted().pop().unwrap();
    }
    let last = scene.retry(broken, grant);
    assert!(matches!(last, Retried::GivenUp(GiveUp::LastAnswer)));
    assert_eq!(scene.queue.counts().handing_over, 0);
}

#[test]
fn a_retry_while_others_survive_goes_behind_those_that_wait() {
    let limits = Limits { handovers_max: 1, ..limits() };
    let mut scene = Scene::new(limits);
    scene.take_stance(Stance::Admit);
    let grant = scene.pass(7);
    scene.hold(2, 7);
    scene.hold(3, 7);
    let Retried::Rests { id, .. } = scene.retry(1, grant) else {
        panic!("no further try");
    };
    scene.queue.rise(id, scene.now);
    scene.hold(4, 7);
    let mut order = Vec::new();
    for _ in 0..4 {
        let (name, grant) = scene.admitted().pop().unwrap();
        order.push(name);
        scene.settle(&grant);
    }
    assert_eq!(order, [2, 3, 1, 4]);
}

#[test]
fn retries_of_a_warm_service_come_from_the_budget() {
    let mut scene = Scene::new(limits());
    scene.take_stance(Stance::Admit);
    let mut given_up = 0;
    for name in 0..40 {
        let grant = scene.pass(7);
        match scene.retry(name, grant) {
            Retried::Rests { id, .. } => assert!(scene.queue.leave(id, scene.now)),
            Retried::GivenUp(GiveUp::LastAnswer) => given_up += 1,
            Retried::GivenUp(other) => panic!("{other}"),
        }
    }
    // Ten from the floor, and a fifth of forty.
    assert_eq!(given_up, 40 - 10 - 8);
}

#[test]
fn scout_retries_leave_the_budget_alone() {
    let mut scene = Scene::new(limits());
    scene.hold(1, 7);
    scene.hold(2, 8);
    scene.take_stance(Stance::Scout);
    let mut scouts = scene.admitted();
    let (_, survivor) = scouts.pop().unwrap();
    for _ in 0..50 {
        let (name, grant) = scouts.pop().unwrap();
        scene.retry_and_rise(name, grant);
        scouts = scene.admitted();
    }
    scene.settle(&survivor);
    let grants: Vec<_> = (0..10).map(|_| scene.pass(7)).collect();
    for grant in grants {
        assert!(matches!(scene.retry(9, grant), Retried::Rests { .. }));
    }
}

#[test]
fn an_upstream_that_restarts_makes_those_that_wait_to_retry_wait_on() {
    let mut scene = Scene::new(limits());
    scene.take_stance(Stance::Admit);
    let grant = scene.pass(7);
    scene.take_stance(Stance::Hold);
    scene.retry_and_rise(1, grant);
    assert!(scene.answers().is_empty());
    scene.take_stance(Stance::Scout);
    let (name, grant) = scene.admitted().pop().unwrap();
    assert_eq!((name, grant.seat, grant.entrant.tries), (1, Seat::Scout, 2));
}

#[test]
fn a_plain_request_whose_dial_was_refused_has_three_tries() {
    let mut scene = Scene::new(limits());
    scene.take_stance(Stance::Admit);
    let Entered::Admitted(mut grant) = scene.enter(1, Kind::Plain) else {
        panic!("not admitted");
    };
    for _ in 0..2 {
        scene.retry_and_rise(1, grant);
        (_, grant) = scene.admitted().pop().unwrap();
    }
    let last = scene.retry(1, grant);
    assert!(matches!(last, Retried::GivenUp(GiveUp::LastAnswer)));
}

#[test]
fn retries_earn_no_retries() {
    let mut scene = Scene::new(Limits { tries_max: 1_000, ..limits() });
    scene.take_stance(Stance::Admit);
    let mut grant = scene.pass(7);
    let mut retries = 0;
    while let Retried::Rests { id, .. } = scene.retry(1, grant) {
        retries += 1;
        scene.queue.rise(id, scene.now);
        (_, grant) = scene.admitted().pop().unwrap();
    }
    assert_eq!(retries, 10);
}

#[test]
fn a_scout_that_rested_when_the_survivor_came_keeps_its_place_by_arrival() {
    let mut scene = Scene::new(Limits { handovers_max: 2, ..limits() });
    (1..=5).for_each(|name| {
        scene.hold(name, 7);
    });
    scene.take_stance(Stance::Scout);
    let mut scouts = scene.admitted();
    let (_, survivor) = scouts.pop().unwrap();
    let (first, grant) = scouts.pop().unwrap();
    let Retried::Rests { id, .. } = scene.retry(first, grant) else {
        panic!("the first scout has no further try");
    };
    scene.settle(&survivor);
    let mut flying = scene.admitted();
    assert_eq!(names(&flying), [3, 4]);
    scene.queue.rise(id, scene.now);
    let (_, grant) = flying.remove(0);
    scene.settle(&grant);
    assert_eq!(names(&scene.admitted()), [1]);
}
