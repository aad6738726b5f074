//! Checks of what a service needs: databases, buses, servers, names, files.
//!
//! Owns one file for each kind, by a feature of its name, and the floor that they share: options, sockets, TLS.
//! Each asks one question in one try. Must never retry, wait between tries, or keep a connection behind a try:
//! `vestibule::validation` decides when to ask. Must never show a password, token or query, and never read
//! more of an answer than [`capped::ANSWER_MAX`].
#![forbid(unsafe_code)]

pub mod capped;
#[cfg(feature = "grpc")]
pub mod grpc;
pub mod kind;
#[cfg(feature = "nats")]
pub mod nats;
pub mod options;
pub mod profile;
pub mod socket;
#[cfg(feature = "tcp")]
pub mod tcp;
#[cfg(feature = "tls")]
pub mod tls;

pub use self::kind::{Kind, build};
pub use self::options::{Flaw, Key, Options, Value, Wants};
pub use self::profile::{Part, Profile};
