//! The trace a request belongs to, read strictly: what it yields goes into log lines.
//!
//! Owns the two formats in use on the platforms we know.
//! Must never yield a byte of the request: only numbers come out.

use std::fmt;

/// Identifiers of a distributed trace. Displayed as lower-case hexadecimal, so it is safe in a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceContext {
    /// The whole trace; never zero.
    pub trace_id: u128,
    /// The caller's span; zero when it was not said.
    pub span_id: u64,
    /// Whether the caller records this trace.
    pub sampled: bool,
}

impl TraceContext {
    /// Reads `traceparent`, or else `X-Cloud-Trace-Context`, through a look-up of single-valued fields.
    pub(super) fn read<'h>(field: impl Fn(&'static str) -> Option<&'h [u8]>) -> Option<Self> {
        let w3c = field("traceparent").and_then(Self::from_traceparent);
        w3c.or_else(|| field("x-cloud-trace-context").and_then(Self::from_cloud_trace))
    }

    /// W3C Trace Context §3.2: `version-traceid-parentid-flags`, lower-case hexadecimal.
    fn from_traceparent(value: &[u8]) -> Option<Self> {
        let mut parts = value.split(|&byte| byte == b'-');
        let version = hex(parts.next()?, 2)?;
        let trace_id = hex(parts.next()?, 32)?;
        let span_id = u64::try_from(hex(parts.next()?, 16)?).ok()?;
        let flags = hex(parts.next()?, 2)?;
        // Version 0 ends here; later ones may add parts, and 0xff is forbidden.
        let ends = parts.next().is_none() || version > 0;
        let valid = ends && version != 0xff && trace_id != 0 && span_id != 0;
        valid.then_some(Self { trace_id, span_id, sampled: flags & 1 == 1 })
    }

    /// Google Cloud Trace's older field: `TRACE_ID[/SPAN_ID][;o=OPTIONS]`, the span in decimal.
    fn from_cloud_trace(value: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(value).ok()?;
        let (ids, options) = text.split_once(';').unwrap_or((text, "o=0"));
        let (trace, span) = ids.split_once('/').unwrap_or((ids, "0"));
        let trace_id = hex(trace.to_ascii_lowercase().as_bytes(), 32).filter(|&id| id != 0)?;
        let all_digits = !span.is_empty() && span.bytes().all(|byte| byte.is_ascii_digit());
        let span_id = if all_digits {
            span.parse().ok()?
        } else {
            return None;
        };
        let sampled = match options {
            "o=0" | "o=2" => false,
            "o=1" | "o=3" => true,
            _ => return None,
        };
        Some(Self { trace_id, span_id, sampled })
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}-{:016x}", self.trace_id, self.span_id)
    }
}

/// Exactly `digits` lower-case hexadecimal digits.
fn hex(text: &[u8], digits: usize) -> Option<u128> {
    let lower = text.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if text.len() != digits || !lower {
        return None;
    }
    u128::from_str_radix(std::str::from_utf8(text).ok()?, 16).ok()
}
