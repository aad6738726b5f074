//! What the admin address promises, tried over real sockets beside a real front.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests say what they expect by unwrapping"
)]

#[cfg(test)]
#[allow(dead_code, reason = "the actors of the public port, of whom not all play here")]
#[path = "wire/actors.rs"]
mod actors;
#[cfg(test)]
#[path = "admin/calls.rs"]
mod calls;
#[cfg(test)]
#[path = "admin/counts.rs"]
mod counts;
#[cfg(test)]
#[path = "admin/desk.rs"]
mod desk;
#[cfg(test)]
#[path = "admin/documents.rs"]
mod documents;
#[cfg(test)]
#[path = "admin/schema.rs"]
mod schema;
#[cfg(test)]
#[path = "admin/secrets.rs"]
mod secrets;
#[cfg(test)]
#[path = "admin/strangers.rs"]
mod strangers;
