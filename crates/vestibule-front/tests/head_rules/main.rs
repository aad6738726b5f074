//! The rules of the door: tables of heads, answers and bodies that must be refused, and the few that may pass.
//!
//! Every test feeds literal bytes to the pure cores and looks at the value that comes out. The rows named
//! `a01` to `a18` follow the catalogue of attacks.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a table says what it expects by unwrapping"
)]

mod answer;
mod body;
mod facts;
mod framing;
mod handshake;
mod identity;
mod kit;
mod reader;
mod refuse;
mod relay;
mod target;
