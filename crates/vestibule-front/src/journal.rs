//! One line for each thing that an operator must know about a connection.
//!
//! Owns the wording and the fields of these lines. Must never carry anything of a request but
//! the trace identifiers that were parsed from it.

use std::time::Duration;

use vestibule::gate::Release;

use crate::ending::Ending;
use crate::farewell::Reason;
use crate::head::TraceContext;
use crate::tunnel::Ended;

/// The fields by which a log viewer joins a line to its trace.
struct Trace {
    id: Option<String>,
    span: Option<String>,
    sampled: Option<bool>,
}

impl From<Option<TraceContext>> for Trace {
    fn from(trace: Option<TraceContext>) -> Self {
        Self {
            id: trace.map(|trace| format!("{:032x}", trace.trace_id)),
            span: trace.map(|trace| format!("{:016x}", trace.span_id)),
            sampled: trace.map(|trace| trace.sampled),
        }
    }
}

/// A handshake became a tunnel.
pub fn admitted(waited: Duration, tries: u32, trace: Option<TraceContext>) {
    let Trace { id, span, sampled } = trace.into();
    let waited_ms = millis(waited);
    tracing::info!(waited_ms, tries, trace = id, span, sampled, "admitted");
}

/// Everyone who waited for a release has gone.
pub fn released(release: Release) {
    let took_ms = millis(release.took);
    tracing::info!(admitted = release.admitted, took_ms, "released");
}

/// A tunnel is over.
pub fn tunnel_ended(ended: &Ended, lasted: Duration, trace: Option<TraceContext>) {
    let Trace { id, span, sampled } = trace.into();
    tracing::info!(
        ending = %ended.ending,
        how = ended.detail.as_str(),
        to_client = ended.to_client,
        to_upstream = ended.to_upstream,
        close_sent = ended.close_sent,
        lasted_ms = millis(lasted),
        trace = id,
        span,
        sampled,
        "tunnel ended",
    );
}

/// A client was refused.
pub fn refused(reason: &Reason, ending: Ending, waited_ms: u64, trace: Option<TraceContext>) {
    let Trace { id, span, sampled } = trace.into();
    tracing::info!(%reason, %ending, waited_ms, trace = id, span, sampled, "refused");
}

/// A client left before it was answered.
pub fn left(ending: Ending, waited_ms: u64, trace: Option<TraceContext>) {
    let Trace { id, span, sampled } = trace.into();
    tracing::info!(%ending, waited_ms, trace = id, span, sampled, "client left");
}

/// The service broke off in the middle of an answer.
pub fn broke_off(ending: Ending, lasted_ms: u64) {
    tracing::warn!(%ending, lasted_ms, "an answer broke off");
}

/// The service answered a handshake with something other than 101.
pub fn answered(status: u16, waited_ms: u64) {
    tracing::info!(status, waited_ms, "the service answered a handshake itself");
}

/// Whole milliseconds, for the log.
pub fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
