//! Where a head may end.
//!
//! Owns the search for an empty line over reads of any size. It does not know where a message starts and need
//! not: a cut too many is a shorter read, and no head ends without one. Must never keep a byte.

/// The shortest head, `GET / HTTP/1.0` and its empty line: empty lines that are closer together cost no cut
/// each.
const HEAD_BYTES_MIN: usize = 16;

/// The search, between two reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Splitter {
    line: Line,
    /// How many bytes came since the last end, without the empty lines that may stand before a head (RFC 9112,
    /// section 2.2). They end none: cut at each of them, a server would read them again from the first for every
    /// few bytes.
    bytes: usize,
}

/// What the bytes before this one were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Line {
    /// Inside a line.
    #[default]
    Inside,
    /// At the end of one.
    Ended,
    /// At the end of one, and a CR has come.
    EndedCr,
}

impl Splitter {
    /// How many of these bytes belong to what ends with the first empty line; `None` if it does not end here.
    ///
    /// Lines end with LF, with or without CR before it, since servers take both (RFC 9112, section 2.2).
    pub(super) fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        for (at, byte) in bytes.iter().enumerate() {
            if self.bytes == 0 && matches!(byte, b'\r' | b'\n') {
                continue;
            }
            self.bytes = self.bytes.saturating_add(1);
            self.line = match (self.line, byte) {
                (Line::Ended | Line::EndedCr, b'\n') if self.bytes >= HEAD_BYTES_MIN => {
                    *self = Self::default();
                    return Some(at + 1);
                }
                (_, b'\n') => Line::Ended,
                (Line::Ended, b'\r') => Line::EndedCr,
                _ => Line::Inside,
            };
        }
        None
    }
}
