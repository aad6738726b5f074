//! The front process: reads heads, holds handshakes, hands them over, tunnels.
//!
//! Owns every byte and descriptor between a public client and the upstream.
//! Must never print, parse flags, or read the process environment.

pub mod admin;
pub mod after;
pub mod body;
pub mod connection;
pub mod crowd;
pub mod descriptors;
pub mod drain;
pub mod ending;
pub mod farewell;
pub mod front;
pub mod handover;
pub mod head;
pub mod hold;
pub mod journal;
pub mod listener;
pub mod process;
pub mod proxy;
pub mod refuse;
pub mod relay;
pub mod service;
pub mod shared;
pub mod stream;
pub mod supervise;
pub mod terminal;
pub mod tunnel;
pub mod upstream;
pub mod wellness;
