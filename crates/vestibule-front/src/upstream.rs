//! The way to the service behind.
//!
//! Owns dialling, probing, one try of a hand-over, and what makes a try settled.
//! Must never hold a client: who may try, and how often, is the gate's to say.

pub mod ahead;
pub mod dial;
pub mod handshake;
mod patient;
pub mod pool;
pub mod probe;
pub mod requests;
pub mod retry;
pub mod scout;
pub mod settle;
pub mod shortage;
pub mod upload;
