//! Breaks the frame follower if it loses its place: by random frames cut at random places, compared
//! with offsets that are known from building them, and by bytes that are no frames at all.

use proptest::collection::vec;
use proptest::prelude::*;
use vestibule_front::tunnel::frames::{CloseSeen, Follower};

use crate::wire::{Frame, boundaries, chunks, frames, stream};

fn after(bytes: &[u8]) -> Follower {
    let mut follower = Follower::new();
    follower.follow(bytes);
    follower
}

proptest! {
    #[test]
    fn boundaries_are_where_the_frames_end(
        frames in any::<bool>().prop_flat_map(|masked| frames(masked, 12)),
        sizes in vec(1..400_usize, 1..8),
    ) {
        let (bytes, ends) = (stream(&frames), boundaries(&frames));
        let mut follower = Follower::new();
        let mut at = 0;
        for chunk in chunks(&bytes, &sizes) {
            let next = ends.iter().find(|&&end| end >= at).unwrap() - at;
            prop_assert_eq!(follower.bytes_to_boundary(chunk), next.min(chunk.len()));
            prop_assert_eq!(follower.bytes_to_boundary(&bytes[at..]), next);
            follower.follow(chunk);
            at += chunk.len();
            prop_assert_eq!(follower.at_boundary(), ends.contains(&at), "at {}", at);
        }
        prop_assert_eq!(at, bytes.len());
        prop_assert_eq!(follower.data_frames(), frames.iter().filter(|frame| frame.opcode < 8).count() as u64);
        prop_assert_eq!(follower.close_seen(), None);
    }

    #[test]
    fn a_close_is_seen_from_its_first_byte_and_read_by_its_fourth(
        before in any::<bool>().prop_flat_map(|masked| frames(masked, 4)),
        code in 0..5000_u16,
        key in any::<Option<[u8; 4]>>(),
        reason in vec(any::<u8>(), 0..=123),
    ) {
        let mut close = Frame::close(code, key);
        close.payload.extend(reason);
        let (before, close) = (stream(&before), close.bytes());
        let known = 4 + if key.is_some() { 4 } else { 0 };
        let mut follower = after(&before);
        for (passed, byte) in close.iter().enumerate() {
            let seen = (passed > 0).then_some(CloseSeen { code: (passed >= known).then_some(code) });
            prop_assert_eq!(follower.close_seen(), seen);
            prop_assert!(!follower.close_passed());
            follower.follow(&[*byte]);
        }
        prop_assert!(follower.close_passed() && follower.at_boundary());
        prop_assert_eq!(follower.close_seen(), Some(CloseSeen { code: Some(code) }));
        prop_assert_eq!(after(&[before, close].concat()), follower);
    }

    #[test]
    fn any_bytes_have_a_position_that_does_not_depend_on_chunks(
        bytes in vec(any::<u8>(), 0..600),
        sizes in vec(1..40_usize, 1..8),
    ) {
        let mut follower = Follower::new();
        for chunk in chunks(&bytes, &sizes) {
            let within = follower.bytes_to_boundary(chunk);
            prop_assert!(within <= chunk.len());
            let ahead = after_all(&follower, &chunk[..within]);
            prop_assert!(ahead.at_boundary() || within == chunk.len());
            follower.follow(chunk);
        }
        prop_assert_eq!(follower, after(&bytes));
    }
}

fn after_all(from: &Follower, bytes: &[u8]) -> Follower {
    let mut follower = from.clone();
    follower.follow(bytes);
    follower
}

#[test]
fn a_close_without_a_code_has_none_and_the_next_frame_lends_it_none() {
    let follower = after(&[0x88, 0, 0x88, 2, 3, 232]);
    assert_eq!(follower.close_seen(), Some(CloseSeen { code: None }));
    assert_eq!(after(&[0x88, 1, 3, 0x81, 1, 9]).close_seen(), Some(CloseSeen { code: None }));
}

#[test]
fn the_largest_length_is_only_a_large_number() {
    let mut header = vec![0x82, 127];
    header.extend([0xff; 8]);
    let mut follower = after(&header);
    assert_eq!(follower.remaining_in_frame(), u64::MAX);
    follower.follow(&[0; 1000]);
    assert_eq!(follower.remaining_in_frame(), u64::MAX - 1000);
    assert_eq!(follower.bytes_to_boundary(&[0; 50]), 50);
}

#[test]
fn what_is_left_of_a_frame_is_known_once_its_header_has_passed() {
    let bytes = Frame { payload: vec![7; 300], ..Frame::text("") }.masked().bytes();
    let left: Vec<u64> =
        (0..=bytes.len()).map(|cut| after(&bytes[..cut]).remaining_in_frame()).collect();
    let expected: Vec<u64> = std::iter::repeat_n(0, 8).chain((0..=300).rev()).collect();
    assert_eq!(left, expected);
}

#[test]
fn a_follower_is_small() {
    assert!(size_of::<Follower>() <= 32, "{}", size_of::<Follower>());
}
