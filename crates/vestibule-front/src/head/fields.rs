//! A parsed head: the exact bytes once, and where in them each part lies.
//!
//! Owns the storage behind [`Head`] and behind an upstream's answer.
//! Must never print a value: heads carry cookies and tokens.

use std::fmt;

use super::HeadError;

/// Bytes of a method. The longest registered one, UPDATEREDIRECTREF, has 17.
const METHOD_MAX: usize = 32;

/// The two versions of HTTP that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0.
    Http10,
    /// HTTP/1.1.
    Http11,
}

/// A request head, byte for byte as it came, with its parts found.
pub struct Head {
    table: FieldTable,
    method: Span,
    target: Span,
    version: Version,
}

impl Head {
    /// Parses a head that the scanner has found to be whole.
    pub(super) fn parse(
        bytes: Vec<u8>,
        fields: usize,
        target_max: usize,
    ) -> Result<Self, HeadError> {
        if bytes.starts_with(b"PRI * HTTP/2.0\r\n") {
            return Err(HeadError::Http2);
        }
        let bytes = bytes.into_boxed_slice();
        let mut slots = vec![httparse::EMPTY_HEADER; fields];
        let mut request = httparse::Request::new(&mut slots);
        let end = request.parse(&bytes).map_err(HeadError::from)?;
        let (Some(method), Some(target), Some(minor)) =
            (request.method, request.path, request.version)
        else {
            return Err(HeadError::Malformed);
        };
        if end != httparse::Status::Complete(bytes.len()) {
            return Err(HeadError::Malformed);
        }
        if method.len() > METHOD_MAX {
            return Err(HeadError::MethodTooLong);
        }
        if target.len() > target_max {
            return Err(HeadError::TargetTooLong);
        }
        let (method, target) =
            (Span::of(&bytes, method.as_bytes()), Span::of(&bytes, target.as_bytes()));
        let spans = FieldTable::spans(&bytes, request.headers);
        Ok(Self {
            table: FieldTable { bytes, spans },
            method,
            target,
            version: Version::from_minor(minor),
        })
    }

    /// The head from its first byte to the end of its empty line.
    pub fn as_bytes(&self) -> &[u8] {
        &self.table.bytes
    }

    /// The method, in the case it came in.
    pub fn method(&self) -> &str {
        self.method.text(&self.table.bytes)
    }

    /// The request target as it came, in whichever form.
    pub fn target(&self) -> &str {
        self.target.text(&self.table.bytes)
    }

    /// The version of the request line.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Every field in order, surrounding white space of values removed.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.table.iter()
    }

    /// The values of all fields of that name, in any case.
    pub fn values<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'h [u8]> {
        self.table.values(name)
    }
}

impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Head")
            .field("bytes", &self.table.bytes.len())
            .field("fields", &self.table.spans.len())
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

impl Version {
    pub(super) const fn from_minor(minor: u8) -> Self {
        if minor == 0 { Self::Http10 } else { Self::Http11 }
    }
}

impl From<httparse::Error> for HeadError {
    fn from(error: httparse::Error) -> Self {
        match error {
            httparse::Error::Version => Self::HttpVersion,
            httparse::Error::TooManyHeaders => Self::TooManyFields,
            _ => Self::Malformed,
        }
    }
}

/// The bytes of a head and the places of its fields.
pub(crate) struct FieldTable {
    bytes: Box<[u8]>,
    spans: Box<[(Span, Span)]>,
}

impl FieldTable {
    /// Pairs bytes with what httparse found in them.
    pub(crate) fn new(bytes: Box<[u8]>, spans: Box<[(Span, Span)]>) -> Self {
        Self { bytes, spans }
    }

    /// Where each parsed field lies in the bytes it was parsed from.
    pub(crate) fn spans(bytes: &[u8], parsed: &[httparse::Header<'_>]) -> Box<[(Span, Span)]> {
        let place = |field: &httparse::Header<'_>| {
            (Span::of(bytes, field.name.as_bytes()), Span::of(bytes, field.value))
        };
        parsed.iter().map(place).collect()
    }

    /// Every field in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.spans.iter().map(|(name, value)| (name.text(&self.bytes), value.slice(&self.bytes)))
    }

    /// The values of all fields of that name, in any case.
    pub(crate) fn values<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'h [u8]> {
        self.iter()
            .filter(move |(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }
}

/// A range of a head. Offsets of 32 bits: a head is bounded far below that.
#[derive(Clone, Copy)]
pub(crate) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// The place of `part`, which is a slice of `whole`.
    fn of(whole: &[u8], part: &[u8]) -> Self {
        let start = (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize);
        let narrow = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        Self { start: narrow(start), end: narrow(start + part.len()) }
    }

    fn slice(self, whole: &[u8]) -> &[u8] {
        whole.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    fn text(self, whole: &[u8]) -> &str {
        // Only tokens and targets are read as text, and httparse has checked both.
        std::str::from_utf8(self.slice(whole)).unwrap_or_default()
    }
}
