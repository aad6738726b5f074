//! The chunked coding, strict (RFC 9112 §7.1).
//!
//! Owns sizes, extensions (bounded and dropped), and the trailer section.
//! Must never accept a line end other than CRLF: a size line that two readers end differently is a smuggled request.

use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::{BodyError, Decoded, take_up_to};
use crate::head::{
    Grammar, ScanLimits, Scanner, has_one_spelling, is_forwarding_name, is_hop_by_hop,
};

/// Digits that a 64-bit size can have.
const SIZE_DIGITS_MAX: u8 = 16;
/// Extension bytes of one chunk. Nobody uses extensions; attackers use them to make small bodies large.
const EXTENSION_BYTES_MAX: u32 = 256;
/// Extension bytes of a whole body.
const EXTENSION_BYTES_TOTAL_MAX: u32 = 16 * 1024;
const TRAILERS: ScanLimits = ScanLimits { bytes_max: 8 * 1024, fields_max: 32 };

/// Fields that mean something to whoever frames, routes, authenticates or caches (RFC 9110 §6.5.1).
const FORBIDDEN_TRAILERS: [&str; 19] = [
    "age",
    "authorization",
    "cache-control",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "cookie",
    "date",
    "expect",
    "expires",
    "host",
    "location",
    "max-forwards",
    "set-cookie",
    "trailer",
    "transfer-encoding",
    "vary",
    "www-authenticate",
];

/// What one call found.
pub(super) enum Step {
    Data(Bytes),
    NeedMore,
    /// The last chunk was read; the trailers that may be kept.
    End(HeaderMap),
}

/// Where in the coding the next byte stands.
enum State {
    Size { value: u64, digits: u8 },
    Extension { size: u64, bytes: u32 },
    SizeEnd { size: u64 },
    Data { left: u64 },
    DataCr,
    DataLf,
    Trailers,
}

/// A decoder of one chunked body. Nothing of it is kept but the position, and trailers while incomplete.
pub(super) struct ChunkedDecoder {
    state: State,
    extension_bytes_total: u32,
    trailers: Vec<u8>,
    scanner: Scanner,
}

impl Default for ChunkedDecoder {
    fn default() -> Self {
        Self {
            state: State::Size { value: 0, digits: 0 },
            extension_bytes_total: 0,
            trailers: Vec::new(),
            scanner: Scanner::new(Grammar::Trailers),
        }
    }
}

impl ChunkedDecoder {
    /// Goes on until there is data, the end, or no input. Each turn uses up input or returns.
    pub(super) fn step(&mut self, input: &mut BytesMut) -> Result<Step, BodyError> {
        loop {
            match self.state {
                State::Data { left } => return Ok(self.data(input, left)),
                State::Trailers => return self.trailers(input),
                _ => {}
            }
            let Some(&byte) = input.first() else {
                return Ok(Step::NeedMore);
            };
            input.advance(1);
            self.state = self.line_byte(byte)?;
        }
    }

    /// One byte of what lies between the data of two chunks.
    fn line_byte(&mut self, byte: u8) -> Result<State, BodyError> {
        match (&self.state, byte) {
            (&State::Size { value, digits }, _) => size_byte(value, digits, byte),
            (&State::Extension { size, .. }, b'\r') => Ok(State::SizeEnd { size }),
            (&State::Extension { size, bytes }, _) => self.extension_byte(size, bytes, byte),
            (State::SizeEnd { size: 0 }, b'\n') => Ok(State::Trailers),
            (&State::SizeEnd { size }, b'\n') => Ok(State::Data { left: size }),
            (State::SizeEnd { .. }, _) => Err(BodyError::ChunkSize),
            (State::DataCr, b'\r') => Ok(State::DataLf),
            (State::DataLf, b'\n') => Ok(State::Size { value: 0, digits: 0 }),
            _ => Err(BodyError::ChunkEnd),
        }
    }

    fn extension_byte(&mut self, size: u64, bytes: u32, byte: u8) -> Result<State, BodyError> {
        self.extension_bytes_total += 1;
        let control = byte != b'\t' && byte.is_ascii_control();
        let too_long =
            bytes >= EXTENSION_BYTES_MAX || self.extension_bytes_total > EXTENSION_BYTES_TOTAL_MAX;
        if control || too_long {
            return Err(BodyError::ChunkExtension);
        }
        Ok(State::Extension { size, bytes: bytes + 1 })
    }

    fn data(&mut self, input: &mut BytesMut, left: u64) -> Step {
        let Decoded::Data(data) = take_up_to(input, left) else {
            return Step::NeedMore;
        };
        let left = left - data.len() as u64;
        self.state = if left == 0 { State::DataCr } else { State::Data { left } };
        Step::Data(data)
    }

    /// Moves bytes into the trailer buffer, as far as they belong there, and scans each once.
    fn trailers(&mut self, input: &mut BytesMut) -> Result<Step, BodyError> {
        let room = TRAILERS.bytes_max.saturating_sub(self.trailers.len());
        let before = self.trailers.len();
        self.trailers.extend_from_slice(&input[..room.min(input.len())]);
        let found = self.scanner.scan(&self.trailers, TRAILERS).map_err(|_| BodyError::Trailers)?;
        let used = found.map_or(self.trailers.len(), |found| found.end) - before;
        input.advance(used);
        match found {
            None => Ok(Step::NeedMore),
            Some(found) => {
                self.trailers.truncate(found.end);
                let kept = parse_trailers(&self.trailers, found.fields);
                self.trailers = Vec::new();
                kept.map(Step::End)
            }
        }
    }
}

fn size_byte(value: u64, digits: u8, byte: u8) -> Result<State, BodyError> {
    match (byte, char::from(byte).to_digit(16)) {
        (_, Some(digit)) if digits < SIZE_DIGITS_MAX => {
            Ok(State::Size { value: value << 4 | u64::from(digit), digits: digits + 1 })
        }
        (b'\r', _) if digits > 0 => Ok(State::SizeEnd { size: value }),
        (b';', _) if digits > 0 => Ok(State::Extension { size: value, bytes: 1 }),
        _ => Err(BodyError::ChunkSize),
    }
}

fn parse_trailers(bytes: &[u8], fields: usize) -> Result<HeaderMap, BodyError> {
    let mut slots = vec![httparse::EMPTY_HEADER; fields];
    let parsed = httparse::parse_headers(bytes, &mut slots).map_err(|_| BodyError::Trailers)?;
    let httparse::Status::Complete((_, parsed)) = parsed else {
        return Err(BodyError::Trailers);
    };
    let mut kept = HeaderMap::new();
    for field in parsed.iter().filter(|field| !is_forbidden(field.name)) {
        let name =
            HeaderName::from_bytes(field.name.as_bytes()).map_err(|_| BodyError::Trailers)?;
        kept.append(name, HeaderValue::from_bytes(field.value).map_err(|_| BodyError::Trailers)?);
    }
    Ok(kept)
}

fn is_forbidden(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    FORBIDDEN_TRAILERS.contains(&lower.as_str())
        || lower.starts_with("sec-websocket-")
        || !has_one_spelling(name)
        || is_hop_by_hop(name)
        || is_forwarding_name(name)
}
