//! Writes and reads the one frame a tunnel may originate: an unmasked Close (RFC 6455 section
//! 5.5.1).
//!
//! Owns which status codes may be sent. Must never put one on the wire that only stands for "no
//! code" in an API.

use std::num::NonZeroU16;

/// A control frame's payload holds at most 125 bytes (RFC 6455 section 5.5), of which the code
/// takes two.
pub const MAX_REASON: usize = 123;

/// First byte of a whole Close frame: FIN and opcode 8.
const FINAL_CLOSE: u8 = 0x88;

/// A status code that a server may send (RFC 6455 section 7.4 and the IANA registry it founds).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CloseCode(NonZeroU16);

impl CloseCode {
    /// 1000: the purpose of the connection is fulfilled.
    pub const NORMAL: Self = Self::known(1000);
    /// 1001: the endpoint is going away. Final for some clients, which never reconnect after it.
    pub const GOING_AWAY: Self = Self::known(1001);
    /// 1012: the service restarts; a client may reconnect, after a short random wait.
    pub const RESTARTING: Self = Self::known(1012);
    /// 1013: the service is overloaded or not ready; a client should try again later.
    pub const TRY_AGAIN_LATER: Self = Self::known(1013);

    /// Takes a code that a server may send: 1000–1003, 1007–1009, 1011–1014, 3000–4999.
    ///
    /// `None` for what stands for "no Close" or "no code" (1005, 1006, 1015), what only a client
    /// sends (1010), and what is reserved (below 1000, 1004, 1016–2999, from 5000).
    pub const fn new(code: u16) -> Option<Self> {
        match (code, NonZeroU16::new(code)) {
            (1000..=1003 | 1007..=1009 | 1011..=1014 | 3000..=4999, Some(code)) => Some(Self(code)),
            _ => None,
        }
    }

    /// The number that goes onto the wire.
    pub const fn get(self) -> u16 {
        self.0.get()
    }

    /// For the constants above only: a code that may not be sent becomes 1000 there, which a test
    /// would see.
    const fn known(code: u16) -> Self {
        match Self::new(code) {
            Some(code) => code,
            None => Self(NonZeroU16::MIN.saturating_add(999)),
        }
    }
}

/// Writes an unmasked Close frame, as a server sends it. A reason longer than [`MAX_REASON`] bytes
/// is cut between characters.
pub fn close_frame(code: CloseCode, reason: &str) -> Box<[u8]> {
    let reason = &reason.as_bytes()[..reason.floor_char_boundary(MAX_REASON)];
    let mut frame = Vec::with_capacity(4 + reason.len());
    // At most 125 by the cut above.
    let length = 2 + reason.len() as u8;
    frame.extend_from_slice(&[FINAL_CLOSE, length]);
    frame.extend_from_slice(&code.get().to_be_bytes());
    frame.extend_from_slice(reason);
    frame.into_boxed_slice()
}

/// A Close frame, as read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Close<'a> {
    /// Its status code, as sent, whether it might be sent or not; `None` if it carries none.
    pub code: Option<u16>,
    /// Its reason; empty if it carries none.
    pub reason: &'a str,
    /// Bytes of the whole frame.
    pub length: usize,
}

/// Reads the whole, unmasked Close frame at the start of `bytes`; `None` for anything else, a part
/// of one included.
pub fn parse(bytes: &[u8]) -> Option<Close<'_>> {
    let [FINAL_CLOSE, length @ 0..=125, rest @ ..] = bytes else {
        return None;
    };
    let payload = rest.get(..usize::from(*length))?;
    let (code, reason) = match payload {
        [] => (None, &[][..]),
        [_] => return None,
        [high, low, reason @ ..] => (Some(u16::from_be_bytes([*high, *low])), reason),
    };
    Some(Close { code, reason: std::str::from_utf8(reason).ok()?, length: 2 + payload.len() })
}

#[cfg(test)]
mod tests {
    //! Would break if a forbidden code could be built, or a written frame could not be read back.
    use super::{Close, CloseCode, MAX_REASON, close_frame, parse};

    #[test]
    fn only_codes_a_server_may_send_can_be_built() {
        let allowed: Vec<u16> =
            (0..=u16::MAX).filter(|&code| CloseCode::new(code).is_some()).collect();
        let expected: Vec<u16> =
            [1000..=1003, 1007..=1009, 1011..=1014, 3000..=4999].into_iter().flatten().collect();
        assert_eq!(allowed, expected);
    }

    #[test]
    fn the_constants_are_what_their_names_say() {
        let constants = [
            CloseCode::NORMAL,
            CloseCode::GOING_AWAY,
            CloseCode::RESTARTING,
            CloseCode::TRY_AGAIN_LATER,
        ];
        assert_eq!(constants.map(CloseCode::get), [1000, 1001, 1012, 1013]);
    }

    #[test]
    fn what_is_written_reads_back() {
        let frame = close_frame(CloseCode::RESTARTING, "the service restarts");
        let expected =
            Close { code: Some(1012), reason: "the service restarts", length: frame.len() };
        assert_eq!(parse(&frame), Some(expected));
        assert_eq!(frame[0], 0x88);
        assert_eq!(frame[1] & 0x80, 0, "a server never masks");
    }

    #[test]
    fn a_long_reason_is_cut_between_characters() {
        let frame = close_frame(CloseCode::NORMAL, &"ä".repeat(80));
        assert_eq!(parse(&frame).map(|close| close.reason.len()), Some(MAX_REASON - 1));
    }

    #[test]
    fn a_part_of_a_frame_is_not_a_frame() {
        let frame = close_frame(CloseCode::NORMAL, "done");
        assert!((0..frame.len()).all(|cut| parse(&frame[..cut]).is_none()));
        assert!(parse(&[0x88, 1, 3]).is_none());
        assert!(parse(&[0x88, 0x80, 0, 0, 0, 0]).is_none(), "masked");
        assert_eq!(parse(&[0x88, 0, 9]), Some(Close { code: None, reason: "", length: 2 }));
    }
}
