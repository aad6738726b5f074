//! The front process: reads heads, holds handshakes, hands them over, tunnels.
//!
//! Owns every byte and descriptor between a public client and the upstream.
//! Must never print, parse flags, or read the process environment.

pub mod body;
pub mod ending;
pub mod head;
pub mod process;
pub mod refuse;
pub mod tunnel;
