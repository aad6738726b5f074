//! Where a head may end.
//!
//! Owns the search for an empty line over reads of any size. It does not know where a message starts and need
//! not: a cut too many is a shorter read, and no head ends without one. Must never keep a byte.

/// The search, between two reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Splitter {
    line: Line,
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
            self.line = match (self.line, byte) {
                (Line::Inside, b'\n') => Line::Ended,
                (Line::Ended, b'\r') => Line::EndedCr,
                (Line::Ended | Line::EndedCr, b'\n') => {
                    self.line = Line::Inside;
                    return Some(at + 1);
                }
                _ => Line::Inside,
            };
        }
        None
    }
}
