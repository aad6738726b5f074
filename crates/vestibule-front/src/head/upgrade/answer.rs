//! Reads an upstream's answer, interim answers skipped, with the same strict grammar as requests.
//!
//! Owns the bytes of an answer's head and how it is relayed when it is not a 101.
//! Must never read without bound: interim answers count against the same bytes as the final one.

use std::fmt;

use http::StatusCode;
use thiserror::Error;

use super::UpstreamDefect;
use crate::{
    body::Framing,
    head::{
        FieldTable, Grammar, HeadError, HeadLimits, ScanLimits, Scanner, Version,
        hop::ConnectionOptions, is_hop_by_hop,
    },
};

/// Interim answers skipped before the final one (RFC 9110 §15.2 sets no bound).
const INTERIM_MAX: usize = 10;

/// Why an upstream's answer cannot be read: 502, and the connection is closed.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AnswerError {
    /// The heads together, interim ones included, are beyond 32 KiB.
    #[error("the upstream's answer is larger than the limit")]
    TooLarge,
    /// More than ten interim answers.
    #[error("the upstream sent more interim answers than the limit")]
    TooManyInterim,
    /// Not the grammar of RFC 9112, or a status below 100.
    #[error("the upstream's answer is malformed: {0}")]
    Malformed(HeadError),
}

impl AnswerError {
    /// The word for it in logs and metrics.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "answer_too_large",
            Self::TooManyInterim => "answer_too_many_interim",
            Self::Malformed(_) => "answer_malformed",
        }
    }
}

/// An incremental reader of one final answer.
pub struct AnswerReader {
    buffer: Vec<u8>,
    scanner: Scanner,
    bytes_left: usize,
    interim: usize,
    failed: Option<AnswerError>,
}

impl AnswerReader {
    /// An empty reader, for 32 KiB and 100 fields.
    pub fn new() -> Self {
        Self {
            buffer: Vec::new(),
            scanner: Scanner::new(Grammar::Response),
            bytes_left: HeadLimits::default().bytes_max,
            interim: 0,
            failed: None,
        }
    }

    /// Appends what was read. Call [`Self::take_answer`] after each feed: it is what applies the limits.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Takes the final answer out, if it is whole; `None` means that more bytes are needed. A 101 is final.
    pub fn take_answer(&mut self) -> Result<Option<Answer>, AnswerError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        self.next_final().inspect_err(|error| self.failed = Some(*error))
    }

    /// Takes what has arrived behind the answer: its body, or the tunnel's first bytes.
    pub fn take_pending(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.buffer)
    }

    /// Bounded by `INTERIM_MAX`: every turn takes one head out of the buffer.
    fn next_final(&mut self) -> Result<Option<Answer>, AnswerError> {
        while let Some(answer) = self.next_head()? {
            if answer.status == 101 || answer.status >= 200 {
                return Ok(Some(answer));
            }
            self.interim += 1;
            if self.interim > INTERIM_MAX {
                return Err(AnswerError::TooManyInterim);
            }
        }
        Ok(None)
    }

    fn next_head(&mut self) -> Result<Option<Answer>, AnswerError> {
        let limits =
            ScanLimits { bytes_max: self.bytes_left, fields_max: HeadLimits::default().fields_max };
        let Some(found) = self.scanner.scan(&self.buffer, limits).map_err(AnswerError::from)?
        else {
            return Ok(None);
        };
        self.bytes_left = self.bytes_left.saturating_sub(found.end);
        self.scanner = Scanner::new(Grammar::Response);
        Answer::parse(found.split_from(&mut self.buffer), found.fields)
            .map(Some)
            .map_err(AnswerError::from)
    }
}

impl Default for AnswerReader {
    fn default() -> Self {
        Self::new()
    }
}

impl From<HeadError> for AnswerError {
    fn from(error: HeadError) -> Self {
        match error {
            HeadError::TooLarge => Self::TooLarge,
            other => Self::Malformed(other),
        }
    }
}

/// The head of an upstream's final answer.
pub struct Answer {
    table: FieldTable,
    status: u16,
    version: Version,
}

impl Answer {
    fn parse(bytes: Vec<u8>, fields: usize) -> Result<Self, HeadError> {
        let bytes = bytes.into_boxed_slice();
        let mut slots = vec![httparse::EMPTY_HEADER; fields];
        let mut response = httparse::Response::new(&mut slots);
        let end = response.parse(&bytes)?;
        let (Some(status), Some(minor)) = (response.code, response.version) else {
            return Err(HeadError::Malformed);
        };
        if end != httparse::Status::Complete(bytes.len()) || status < 100 {
            return Err(HeadError::Malformed);
        }
        let spans = FieldTable::spans(&bytes, response.headers);
        Ok(Self {
            table: FieldTable::new(bytes, spans),
            status,
            version: Version::from_minor(minor),
        })
    }

    /// The status code, 100 to 999.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The version of the status line.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Every field in order.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.table.iter()
    }

    /// The values of all fields of that name, in any case.
    pub fn values<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'h [u8]> {
        self.table.values(name)
    }

    /// The head as the client gets it, and how the body behind it is framed on both sides: a chunked
    /// body is decoded and encoded anew. The connection closes behind it if asked, and whenever only
    /// its end can end the body. For answers to GET.
    pub fn relayed_head(&self, close: bool) -> Result<(Vec<u8>, Framing), UpstreamDefect> {
        let framing = self.framing()?;
        let mut out = self.status_line();
        let upgrade = self.status == 426
            && self.values("upgrade").any(|value| value.eq_ignore_ascii_case(b"websocket"));
        let connection: &[u8] = match (close || framing == Framing::UntilEof, upgrade) {
            (true, true) => b"Connection: close, Upgrade\r\nUpgrade: websocket\r\n",
            (true, false) => b"Connection: close\r\n",
            (false, true) => b"Connection: Upgrade\r\nUpgrade: websocket\r\n",
            (false, false) => b"",
        };
        out.extend_from_slice(connection);
        match framing {
            Framing::Length(length) => {
                out.extend_from_slice(format!("Content-Length: {length}\r\n").as_bytes());
            }
            Framing::Chunked => out.extend_from_slice(b"Transfer-Encoding: chunked\r\n"),
            Framing::None | Framing::UntilEof => {}
        }
        self.write_end_to_end(&mut out);
        out.extend_from_slice(b"\r\n");
        Ok((out, framing))
    }

    /// Writes every field that goes on; framing and the connection's own fields are the caller's.
    pub(super) fn write_end_to_end(&self, out: &mut Vec<u8>) {
        let options = ConnectionOptions::read(self.values("connection"));
        for (name, value) in self.fields() {
            let listed = options.as_ref().is_ok_and(|options| options.lists(name));
            if listed || is_hop_by_hop(name) || is_framing(name) {
                continue;
            }
            for part in [name.as_bytes(), b": ", value, b"\r\n"] {
                out.extend_from_slice(part);
            }
        }
    }

    /// RFC 9112 §6.3, strict: two lengths, even equal ones, are no length.
    fn framing(&self) -> Result<Framing, UpstreamDefect> {
        let (mut lengths, mut codings) =
            (self.values("content-length"), self.values("transfer-encoding"));
        let (length, coding) = (lengths.next(), codings.next());
        let repeated = lengths.next().is_some() || codings.next().is_some();
        if repeated || (length.is_some() && coding.is_some()) {
            return Err(UpstreamDefect::Framing);
        }
        let read = match (length, coding) {
            (Some(digits), _) => crate::body::parse_length(digits).map(Framing::Length),
            (None, Some(coding)) => {
                let chunked =
                    coding.eq_ignore_ascii_case(b"chunked") && self.version == Version::Http11;
                chunked.then_some(Framing::Chunked)
            }
            (None, None) => Some(Framing::UntilEof),
        };
        let bodiless = self.status < 200 || matches!(self.status, 204 | 304);
        let framing = read.ok_or(UpstreamDefect::Framing)?;
        Ok(if bodiless { Framing::None } else { framing })
    }

    /// The upstream's own reason phrase is not relayed: it is free text (RFC 9112 §4).
    fn status_line(&self) -> Vec<u8> {
        let known =
            StatusCode::from_u16(self.status).ok().and_then(|status| status.canonical_reason());
        format!("HTTP/1.1 {} {}\r\n", self.status, known.unwrap_or_default()).into_bytes()
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

fn is_framing(name: &str) -> bool {
    ["content-length", "transfer-encoding"].iter().any(|known| name.eq_ignore_ascii_case(known))
}
