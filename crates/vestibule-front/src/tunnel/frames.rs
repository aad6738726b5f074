//! Follows the frames of one direction of a WebSocket (RFC 6455 section 5.2).
//!
//! Owns the exact position inside a byte stream: which header, how much payload is left, whether a
//! Close has passed. Must never change, keep or refuse a byte: what a peer sends wrongly is for the
//! other peer to judge, so every byte string has a position and nothing here can fail.

/// The Close frame's opcode (RFC 6455 section 5.5.1).
const CLOSE: u8 = 0x8;
/// Opcodes from here on are control frames (RFC 6455 section 5.5).
const CONTROL: u8 = 0x8;

/// Where a stream of frames stands, after any number of bytes in any chunks.
///
/// Plain data, so that a tunnel can be moved to another process in the middle of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Follower {
    /// Payload bytes left; while the extended length is read, what of it is known.
    remaining: u64,
    data_frames: u64,
    place: Place,
    opcode: u8,
    masked: bool,
    /// The first half of the masking key: a Close code is two bytes long.
    key: [u8; 2],
    close: Close,
}

/// A Close frame that has begun to pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CloseSeen {
    /// Its status code, unmasked; `None` until both bytes have passed, and for ever if it carries
    /// none.
    pub code: Option<u16>,
}

/// The next byte's place in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// The first byte of a header: the stream stands between frames.
    Start,
    /// The byte with the mask bit and the short length.
    Length,
    /// The extended length, with this many bytes to come.
    Extended(u8),
    /// The masking key, with this many bytes to come.
    Key(u8),
    /// The payload, of which `remaining` bytes (at least one) are to come.
    Payload,
}

/// What is known of the first Close frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Close {
    Unseen,
    /// Its header has begun.
    Begun,
    /// The high byte of its code is known.
    High(u8),
    /// Its code is known, its end has not passed.
    Coded(u16),
    /// It has passed wholly.
    Passed(Option<u16>),
}

impl Follower {
    /// A follower that stands before the first frame.
    pub const fn new() -> Self {
        Self {
            remaining: 0,
            data_frames: 0,
            place: Place::Start,
            opcode: 0,
            masked: false,
            key: [0; 2],
            close: Close::Unseen,
        }
    }

    /// Moves past `bytes`. Payload is skipped, not read: the cost is that of the headers.
    pub fn follow(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            rest = &rest[self.step(rest)..];
        }
    }

    /// Whether the stream stands between frames. Between the fragments of a message counts: a
    /// control frame may stand there (RFC 6455 section 5.4).
    pub fn at_boundary(&self) -> bool {
        self.place == Place::Start
    }

    /// How many of `upcoming` still belong to the frame in progress: none at a boundary, all of
    /// them if the frame does not end before their end.
    pub fn bytes_to_boundary(&self, upcoming: &[u8]) -> usize {
        let mut ahead = self.clone();
        let mut passed = 0;
        while !ahead.at_boundary() && passed < upcoming.len() {
            passed += ahead.step(&upcoming[passed..]);
        }
        passed
    }

    /// The first Close frame, from its first byte on.
    pub fn close_seen(&self) -> Option<CloseSeen> {
        match self.close {
            Close::Unseen => None,
            Close::Begun | Close::High(_) => Some(CloseSeen { code: None }),
            Close::Coded(code) => Some(CloseSeen { code: Some(code) }),
            Close::Passed(code) => Some(CloseSeen { code }),
        }
    }

    /// Whether the first Close frame has passed to its last byte.
    pub fn close_passed(&self) -> bool {
        matches!(self.close, Close::Passed(_))
    }

    /// Frames that carried data (not Close, Ping or Pong) and have passed to their last byte; each
    /// fragment counts.
    pub fn data_frames(&self) -> u64 {
        self.data_frames
    }

    /// Payload bytes left of the frame whose header has been read; 0 inside a header and between
    /// frames.
    pub fn remaining_in_frame(&self) -> u64 {
        match self.place {
            Place::Payload => self.remaining,
            Place::Start | Place::Length | Place::Extended(_) | Place::Key(_) => 0,
        }
    }

    /// Moves past one header byte or one run of payload; returns its length, at least 1 for a
    /// `rest` that is not empty.
    fn step(&mut self, rest: &[u8]) -> usize {
        if self.place == Place::Payload {
            return self.pass_payload(rest);
        }
        let Some(&byte) = rest.first() else { return 0 };
        match self.place {
            Place::Start => self.begin(byte),
            Place::Length => self.measure(byte),
            Place::Extended(left) => {
                self.remaining = (self.remaining << 8) | u64::from(byte);
                match left {
                    ..=1 => self.measured(),
                    _ => self.place = Place::Extended(left - 1),
                }
            }
            Place::Key(left) => {
                match left {
                    4.. => self.key[0] = byte,
                    3 => self.key[1] = byte,
                    _ => {}
                }
                match left {
                    ..=1 => self.enter_payload(),
                    _ => self.place = Place::Key(left - 1),
                }
            }
            Place::Payload => {}
        }
        1
    }

    fn begin(&mut self, byte: u8) {
        self.opcode = byte & 0x0f;
        if self.opcode == CLOSE && self.close == Close::Unseen {
            self.close = Close::Begun;
        }
        self.place = Place::Length;
    }

    fn measure(&mut self, byte: u8) {
        self.masked = byte & 0x80 != 0;
        self.key = [0; 2];
        self.remaining = 0;
        match byte & 0x7f {
            126 => self.place = Place::Extended(2),
            127 => self.place = Place::Extended(8),
            short => {
                self.remaining = u64::from(short);
                self.measured();
            }
        }
    }

    fn measured(&mut self) {
        if self.masked {
            self.place = Place::Key(4);
        } else {
            self.enter_payload();
        }
    }

    fn enter_payload(&mut self) {
        self.place = Place::Payload;
        if self.remaining == 0 {
            self.end_frame();
        }
    }

    fn pass_payload(&mut self, rest: &[u8]) -> usize {
        let left = usize::try_from(self.remaining).unwrap_or(usize::MAX);
        let run = &rest[..rest.len().min(left)];
        if self.opcode == CLOSE {
            self.read_code(run);
        }
        self.remaining -= run.len() as u64;
        if self.remaining == 0 {
            self.end_frame();
        }
        run.len()
    }

    fn read_code(&mut self, run: &[u8]) {
        for &byte in run.iter().take(2) {
            self.close = match self.close {
                Close::Begun => Close::High(byte ^ self.key[0]),
                Close::High(high) => Close::Coded(u16::from_be_bytes([high, byte ^ self.key[1]])),
                known => known,
            };
        }
    }

    fn end_frame(&mut self) {
        if self.opcode < CONTROL {
            self.data_frames += 1;
        } else if self.opcode == CLOSE {
            self.close = match self.close {
                Close::Begun | Close::High(_) => Close::Passed(None),
                Close::Coded(code) => Close::Passed(Some(code)),
                known => known,
            };
        }
        self.place = Place::Start;
    }
}

impl Default for Follower {
    fn default() -> Self {
        Self::new()
    }
}
