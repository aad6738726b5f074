//! The fault matrix: each kind that uses the network meets everything that a socket can do to it.
//!
//! Breaks checks by a proxy that misbehaves, in front of a healthy server of each kind. The client libraries are
//! the real ones, and so are sockets and time. Each cell is one pass over one check and must have the outcome of
//! `faults/expected.txt`, end with its budget, read no more than a bounded answer, and leave no connection; after
//! all of them no task and no descriptor is left. `--nocapture` shows the matrix.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests say what they expect by unwrapping"
)]

#[cfg(test)]
#[path = "faults/cell.rs"]
mod cell;
#[cfg(test)]
#[path = "servers/daemon.rs"]
#[allow(dead_code, reason = "shared with the other tests against servers")]
mod daemon;
#[cfg(test)]
#[path = "faults/fault.rs"]
mod fault;
#[cfg(test)]
#[path = "faults/healthy.rs"]
mod healthy;
#[cfg(test)]
#[path = "faults/matrix.rs"]
mod matrix;
#[cfg(test)]
#[path = "servers/postgres_server.rs"]
#[allow(dead_code, reason = "shared with the other tests against servers")]
mod postgres_server;
#[cfg(test)]
#[path = "faults/proxy.rs"]
mod proxy;
#[cfg(test)]
#[path = "servers/redis_server.rs"]
#[allow(dead_code, reason = "shared with the other tests against servers")]
mod redis_server;
