//! Breaks the choice with crowds on one route, with routes that were all tried, and with routes that hang.

use super::*;

/// A room of four, and as many hand-overs as by default.
fn scouts() -> Scouts {
    Scouts::new(&Limits::default())
}

#[test]
fn routes_that_differ_go_first_then_those_not_out_then_the_head() {
    let mut scouts = scouts();
    let line = [(1, 7), (2, 7), (3, 8), (4, 9)];
    let pick = |scouts: &Scouts| scouts.pick(line.into_iter());
    assert_eq!(pick(&scouts), Some(1));
    scouts.send(1, 7);
    assert_eq!(pick(&scouts), Some(3));
    scouts.note_tried(0, 8);
    assert_eq!(pick(&scouts), Some(4));
    scouts.send(4, 9);
    assert_eq!(pick(&scouts), Some(3));
    scouts.send(3, 8);
    assert_eq!(pick(&scouts), Some(1));
    scouts.welcome(1);
    assert_eq!(scouts.count(), (2, 0));
    assert_eq!(scouts.pick(std::iter::empty()), None);
}

#[test]
fn memory_of_tried_and_of_silent_routes_is_bounded() {
    let mut scouts = scouts();
    (0..100).for_each(|route| scouts.note_tried(route, route));
    assert_eq!(scouts.tried, [96, 97, 98, 99]);
    scouts.note_tried(97, 97);
    assert_eq!(scouts.tried, [96, 98, 99, 97]);
    for id in 0..2_000 {
        scouts.send(id, id);
        scouts.fall_silent(id, true);
        scouts.welcome(id);
    }
    let SilentRoutes { known, order } = &scouts.silent;
    assert_eq!((known.len(), order.len()), (SILENT_ROUTES_MAX, SILENT_ROUTES_MAX));
    assert!(!scouts.silent.has(975) && scouts.silent.has(976));
    scouts.forget_tried();
    assert!(scouts.silent.known.is_empty() && scouts.silent.order.is_empty());
}

#[test]
fn a_silent_scout_makes_room_once_and_a_route_that_goes_again_for_one_only() {
    let mut scouts = scouts();
    for (id, route) in [(1, 7), (2, 7), (3, 8), (4, 9)] {
        scouts.send(id, route);
    }
    assert!(!scouts.has_room());
    assert!(scouts.fall_silent(1, true));
    assert!(!scouts.fall_silent(1, true));
    assert!(scouts.fall_silent(2, true));
    assert_eq!(scouts.count(), (2, 2));
    let once_more = |scouts: &mut Scouts, id| {
        scouts.send(id, 7);
        scouts.fall_silent(id, true)
    };
    assert!(once_more(&mut scouts, 5));
    assert!(!once_more(&mut scouts, 6));
    assert_eq!(scouts.count(), (3, 3));
}

/// Breaks if routes that hang can take what is kept for others.
#[test]
fn silent_routes_have_half_of_the_room_and_leave_what_first_tries_need() {
    let mut scouts = scouts();
    let line = |from: u64| (from..from + 100).map(|route| (route, route));
    line(0).for_each(|(id, route)| {
        scouts.send(id, route);
        scouts.fall_silent(id, true);
        scouts.welcome(id);
    });
    let mut sent = 0;
    while let Some(id) = scouts.pick(line(0)) {
        scouts.send(id, id);
        scouts.fall_silent(id, true);
        sent += 1;
        assert!(sent < 50, "no bound");
    }
    assert_eq!((sent, scouts.count()), (18, (2, 16)));
    assert!(!scouts.has_room_for(50) && scouts.has_room_for(200));
    // Three rooms of first tries still leave, and half of a room goes on.
    for (id, route) in line(200).take(12) {
        assert!(scouts.has_room_for(route));
        scouts.send(id, route);
        assert!(scouts.fall_silent(id, true));
    }
    assert_eq!((scouts.pick(line(300)), scouts.count()), (Some(300), (2, 28)));
}

#[test]
fn a_route_that_answers_again_is_silent_no_more_and_old_silence_says_nothing() {
    let mut scouts = scouts();
    scouts.send(1, 7);
    scouts.fall_silent(1, true);
    scouts.note_tried(1, 7);
    scouts.welcome(1);
    assert_eq!(scouts.rank(7), Rank::Silent);
    scouts.send(1, 7);
    scouts.note_tried(1, 7);
    scouts.welcome(1);
    assert_eq!(scouts.rank(7), Rank::Tried);
    scouts.send(2, 8);
    assert!(scouts.fall_silent(2, false));
    scouts.welcome(2);
    assert_eq!(scouts.rank(8), Rank::New);
}
