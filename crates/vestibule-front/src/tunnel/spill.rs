//! What a short write left over.
//!
//! Owns bytes that were read and not yet written. Must never hold memory while it is empty.

use std::fmt;

/// Bytes still to be written, in order.
#[derive(Default)]
pub(super) struct Spill {
    bytes: Box<[u8]>,
    written: usize,
}

impl Spill {
    /// Keeps `bytes`, in memory of exactly their size.
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        Self { bytes: bytes.into_boxed_slice(), written: 0 }
    }

    /// What is still to be written.
    pub(super) fn rest(&self) -> &[u8] {
        &self.bytes[self.written..]
    }

    /// Whether nothing is left.
    pub(super) fn is_empty(&self) -> bool {
        self.rest().is_empty()
    }

    /// Marks the next `count` bytes as written, and frees the memory with the last one.
    pub(super) fn advance(&mut self, count: usize) {
        self.written = self.bytes.len().min(self.written + count);
        if self.is_empty() {
            *self = Self::default();
        }
    }

    /// Puts `more` behind what is left.
    pub(super) fn append(&mut self, more: &[u8]) {
        *self = Self::new([self.rest(), more].concat());
    }

    /// Drops all but the next `keep` bytes.
    pub(super) fn truncate(&mut self, keep: usize) {
        if keep < self.rest().len() {
            *self = Self::new(self.rest()[..keep].to_vec());
        }
    }
}

/// Only how much there is: what passes through a tunnel belongs in no log.
impl fmt::Debug for Spill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Spill({} bytes)", self.rest().len())
    }
}
