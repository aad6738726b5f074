//! The sockets of the service, with real clients: SQLite, the bus in process, and a model that reads from a script.
//!
//! Breaks them by leaving and coming again at each place, by signals that never come, by clients that do not read, say
//! nothing, say too much or say nonsense, and by tokens that are wrong, end, or are revoked.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests say what they expect by unwrapping"
)]

#[path = "sockets/bounds.rs"]
mod bounds;
#[path = "sockets/client.rs"]
mod client;
#[path = "sockets/door.rs"]
mod door;
#[path = "sockets/lasting.rs"]
mod lasting;
#[path = "sockets/order.rs"]
mod order;
#[path = "sockets/service.rs"]
mod service;
#[path = "sockets/threads.rs"]
mod threads;
