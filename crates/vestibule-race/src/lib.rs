//! Reproduces the cold-start race and counts what clients saw.
//!
//! Owns the scenario, its clients, the one clock they share with the target, the count and the
//! reports. Must never print, never read the environment, and never leave a process behind: a
//! [`run`] that is dropped half-way kills what it started.
#![forbid(unsafe_code)]

mod client;
mod clock;
mod error;
mod evidence;
mod free_port;
mod listening;
pub mod platform;
mod race;
pub mod report;
mod scenario;
mod seen;
pub mod tally;
mod target;
mod trace;

pub use clock::Clock;
pub use error::RaceError;
pub use evidence::{Readiness, STAMP_VARIABLE, Source};
pub use platform::{CloudRun, Probe, Routing};
pub use race::{Outcome, Progress, Role, run};
pub use scenario::{Address, Door, Launch, Output, Scenario, Target};
pub use seen::{Client, Seen};
pub use target::Exit;
pub use trace::{Direction, Passage, Trace};
