//! The WebSocket of a user.
//!
//! Owns one connection: its authentication, its place in the user's events, its heartbeat and its bounds. Must never
//! hold more than a bounded number of bytes for a client that reads slowly, and must never send an event twice or out
//! of order.

use std::time::Duration;

/// The subprotocol of this service. A client offers it together with `bearer.TOKEN`, which is never chosen.
pub const SUBPROTOCOL: &str = "golden-path.v1";

/// Close codes of our own (RFC 6455 section 7.4.2 leaves 4000 to 4999 to applications).
pub mod close {
    /// The token has ended or was revoked: get another and come again.
    pub const TOKEN: u16 = 4401;
    /// The client broke a rule of the protocol; the reason says which.
    pub const POLICY: u16 = 1008;
    /// The client read too slowly: come again with `last_event_id`.
    pub const SLOW: u16 = 4408;
    /// The user has too many sockets.
    pub const TOO_MANY: u16 = 4429;
    /// The service restarts: come again.
    pub const RESTART: u16 = 1012;
    /// The service is not ready: what a door is for.
    pub const NOT_READY: u16 = 1011;
}

/// The bounds of sockets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketSettings {
    /// How often each side hears from the other.
    pub heartbeat: Duration,
    /// How long a write may take.
    pub write_within: Duration,
    /// How many sockets a user may have.
    pub sockets_max: usize,
    /// How many messages a user may send in a minute.
    pub messages_a_minute: u32,
}
