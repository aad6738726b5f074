//! The follower of a WebSocket's frames.
//!
//! Input: the bytes of one direction of a tunnel, frames or not. Holds: the position is the same
//! however the bytes are cut, and equals what a naive reader with large numbers finds.

use vestibule_front::tunnel::frames::{CloseSeen, Follower};

use crate::cuts;

/// See the module's lines.
pub fn frames(input: &[u8]) {
    let mut whole = Follower::new();
    whole.follow(input);
    let frames = naive(input);
    assert_position(&whole, input, &frames);
    for pieces in cuts::of(input) {
        let mut follower = Follower::new();
        let mut at = 0;
        for piece in pieces {
            let to_boundary = follower.bytes_to_boundary(&input[at..]);
            assert_eq!(to_boundary, expected_to_boundary(&frames, at, input.len()), "at {at}");
            follower.follow(piece);
            at += piece.len();
            assert_position(&follower, &input[..at], &frames);
        }
        assert_eq!(follower, whole);
    }
}

/// One frame as far as the input goes; places are counted from the input's first byte.
struct Frame {
    start: u128,
    opcode: u8,
    key: Option<[u8; 4]>,
    /// Frames with data in front of it.
    data_before: u64,
    /// The first byte of its payload; `None` while its header is not whole.
    payload: Option<u128>,
    /// The byte behind its last.
    end: u128,
}

fn naive(input: &[u8]) -> Vec<Frame> {
    let mut frames = Vec::new();
    let (mut start, mut data_before) = (0_u128, 0);
    while let Some(rest) = usize::try_from(start).ok().and_then(|start| input.get(start..)) {
        let Some(first) = rest.first() else { break };
        let opcode = first & 15;
        let (key, payload, end) = header(rest, start).unwrap_or((None, None, u128::MAX));
        let frame = Frame { start, opcode, key, data_before, payload, end };
        data_before += u64::from(opcode < 8);
        start = frame.end;
        frames.push(frame);
    }
    frames
}

/// Key, payload and end by RFC 6455 section 5.2, if the header is whole.
fn header(rest: &[u8], start: u128) -> Option<(Option<[u8; 4]>, Option<u128>, u128)> {
    let second = rest.get(1)?;
    let (length, at) = match second & 127 {
        126 => (u128::from(u16::from_be_bytes(rest.get(2..4)?.try_into().ok()?)), 4),
        127 => (u128::from(u64::from_be_bytes(rest.get(2..10)?.try_into().ok()?)), 10),
        short => (u128::from(short), 2),
    };
    let key: Option<[u8; 4]> =
        if second & 128 == 0 { None } else { Some(rest.get(at..at + 4)?.try_into().ok()?) };
    let payload = start + at as u128 + if key.is_some() { 4 } else { 0 };
    Some((key, Some(payload), payload + length))
}

/// The frame that has begun before `at`, whole or not.
fn last_begun(frames: &[Frame], at: u128) -> Option<&Frame> {
    frames[..frames.partition_point(|frame| frame.start < at)].last()
}

/// Compares the follower with the frames, after `passed`, which is the input's beginning.
fn assert_position(follower: &Follower, passed: &[u8], frames: &[Frame]) {
    let at = passed.len() as u128;
    let begun = last_begun(frames, at);
    let current = begun.filter(|frame| at < frame.end);
    assert_eq!(follower.at_boundary(), current.is_none(), "at {at}");
    let in_payload = current.filter(|frame| frame.payload.is_some_and(|payload| payload <= at));
    let remaining = in_payload.map_or(0, |frame| frame.end - at);
    assert_eq!(u128::from(follower.remaining_in_frame()), remaining, "at {at}");
    let passed_now = |frame: &Frame| u64::from(frame.end <= at && frame.opcode < 8);
    let data = begun.map_or(0, |frame| frame.data_before + passed_now(frame));
    assert_eq!(follower.data_frames(), data, "at {at}");
    let close = frames.iter().find(|frame| frame.opcode == 8 && frame.start < at);
    let seen = close.map(|frame| CloseSeen { code: code(frame, passed) });
    assert_eq!(follower.close_seen(), seen, "at {at}");
    assert_eq!(follower.close_passed(), close.is_some_and(|frame| frame.end <= at), "at {at}");
}

/// The status code of a Close of which both bytes have passed.
fn code(frame: &Frame, passed: &[u8]) -> Option<u16> {
    let payload = usize::try_from(frame.payload?).ok()?;
    if frame.end - frame.payload? < 2 {
        return None;
    }
    let (high, low) = (passed.get(payload)?, passed.get(payload + 1)?);
    let [first, second, ..] = frame.key.unwrap_or_default();
    Some(u16::from_be_bytes([high ^ first, low ^ second]))
}

fn expected_to_boundary(frames: &[Frame], at: usize, length: usize) -> usize {
    let (at, length) = (at as u128, length as u128);
    let current = last_begun(frames, at).filter(|frame| at < frame.end);
    let to_end = current.map_or(0, |frame| (frame.end - at).min(length - at));
    usize::try_from(to_end).unwrap_or(usize::MAX)
}
