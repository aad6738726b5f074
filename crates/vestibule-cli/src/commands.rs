//! What each subcommand does.
//!
//! Owns the way from validated settings to the crates that do the work.

pub(crate) mod demo;
pub(crate) mod door;
pub(crate) mod race;
pub(crate) mod run;
pub(crate) mod serve;
