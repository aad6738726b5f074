//! Breaks bounds that change while clients are held: they must throw nobody out and leave nobody waiting for
//! room that is there.

use super::*;

fn with(limits: Limits, change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = limits;
    change(&mut limits);
    limits
}

#[test]
fn f25_fewer_places_are_for_those_to_come() {
    let mut scene = Scene::new(Limits::default());
    for name in 0..3 {
        scene.hold(name, 1);
    }
    let fewer = with(Limits::default(), |limits| limits.held_max = 2);
    scene.queue.set_limits(fewer, scene.now);
    assert!(scene.answers().is_empty(), "somebody was thrown out");
    assert_eq!(scene.queue.counts().held, 3);
    let newcomer = scene.enter(9, Kind::Handshake { route: 1 });
    assert!(matches!(newcomer, Entered::Refused(Refusal::QueueFull)), "{newcomer:?}");
}

#[test]
fn more_places_and_more_bytes_are_there_at_once() {
    let limits = with(Limits::default(), |limits| limits.held_max = 1);
    let mut scene = Scene::new(limits);
    scene.hold(1, 1);
    scene.queue.set_limits(Limits::default(), scene.now);
    scene.hold(2, 1);
    let tight = with(Limits::default(), |limits| limits.held_bytes_max = 200);
    scene.queue.set_limits(tight, scene.now);
    let newcomer = scene.enter(3, Kind::Handshake { route: 1 });
    assert!(matches!(newcomer, Entered::Refused(Refusal::QueueFull)), "{newcomer:?}");
}

#[test]
fn more_slots_go_to_those_in_line_at_once_and_none_counts_as_one() {
    let one = with(Limits::default(), |limits| limits.handovers_max = 1);
    let mut scene = Scene::new(one);
    scene.take_stance(Stance::Admit);
    let _grant = scene.pass(1);
    for name in 1..=3 {
        scene.hold(name, 1);
    }
    let three = with(Limits::default(), |limits| limits.handovers_max = 3);
    scene.queue.set_limits(three, scene.now);
    let admitted: Vec<u32> = scene.admitted().into_iter().map(|(name, _)| name).collect();
    assert_eq!(admitted, [1, 2]);
    let none = with(Limits::default(), |limits| limits.handovers_max = 0);
    scene.queue.set_limits(none, scene.now);
    assert!(matches!(scene.enter(4, Kind::Handshake { route: 1 }), Entered::Held(_)));
}
