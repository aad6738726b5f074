//! Checks against real servers, in every way in which such a server is not ready, and back again.
//!
//! Breaks what a check says by what real servers do: down, late, silent, full, starting, read-only, leaving,
//! killed amid a pass. Each test has servers of its own; `daemon` starts and ends them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests say what they expect by unwrapping"
)]

#[cfg(test)]
#[path = "servers/asked.rs"]
#[allow(dead_code, reason = "shared with the other tests against servers")]
mod asked;
#[cfg(test)]
#[path = "servers/certificates.rs"]
mod certificates;
#[cfg(test)]
#[path = "servers/daemon.rs"]
mod daemon;
#[cfg(test)]
#[path = "servers/encrypted.rs"]
mod encrypted;
#[cfg(test)]
#[path = "servers/harness.rs"]
mod harness;
#[cfg(test)]
#[path = "servers/liars.rs"]
mod liars;
#[cfg(test)]
#[path = "servers/postgres.rs"]
mod postgres;
#[cfg(test)]
#[path = "servers/postgres_server.rs"]
mod postgres_server;
#[cfg(test)]
#[path = "servers/redis.rs"]
mod redis;
#[cfg(test)]
#[path = "servers/redis_server.rs"]
mod redis_server;
#[cfg(test)]
#[path = "servers/rig.rs"]
mod rig;
