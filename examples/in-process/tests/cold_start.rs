//! Breaks the examples with clients that come before readiness, with a startup that fails, and with a client
//! that does not wait long. Real processes on free ports, real clients.

#[cfg(test)]
#[path = "cold_start/calls.rs"]
mod calls;
#[cfg(test)]
#[path = "cold_start/lines.rs"]
mod lines;
#[cfg(test)]
#[path = "cold_start/service.rs"]
mod service;
#[cfg(test)]
#[path = "cold_start/sockets.rs"]
mod sockets;
