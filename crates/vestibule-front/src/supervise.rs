//! The service's life from start to end, and ours with it.
//!
//! Owns the order of things: start, wait for readiness, restart, drain, stop. Must never touch a
//! client's bytes, and never wait without a bound once we are asked to leave.

mod budget;
pub mod launch;
mod learn;
pub mod leave;
pub mod restart;
pub mod run;
pub mod serve;
mod validate;

use crate::process::exit::Exit;
pub use crate::shared::Patience;
use crate::upstream::probe::Readiness;

/// How readiness is learnt, and whether the user said so.
#[derive(Clone, Debug)]
pub struct Source {
    /// Where it is learnt.
    pub readiness: Readiness,
    /// Nobody chose it: a child that speaks `sd_notify` overrides it.
    pub by_default: bool,
}

/// How the front's life ended.
#[derive(Debug)]
pub enum Outcome {
    /// The child ended, by itself or because we asked it to.
    Child(Exit),
    /// The child could not be started; the code of a shell.
    NotStarted(u8),
    /// The startup budget ended before the service was ready.
    NeverReady,
    /// We were asked to leave, and own no process.
    Left,
}
