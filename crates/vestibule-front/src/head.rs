//! Reads the heads of a public connection, the first or the hundredth, with one strict grammar.
//!
//! Owns the bytes of a head until it is whole, and the verdict on what it asks for ([`policy`]).
//! Must never touch a socket or a clock, guess what an ambiguous head means, or let one byte be looked at twice.
//!
//! [`HeadReader`] finds where a head ends and parses it once; [`policy::judge`] turns it into a
//! [`policy::Request`] that is safe to send on; [`upgrade`] does the same for what comes back.

use std::mem;

mod clock;
mod error;
mod fields;
pub mod forwarded;
mod handshake;
mod hop;
mod list;
mod plain;
pub mod policy;
mod scan;
mod target;
mod trace;
pub mod upgrade;

pub use error::HeadError;
pub use fields::{Head, Version};
pub use handshake::Handshake;
pub use plain::Plain;
pub use trace::TraceContext;

pub(crate) use fields::FieldTable;
pub(crate) use forwarded::is_forwarding_name;
pub(crate) use hop::{has_one_spelling, is_hop_by_hop};
pub(crate) use scan::{Grammar, ScanLimits, Scanner};

/// The first allocation of a reader: most heads of browsers fit into it.
const BUFFER_START_BYTES: usize = 1024;

/// What one head may cost before it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadLimits {
    /// Bytes from the first of the request line to the last of the empty line; 431 beyond it.
    pub bytes_max: usize,
    /// Field lines; 431 beyond it.
    pub fields_max: usize,
    /// Bytes of the request target; 414 beyond it. RFC 9112 §3 asks for 8000 at least.
    pub target_max: usize,
}

impl Default for HeadLimits {
    /// 32 KiB, 100 fields, a target of 8 KiB.
    fn default() -> Self {
        Self { bytes_max: 32 * 1024, fields_max: 100, target_max: 8 * 1024 }
    }
}

/// An incremental reader of request heads.
///
/// Feed it what arrived, then ask for a head. What follows a head stays inside until it is taken: it is
/// the body of that request, the next request, or bytes that came too early. After an error the
/// reader gives the same error for ever: nothing that follows a malformed head can be trusted.
pub struct HeadReader {
    limits: HeadLimits,
    buffer: Vec<u8>,
    scanner: Scanner,
    scanned_before: u64,
    failed: Option<HeadError>,
}

impl HeadReader {
    /// An empty reader; it allocates with the first byte.
    pub fn new(limits: HeadLimits) -> Self {
        Self {
            limits,
            buffer: Vec::new(),
            scanner: Scanner::new(Grammar::Request),
            scanned_before: 0,
            failed: None,
        }
    }

    /// Appends what was read. Call [`Self::take_head`] after each feed: it is what applies the limits.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.buffer.capacity() == 0 && !bytes.is_empty() {
            self.buffer.reserve(BUFFER_START_BYTES.max(bytes.len()));
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// Takes one head out, if it is whole; `None` means that more bytes are needed.
    pub fn take_head(&mut self) -> Result<Option<Head>, HeadError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        self.next_head().inspect_err(|error| self.failed = Some(*error))
    }

    /// The bytes that have arrived behind the last head taken.
    pub fn pending(&self) -> &[u8] {
        &self.buffer
    }

    /// Takes those bytes, and with them the reader's memory.
    pub fn take_pending(&mut self) -> Vec<u8> {
        self.restart_scan();
        mem::take(&mut self.buffer)
    }

    /// Whether nothing of a next head has arrived. The one empty line that some clients send behind
    /// a body counts as nothing.
    pub fn is_empty(&self) -> bool {
        self.buffer.len() == self.scanner.start()
    }

    /// Gives memory back; called when a client is held or idle.
    pub fn shrink(&mut self) {
        self.buffer.shrink_to_fit();
    }

    /// How many bytes were looked at so far. It equals the bytes of the heads taken plus those waiting,
    /// however they were cut: reading is linear.
    pub fn scanned(&self) -> u64 {
        self.scanned_before + self.scanner.position() as u64
    }

    fn next_head(&mut self) -> Result<Option<Head>, HeadError> {
        let limits =
            ScanLimits { bytes_max: self.limits.bytes_max, fields_max: self.limits.fields_max };
        let Some(found) = self.scanner.scan(&self.buffer, limits)? else {
            return Ok(None);
        };
        self.restart_scan();
        let bytes = found.split_from(&mut self.buffer);
        Head::parse(bytes, found.fields, self.limits.target_max).map(Some)
    }

    fn restart_scan(&mut self) {
        self.scanned_before += self.scanner.position() as u64;
        self.scanner = Scanner::new(Grammar::Request);
    }
}
