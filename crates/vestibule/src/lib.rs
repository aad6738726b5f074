//! Readiness, gate and patience for services that take WebSockets before they are ready.
//!
//! Owns the pure rules: where we run, how patient to be, what readiness means, who may pass.
//! Must never listen, print, spawn processes, or know HTTP.
#![forbid(unsafe_code)]

#[cfg(feature = "axum")]
pub mod axum;
pub mod backoff;
#[cfg(feature = "tower")]
pub mod connection;
#[cfg(feature = "tower")]
mod door;
pub mod environment;
mod follow;
pub mod gate;
#[cfg(feature = "tower")]
pub mod layer;
pub mod readiness;
pub mod startup;
pub mod timeouts;

#[cfg(feature = "tower")]
pub use self::door::{Door, NothingFailed, Settings, Startup, StartupError};
