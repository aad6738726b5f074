//! Finds the end of a head or of a trailer section, looking at each byte once.
//!
//! Owns line discipline: CRLF only, no folded lines, no control bytes, bounds on bytes and lines.
//! Must never interpret a line; that is the parser's work, done once when the end is known.

use super::HeadError;

/// What kind of text is being scanned.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grammar {
    /// A request head: one empty line before it is skipped (RFC 9112 §2.2), a second is an error.
    Request,
    /// An answer's head: nothing may come before it.
    Response,
    /// Field lines alone, possibly none (RFC 9112 §7.1.2).
    Trailers,
}

/// The bounds of one scan.
#[derive(Clone, Copy)]
pub(crate) struct ScanLimits {
    /// Bytes up to and with the empty line.
    pub(crate) bytes_max: usize,
    /// Field lines, the start line not counted.
    pub(crate) fields_max: usize,
}

/// Where a whole head lies in the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// Its first byte: 2 when an empty line was skipped.
    pub(crate) start: usize,
    /// The byte behind its empty line.
    pub(crate) end: usize,
    /// Its field lines.
    pub(crate) fields: usize,
}

impl Found {
    /// Moves the head out of the buffer, which keeps what follows. The usual case, where nothing follows,
    /// hands the allocation over instead of copying it.
    pub(crate) fn split_from(self, buffer: &mut Vec<u8>) -> Vec<u8> {
        if self.end == buffer.len() {
            let mut whole = std::mem::take(buffer);
            whole.drain(..self.start);
            return whole;
        }
        let head = buffer[self.start..self.end].to_vec();
        buffer.drain(..self.end);
        head
    }
}

/// The state of a scan between two feeds.
pub(crate) struct Scanner {
    grammar: Grammar,
    start: usize,
    at: usize,
    line_start: usize,
    lines: usize,
    after_cr: bool,
}

impl Scanner {
    /// A scan that stands before the first byte.
    pub(crate) const fn new(grammar: Grammar) -> Self {
        Self { grammar, start: 0, at: 0, line_start: 0, lines: 0, after_cr: false }
    }

    /// Bytes looked at so far.
    pub(crate) const fn position(&self) -> usize {
        self.at
    }

    /// Where the head begins: 2 after a skipped empty line.
    pub(crate) const fn start(&self) -> usize {
        self.start
    }

    /// Goes on where the last scan stopped. `buffer` must begin with the bytes of the earlier scans.
    pub(crate) fn scan(
        &mut self,
        buffer: &[u8],
        limits: ScanLimits,
    ) -> Result<Option<Found>, HeadError> {
        while let Some(&byte) = buffer.get(self.at) {
            let line_ended = self.step(byte)?;
            self.at += 1;
            if line_ended && self.end_line(limits)? {
                return Ok(Some(Found { start: self.start, end: self.at, fields: self.fields() }));
            }
            if self.at - self.start >= limits.bytes_max {
                return Err(self.too_large());
            }
        }
        Ok(None)
    }

    /// Looks at one byte; `true` when it ends a line.
    fn step(&mut self, byte: u8) -> Result<bool, HeadError> {
        match byte {
            b'\n' if self.after_cr => {
                self.after_cr = false;
                Ok(true)
            }
            _ if self.after_cr => Err(HeadError::BareCr),
            b'\n' => Err(HeadError::BareLf),
            b'\r' => {
                self.after_cr = true;
                Ok(false)
            }
            b' ' | b'\t' if self.at == self.line_start => Err(self.leading_space()),
            // The first byte of a TLS record that carries a handshake (RFC 8446 §5.1).
            0x16 if self.at == 0 => Err(HeadError::Tls),
            b'\t' => Ok(false),
            0..=0x1f | 0x7f => Err(HeadError::ControlByte),
            _ => Ok(false),
        }
    }

    /// Counts a line; `true` when it was the empty one that ends the head.
    fn end_line(&mut self, limits: ScanLimits) -> Result<bool, HeadError> {
        let empty = self.at - self.line_start == 2;
        self.line_start = self.at;
        if !empty {
            self.lines += 1;
            return if self.fields() > limits.fields_max {
                Err(HeadError::TooManyFields)
            } else {
                Ok(false)
            };
        }
        if self.lines > 0 || self.grammar == Grammar::Trailers {
            return Ok(true);
        }
        if self.grammar == Grammar::Request && self.start == 0 {
            self.start = self.at;
            return Ok(false);
        }
        Err(HeadError::Malformed)
    }

    fn fields(&self) -> usize {
        match self.grammar {
            Grammar::Trailers => self.lines,
            Grammar::Request | Grammar::Response => self.lines.saturating_sub(1),
        }
    }

    fn leading_space(&self) -> HeadError {
        if self.lines > 0 { HeadError::FoldedLine } else { HeadError::Malformed }
    }

    fn too_large(&self) -> HeadError {
        if self.grammar == Grammar::Request && self.lines == 0 {
            HeadError::TargetTooLong
        } else {
            HeadError::TooLarge
        }
    }
}
