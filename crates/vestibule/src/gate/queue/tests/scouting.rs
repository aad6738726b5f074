//! Breaks the time while the upstream is young: crowds on broken routes, survivors, survivors of a dead upstream.

use super::*;

#[test]
fn scouts_that_differ_in_route_go_first() {
    let mut scene = Scene::new(limits());
    for (name, route) in [(1, 7), (2, 7), (3, 7), (4, 7), (5, 8), (6, 9)] {
        scene.hold(name, route);
    }
    scene.take_stance(Stance::Scout);
    assert_eq!(names(&scene.admitted()), [1, 5, 6, 2]);
}

#[test]
fn a_scout_that_did_not_settle_goes_to_the_back_and_is_tried_without_end() {
    let limits = Limits { scouts_max: 1, ..limits() };
    let mut scene = Scene::new(limits);
    (1..=3).for_each(|name| {
        scene.hold(name, 7);
    });
    scene.take_stance(Stance::Scout);
    let mut order = Vec::new();
    for _ in 0..300 {
        let (name, grant) = scene.admitted().pop().unwrap();
        order.push(name);
        scene.retry_and_rise(name, grant);
    }
    assert_eq!(order[..6], [1, 2, 3, 1, 2, 3]);
    assert_eq!(scene.queue.counts().retries_total, 300);
    assert_eq!(scene.queue.counts().admitted_total, 3);
}

#[test]
fn a_route_ready_behind_a_crowd_on_a_broken_one_is_found() {
    let mut scene = Scene::new(limits());
    (1..=40).for_each(|name| {
        scene.hold(name, 7);
    });
    scene.hold(41, 8);
    scene.take_stance(Stance::Scout);
    let admitted = scene.admitted();
    assert_eq!(names(&admitted), [1, 41, 2, 3]);
}

#[test]
fn a_survivor_releases_everybody_in_order_of_arrival_even_those_that_scouted() {
    let mut scene = Scene::new(limits());
    (1..=8).for_each(|name| {
        scene.hold(name, 7);
    });
    scene.take_stance(Stance::Scout);
    let mut scouts = scene.admitted();
    let (first, grant) = scouts.remove(0);
    let Retried::Rests { id, .. } = scene.retry(first, grant) else {
        panic!("the first scout has no further try");
    };
    let (second, grant) = scouts.remove(0);
    scene.retry_and_rise(second, grant);
    scouts.extend(scene.admitted());
    assert_eq!(names(&scouts), [3, 4, 5, 6]);
    let (_, survivor) = scouts.remove(0);
    scene.settle(&survivor);
    assert_eq!(scene.queue.stance(), &Stance::Admit);
    assert_eq!(names(&scene.admitted()), [2, 7, 8]);
    scene.queue.rise(id, scene.now);
    assert_eq!(names(&scene.admitted()), [1]);
}

#[test]
fn a_survivor_of_the_time_before_a_restart_releases_nobody() {
    let mut scene = Scene::new(limits());
    scene.take_stance(Stance::Scout);
    let old_scout = scene.pass(7);
    scene.take_stance(Stance::Admit);
    let old_hand_over = scene.pass(7);
    scene.take_stance(Stance::Hold);
    scene.take_stance(Stance::Scout);
    scene.settle(&old_scout);
    scene.settle(&old_hand_over);
    assert_eq!(scene.queue.stance(), &Stance::Scout);
    let scout = scene.pass(7);
    scene.settle(&scout);
    assert_eq!(scene.queue.stance(), &Stance::Admit);
}

#[test]
fn an_answer_that_proves_nothing_leaves_the_stance() {
    let mut scene = Scene::new(limits());
    scene.take_stance(Stance::Scout);
    let scout = scene.pass(7);
    scene.queue.give_back(&scout, scene.now);
    assert_eq!(scene.queue.stance(), &Stance::Scout);
    assert_eq!(scene.queue.counts().handing_over, 0);
}

/// Breaks if what hung in a warm time keeps its slots when the service falls: no scout could go.
#[test]
fn hand_overs_of_a_warm_time_give_their_slots_to_scouts() {
    let mut scene = Scene::new(Limits { handovers_max: 2, ..limits() });
    scene.take_stance(Stance::Admit);
    let mut hanging = [scene.pass(7), scene.pass(7)];
    scene.take_stance(Stance::Scout);
    scene.hold(1, 8);
    for grant in &mut hanging {
        assert!(scene.queue.give_way(grant, scene.now));
    }
    assert_eq!(names(&scene.admitted()), [1]);
    assert_eq!(scene.queue.counts().handing_over, 1);
}

/// Runs a young upstream that is silent on every route but `works`, in steps of the time that a scout may be silent;
/// a try lasts four of them, and twice as long after each silence. Answers how many steps that route waited.
fn steps_until_tried(scene: &mut Scene, works: u32, steps_max: u32) -> Option<u32> {
    let mut out: Vec<(u32, u32, Grant)> = Vec::new();
    for step in 0..steps_max {
        let mut back = Vec::new();
        for (name, began, mut grant) in std::mem::take(&mut out) {
            if step - began >= 4 << grant.entrant.tries.saturating_sub(1) {
                back.push((name, grant));
            } else {
                scene.queue.give_way(&mut grant, scene.now);
                out.push((name, began, grant));
            }
        }
        for (name, grant) in back {
            scene.retry_and_rise(name, grant);
        }
        for (name, grant) in scene.admitted() {
            if name == works {
                return Some(step);
            }
            out.push((name, step, grant));
        }
        let counts = scene.queue.counts();
        assert!(counts.handing_over <= 32, "{counts:?}");
    }
    None
}

/// Twenty routes that hang, and one that works behind them: five rooms of four.
#[test]
fn a_route_that_works_waits_no_longer_than_each_of_those_before_it_may_be_silent() {
    for hanging in [4, 20, 45] {
        let mut scene = Scene::new(limits());
        (0..hanging).for_each(|route| {
            scene.hold(route, route.into());
        });
        scene.hold(1_000, 1_000);
        scene.take_stance(Stance::Scout);
        let waited = steps_until_tried(&mut scene, 1_000, 100);
        assert_eq!(waited, Some(hanging / 4), "{hanging}");
    }
}

/// Breaks if routes that hang, tried over and over and for longer each time, take what newcomers need.
#[test]
fn a_newcomer_never_waits_for_routes_that_were_met_with_silence() {
    for steps in [3, 10, 40, 200] {
        let mut scene = Scene::new(limits());
        (0..45).for_each(|route| {
            scene.hold(route, route.into());
        });
        scene.take_stance(Stance::Scout);
        assert_eq!(steps_until_tried(&mut scene, 1_000, 12 + steps), None);
        assert!(matches!(
            scene.enter(1_000, Kind::Handshake { route: 1_000 }),
            Entered::Admitted(_)
        ));
    }
}

/// A service that is silent to everything on its only path is asked by a handful at a time.
#[test]
fn a_service_that_is_silent_to_everything_is_not_stormed() {
    let mut scene = Scene::new(limits());
    (0..50).for_each(|name| {
        scene.hold(name, 7);
    });
    scene.take_stance(Stance::Scout);
    assert_eq!(steps_until_tried(&mut scene, 1_000, 400), None);
    let counts = scene.queue.counts();
    assert!(counts.handing_over <= 4, "{counts:?}");
    // Three at a time for 400 steps, of which each client's first try takes four, its second eight, and so on.
    assert!(counts.admitted_total + counts.retries_total <= 4 + 3 * 400 / 4, "{counts:?}");
}
