//! What the libFuzzer binaries share.
//!
//! Owns their end. Must never hold a property: those are in `vestibule-fuzz`.

use rustix::process::{Signal, set_parent_process_death_signal};

/// A fuzzer whose starter was killed would keep a processor busy until its time is over; with
/// SIGTERM libFuzzer leaves in order.
pub fn end_with_whoever_started_us() {
    let _ = set_parent_process_death_signal(Some(Signal::TERM));
}
