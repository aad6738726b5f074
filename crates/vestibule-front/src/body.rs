//! Bodies on the public connection: where one ends, and how one is written.
//!
//! Owns the decoder that stands between a head and the next, for requests and for relayed answers.
//! Must never hold body bytes back, nor take one byte of what follows the body.

use std::{fmt, mem};

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use thiserror::Error;

mod chunked;
mod encode;

pub use encode::{encode_chunk, last_chunk};

use chunked::{ChunkedDecoder, Step};

/// Data of chunks below this is copied together; above, it is passed on as it lies.
const GATHERED_BELOW: usize = 1024;

/// How a body is delimited (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// There is none.
    None,
    /// So many bytes.
    Length(u64),
    /// Chunks, up to the empty one and its trailers.
    Chunked,
    /// Everything until the peer closes; answers only.
    UntilEof,
}

/// How the body of a request is delimited: never by the end of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestFraming {
    /// There is none.
    None,
    /// So many bytes.
    Length(u64),
    /// Chunks, up to the empty one and its trailers.
    Chunked,
}

impl From<RequestFraming> for Framing {
    fn from(framing: RequestFraming) -> Self {
        match framing {
            RequestFraming::None => Self::None,
            RequestFraming::Length(length) => Self::Length(length),
            RequestFraming::Chunked => Self::Chunked,
        }
    }
}

/// One step of a body.
#[derive(Clone, PartialEq, Eq)]
pub enum Decoded {
    /// Bytes of the body, as many as were there; never empty.
    Data(Bytes),
    /// Trailers that may be merged or relayed, once, before the end; never empty.
    Trailers(HeaderMap),
    /// The input is used up and the body goes on.
    NeedMore,
    /// The body is over; what is left in the input belongs to the next head.
    End,
}

/// Sizes alone: a body is nobody's but its service's.
impl fmt::Debug for Decoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Data(bytes) => f.debug_tuple("Data").field(&bytes.len()).finish(),
            Self::Trailers(fields) => f.debug_tuple("Trailers").field(&fields.len()).finish(),
            Self::NeedMore => f.write_str("NeedMore"),
            Self::End => f.write_str("End"),
        }
    }
}

/// Why a body cannot be read: the connection closes.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BodyError {
    /// A chunk size is empty, not hexadecimal, or longer than 16 digits.
    #[error("a chunk size is invalid")]
    ChunkSize,
    /// Chunk extensions beyond 256 bytes, beyond 16 KiB in all, or with control bytes.
    #[error("chunk extensions are invalid or too long")]
    ChunkExtension,
    /// A chunk is not followed by CRLF.
    #[error("a chunk does not end with CRLF")]
    ChunkEnd,
    /// The trailer section is malformed, beyond 8 KiB, or beyond 32 fields.
    #[error("the trailers are invalid or too large")]
    Trailers,
    /// The peer closed before the body's end.
    #[error("the body ended early")]
    Truncated,
}

impl BodyError {
    /// The word for it in problem documents, logs and metrics.
    pub const fn code(self) -> &'static str {
        match self {
            Self::ChunkSize => "chunk_size_invalid",
            Self::ChunkExtension => "chunk_extension_invalid",
            Self::ChunkEnd => "chunk_end_invalid",
            Self::Trailers => "trailers_invalid",
            Self::Truncated => "body_truncated",
        }
    }
}

/// Takes the bytes of one body out of a stream.
pub struct BodyDecoder {
    state: State,
}

enum State {
    Length(u64),
    Chunked(Box<ChunkedDecoder>),
    UntilEof,
    /// Over, but for these.
    Trailers(HeaderMap),
    Ended,
    Failed(BodyError),
}

impl BodyDecoder {
    /// A decoder that stands before the first byte of the body.
    pub fn new(framing: impl Into<Framing>) -> Self {
        let state = match framing.into() {
            Framing::None | Framing::Length(0) => State::Ended,
            Framing::Length(length) => State::Length(length),
            Framing::Chunked => State::Chunked(Box::default()),
            Framing::UntilEof => State::UntilEof,
        };
        Self { state }
    }

    /// Takes the next step; call again until `NeedMore` or `End`. After an error, the same error for ever.
    pub fn decode(&mut self, input: &mut BytesMut) -> Result<Decoded, BodyError> {
        match &mut self.state {
            State::Ended => Ok(Decoded::End),
            State::Failed(error) => Err(*error),
            State::UntilEof => Ok(take_up_to(input, u64::MAX)),
            State::Length(left) => {
                let step = take_up_to(input, *left);
                if let Decoded::Data(data) = &step {
                    *left -= data.len() as u64;
                    if *left == 0 {
                        self.state = State::Ended;
                    }
                }
                Ok(step)
            }
            State::Trailers(trailers) => {
                let trailers = mem::take(trailers);
                self.state = State::Ended;
                Ok(if trailers.is_empty() { Decoded::End } else { Decoded::Trailers(trailers) })
            }
            State::Chunked(decoder) => match gather(decoder, input) {
                (data, None) if data.is_empty() => Ok(Decoded::NeedMore),
                (data, None) => Ok(Decoded::Data(data)),
                (data, Some(next)) => {
                    self.state = next;
                    if data.is_empty() { self.decode(input) } else { Ok(Decoded::Data(data)) }
                }
            },
        }
    }

    /// Whether the body is over, so that what follows is a head.
    pub fn is_ended(&self) -> bool {
        matches!(self.state, State::Ended)
    }

    /// Judges the peer's close: right behind a whole body, or the very thing that ends it.
    pub fn end_of_stream(&self) -> Result<(), BodyError> {
        match &self.state {
            State::Ended | State::UntilEof | State::Trailers(_) => Ok(()),
            State::Failed(error) => Err(*error),
            State::Length(_) | State::Chunked(_) => Err(BodyError::Truncated),
        }
    }
}

/// The data of one chunk, or of as many small ones as the input holds: a body cut into single bytes
/// must not cost its receiver a message, a frame and a write for each. With them, what comes behind.
fn gather(decoder: &mut ChunkedDecoder, input: &mut BytesMut) -> (Bytes, Option<State>) {
    let mut gathered = BytesMut::new();
    // Each turn uses up input.
    let next = loop {
        match decoder.step(input) {
            Ok(Step::Data(data)) if gathered.is_empty() && data.len() >= GATHERED_BELOW => {
                return (data, None);
            }
            Ok(Step::Data(data)) => gathered.extend_from_slice(&data),
            Ok(Step::NeedMore) => break None,
            Ok(Step::End(trailers)) => break Some(State::Trailers(trailers)),
            Err(error) => break Some(State::Failed(error)),
        }
    };
    (gathered.freeze(), next)
}

/// Digits alone, at most what 64 bits hold (RFC 9110 §8.6, without its leniency for lists).
pub(crate) fn parse_length(value: &[u8]) -> Option<u64> {
    let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    if digits { std::str::from_utf8(value).ok()?.parse().ok() } else { None }
}

fn take_up_to(input: &mut BytesMut, most: u64) -> Decoded {
    if input.is_empty() {
        return Decoded::NeedMore;
    }
    let length = usize::try_from(most).unwrap_or(usize::MAX).min(input.len());
    Decoded::Data(input.split_to(length).freeze())
}
