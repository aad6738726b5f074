//! Breaks the share of one client: crowds from one address, scouts and rests that must count, clients without one.

use std::net::IpAddr;
use std::num::NonZeroUsize;

use super::*;

fn scene(share: usize) -> Scene {
    Scene::new(Limits { held_per_client_max: NonZeroUsize::new(share), ..limits() })
}

impl Scene {
    /// A handshake from this address.
    fn enter_from(&mut self, name: u32, address: Option<&str>, route: u64) -> Entered {
        let client = address.map(|address| address.parse::<IpAddr>().unwrap().into());
        let arrival = Arrival { client, ..self.arrival(Kind::Handshake { route }) };
        self.queue.enter(arrival, self.now, || name)
    }

    fn shares(&self) -> usize {
        self.queue.places.books().2.len()
    }
}

fn is_over_its_share(entered: &Entered) -> bool {
    matches!(entered, Entered::Refused(Refusal::ClientShare))
}

#[test]
fn a19_one_address_that_wants_every_place_leaves_room_for_another() {
    let mut scene = scene(5);
    let mut refused = 0;
    for name in 0..500 {
        refused += u32::from(is_over_its_share(&scene.enter_from(name, Some("192.0.2.7"), 7)));
    }
    assert_eq!((refused, scene.queue.counts().held), (495, 5));
    assert_eq!(scene.queue.counts().refused_total.of(&Refusal::ClientShare), 495);
    for name in 0..5 {
        assert!(matches!(scene.enter_from(name, Some("192.0.2.8"), 7), Entered::Held(_)));
    }
    // An IPv6 host may change its address as it likes.
    for name in 0..5 {
        let address = format!("2001:db8::{name}");
        assert!(matches!(scene.enter_from(name, Some(&address), 7), Entered::Held(_)));
    }
    assert!(is_over_its_share(&scene.enter_from(9, Some("2001:db8::9"), 7)));
    assert_eq!(scene.shares(), 3);
}

#[test]
fn whoever_has_no_address_has_no_share_and_a_full_queue_is_said_to_be_full() {
    let mut scene = scene(1);
    for name in 0..50 {
        assert!(matches!(scene.enter_from(name, None, 7), Entered::Held(_)));
    }
    for address in [None, Some("192.0.2.7")] {
        let entered = scene.enter_from(99, address, 7);
        assert!(matches!(entered, Entered::Refused(Refusal::QueueFull)));
    }
    assert_eq!(scene.shares(), 0);
}

/// Breaks if a client gets a place more by being tried.
#[test]
fn scouts_and_those_that_rest_are_part_of_their_clients_share() {
    let mut scene = scene(2);
    scene.take_stance(Stance::Scout);
    let out: Vec<_> = (0..2)
        .map(|name| match scene.enter_from(name, Some("192.0.2.7"), 7) {
            Entered::Admitted(grant) => grant,
            other => panic!("not admitted: {other:?}"),
        })
        .collect();
    assert!(is_over_its_share(&scene.enter_from(3, Some("192.0.2.7"), 8)));
    for grant in out {
        assert!(matches!(scene.retry(4, grant), Retried::Rests { .. }));
        assert!(is_over_its_share(&scene.enter_from(5, Some("192.0.2.7"), 8)));
    }
    scene.take_stance(Stance::Refuse(Refusal::Draining));
    assert_eq!(scene.shares(), 0);
}

/// Breaks if those that came before there was a limit are not counted, or leave as if they had been.
#[test]
fn a_limit_that_comes_later_counts_those_that_are_there() {
    let mut scene = scene(0);
    let mut ids = Vec::new();
    for name in 0..4 {
        match scene.enter_from(name, Some("192.0.2.7"), 7) {
            Entered::Held(id) => ids.push(id),
            other => panic!("not held: {other:?}"),
        }
    }
    let limits = Limits { held_per_client_max: NonZeroUsize::new(2), ..limits() };
    scene.queue.set_limits(limits, scene.now);
    assert!(is_over_its_share(&scene.enter_from(4, Some("192.0.2.7"), 7)));
    for id in ids.drain(..3) {
        assert!(scene.queue.leave(id, scene.now));
    }
    assert!(matches!(scene.enter_from(5, Some("192.0.2.7"), 7), Entered::Held(_)));
    assert!(is_over_its_share(&scene.enter_from(6, Some("192.0.2.7"), 7)));
}

#[test]
fn a_warm_gate_counts_only_those_that_wait_for_a_slot() {
    let limits = Limits { handovers_max: 3, held_per_client_max: NonZeroUsize::new(1), ..limits() };
    let mut scene = Scene::new(limits);
    scene.take_stance(Stance::Admit);
    for name in 0..3 {
        assert!(matches!(scene.enter_from(name, Some("::1"), 7), Entered::Admitted(_)));
    }
    assert!(matches!(scene.enter_from(3, Some("::1"), 7), Entered::Held(_)));
    assert!(is_over_its_share(&scene.enter_from(4, Some("::1"), 7)));
}
