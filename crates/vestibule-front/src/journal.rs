//! One line for each thing that an operator must know about a connection.
//!
//! Owns the wording and the fields of these lines. Must never carry anything of a request but
//! the trace identifiers that were parsed from it.

use std::time::Duration;

use vestibule::gate::Release;

use crate::ending::Ending;
use crate::farewell::Reason;
use crate::head::TraceContext;
use crate::service::millis;
use crate::tunnel::Ended;

/// A handshake became a tunnel.
pub fn admitted(waited: Duration, tries: u32, trace: Option<TraceContext>) {
    let trace_id = trace.map(|trace| format!("{:032x}", trace.trace_id));
    let span_id = trace.map(|trace| format!("{:016x}", trace.span_id));
    let sampled = trace.map(|trace| trace.sampled);
    let waited_ms = millis(waited);
    tracing::info!(waited_ms, tries, trace = trace_id, span = span_id, sampled, "admitted");
}

/// Everyone who waited for a release has gone.
pub fn released(release: Release) {
    let took_ms = millis(release.took);
    tracing::info!(admitted = release.admitted, took_ms, "released");
}

/// A tunnel is over.
pub fn tunnel_ended(ended: &Ended, lasted: Duration) {
    tracing::info!(
        ending = %ended.ending,
        how = ended.detail.as_str(),
        to_client = ended.to_client,
        to_upstream = ended.to_upstream,
        close_sent = ended.close_sent,
        lasted_ms = millis(lasted),
        "tunnel ended",
    );
}

/// A client was refused.
pub fn refused(reason: &Reason, ending: Ending, waited_ms: u64) {
    tracing::info!(%reason, %ending, waited_ms, "refused");
}

/// A client left before it was answered.
pub fn left(ending: Ending, waited_ms: u64) {
    tracing::info!(%ending, waited_ms, "client left");
}

/// The service broke off in the middle of an answer.
pub fn broke_off(ending: Ending, lasted_ms: u64) {
    tracing::warn!(%ending, lasted_ms, "an answer broke off");
}

/// The service answered a handshake with something other than 101.
pub fn answered(status: u16, waited_ms: u64) {
    tracing::info!(status, waited_ms, "the service answered a handshake itself");
}
