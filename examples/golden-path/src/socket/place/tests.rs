//! A socket's place, against whatever a bus and a store may do.

use std::collections::VecDeque;

use uuid::Uuid;

use super::*;
use crate::event::Outcome;

fn event(id: i64) -> Event {
    let what = What::AgentThinking { text: format!("thought {id}") };
    Event { id, thread: Uuid::nil(), run: None, at_ms: 0, what }
}

fn events(ids: impl IntoIterator<Item = i64>) -> Vec<Event> {
    ids.into_iter().map(event).collect()
}

fn written(place: &mut Place) -> Vec<i64> {
    std::iter::from_fn(|| place.next()).map(|told| told.id).collect()
}

/// What a store that has `newest` events answers.
fn stored(after: i64, newest: i64) -> Vec<Event> {
    events(after + 1..=newest.min(after + PAGE))
}

/// Breaks if a gap is written over, or if what closes it is written twice.
#[test]
fn a_gap_is_read_from_the_store() {
    let mut place = Place::behind(4);
    assert_eq!(place.question(), Some(4));
    assert_eq!(place.page(&[]), Brought::Nothing);
    place.heard(&event(6), "c");
    assert!(!place.has_next(), "5 is missing");
    assert_eq!(place.question(), Some(4));
    place.heard(&event(5), "c");
    assert_eq!(place.page(&events([5, 6])), Brought::News);
    assert_eq!(written(&mut place), [5, 6]);
    assert!(place.is_caught_up());
}

/// Breaks if an answer that is older than what was heard meanwhile counts as all there is.
#[test]
fn what_is_heard_during_a_question_is_asked_for_again() {
    let mut place = Place::behind(0);
    assert_eq!(place.question(), Some(0));
    place.heard(&event(2), "c");
    assert_eq!(place.page(&[]), Brought::Nothing, "read before 1 was stored");
    assert_eq!(place.question(), Some(0));
    place.page(&events([1, 2]));
    assert_eq!(written(&mut place), [1, 2]);
    assert!(place.is_caught_up());
}

/// Breaks if a signal about what was never stored makes us ask for ever.
#[test]
fn a_number_that_is_not_stored_is_asked_for_once() {
    let mut place = Place::behind(0);
    place.heard(&event(i64::MAX), "c");
    assert_eq!(place.question(), Some(0));
    assert_eq!(place.page(&[]), Brought::Nothing);
    assert_eq!(place.question(), None);
}

/// Breaks if a store with a hole makes us leave an event out, or ask for ever.
#[test]
fn a_hole_in_the_store_is_not_written_over() {
    let mut place = Place::behind(0);
    assert_eq!(place.question(), Some(0));
    assert_eq!(place.page(&events([1, 3])), Brought::News);
    assert_eq!(written(&mut place), [1]);
    assert_eq!(place.question(), Some(1));
    assert_eq!(place.page(&events([3])), Brought::Nothing);
    assert_eq!(place.question(), None, "the next heartbeat asks");
}

/// Breaks if a reader who stops makes the line grow: what does not fit is left to the store.
#[test]
fn what_waits_for_a_slow_reader_is_bounded() {
    let mut place = Place::behind(0);
    place.question();
    place.page(&[]);
    let large = |id| {
        let what = What::AgentText { offset: 0, text: "x".repeat(30_000) };
        Event { what, ..event(id) }
    };
    for id in 1..=1000 {
        place.heard(&large(id), "c");
    }
    assert!(place.bytes < LINE_BYTES + 31_000, "{}", place.bytes);
    assert_eq!(place.question(), None, "not before the line is written");
    let first = written(&mut place);
    let after = place.question().expect("the others are left");
    assert_eq!(Some(&after), first.last());
    assert_eq!(place.bytes, 0);
}

/// Breaks if the end of a run is not known as such, or not by what began it.
#[test]
fn the_end_of_a_run_carries_its_correlation() {
    let mut place = Place::behind(0);
    let what = What::AgentCompleted { outcome: Outcome::Completed, text: String::new() };
    place.heard(&Event { what, ..event(1) }, "handshake");
    place.heard(&event(2), "handshake");
    assert_eq!(place.next().and_then(|told| told.ends).as_deref(), Some("handshake"));
    assert_eq!(place.next().and_then(|told| told.ends), None);
}

/// Breaks if any order, loss or doubling of signals, with answers of the store in between, makes an event go out
/// twice, out of order, or not at all. A failure prints the seed.
#[test]
fn every_event_goes_out_once_and_in_order_whatever_happens() {
    for seed in 0..4000 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let (begin, mut newest) = (rng.i64(0..50), 0);
        newest += begin + rng.i64(0..100);
        let mut place = Place::behind(begin);
        let mut bus: VecDeque<i64> = VecDeque::new();
        let mut asked: Option<Vec<Event>> = None;
        let mut out = Vec::new();
        for _ in 0..rng.usize(1..400) {
            match rng.u8(0..12) {
                0..=2 => {
                    newest += 1;
                    bus.push_back(newest);
                }
                3 => drop(bus.pop_front()),
                4 => bus.extend(bus.front().copied()),
                5 => rng.shuffle(bus.make_contiguous()),
                6 => place.doubt(),
                7 | 8 => {
                    if let Some(id) = bus.pop_front() {
                        place.heard(&event(id), "c");
                    }
                }
                9 => {
                    // What the answer has is fixed when the store reads, long before it comes.
                    if let Some(after) = place.question() {
                        asked = Some(stored(after, newest));
                    }
                }
                10 => match asked.take() {
                    Some(_) if rng.u8(0..4) == 0 => place.no_page(),
                    Some(page) => drop(place.page(&page)),
                    None => {}
                },
                _ => out.extend(place.next().map(|told| told.id)),
            }
        }
        // Silence, and the heartbeat's look: everything comes.
        if let Some(page) = asked.take() {
            place.page(&page);
        }
        place.doubt();
        for _ in 0..1000 {
            out.extend(written(&mut place));
            let Some(after) = place.question() else { break };
            place.page(&stored(after, newest));
        }
        assert!(place.is_caught_up(), "seed {seed}");
        let expected: Vec<i64> = (begin + 1..=newest).collect();
        assert_eq!(out, expected, "seed {seed}");
    }
}
