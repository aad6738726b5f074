//! Checks of what a service needs: databases, buses, servers, names, files.
//!
//! Owns one file for each kind, by a feature of its name, and the floor that they share: options, sockets, TLS.
//! Each asks one question in one try. Must never retry, wait between tries, or keep a connection behind a try:
//! `vestibule::validation` decides when to ask. Must never show a password, token or query, and never read
//! more of an answer than [`capped::ANSWER_MAX`].
#![forbid(unsafe_code)]

mod aside;
pub mod capped;
#[cfg(feature = "command")]
pub mod command;
mod discreet;
#[cfg(feature = "dns")]
pub mod dns;
#[cfg(feature = "file")]
pub mod file;
#[cfg(feature = "grpc")]
pub mod grpc;
#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "jwks")]
pub mod jwks;
pub mod kind;
#[cfg(feature = "nats")]
pub mod nats;
#[cfg(any(feature = "grpc", feature = "http", feature = "postgres"))]
mod opening;
pub mod options;
#[cfg(feature = "postgres")]
pub mod postgres;
pub mod profile;
#[cfg(feature = "redis")]
pub mod redis;
pub mod socket;
#[cfg(feature = "tcp")]
pub mod tcp;
#[cfg(feature = "tls")]
pub mod tls;

pub use self::kind::{Kind, Surroundings, build, build_with};
pub use self::options::{Flaw, Key, Options, Value, Wants};
pub use self::profile::{Part, Profile};
