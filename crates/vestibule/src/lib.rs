//! Readiness, gate and patience for services that take WebSockets before they are ready.
//!
//! Owns the pure rules: where we run, how patient to be, what readiness means, who may pass.
//! Must never listen, print, spawn processes, or know HTTP.
#![forbid(unsafe_code)]

pub mod backoff;
pub mod environment;
mod follow;
pub mod gate;
pub mod readiness;
pub mod startup;
pub mod timeouts;
