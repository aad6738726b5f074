//! Checks of kind `nats` against a real nats-server, and against liars.
//!
//! Breaks the check with every state of such a server: down, late, silent, slow, full, leaving, killed amid a
//! pass, without JetStream; with wrong tokens and certificates; and with peers that say too much, or nonsense.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests say what they expect by unwrapping"
)]

#[cfg(test)]
#[path = "nats/access.rs"]
mod access;
#[cfg(test)]
#[path = "servers/asked.rs"]
mod asked;
#[cfg(test)]
#[path = "servers/certificates.rs"]
mod certificates;
#[cfg(test)]
#[path = "servers/daemon.rs"]
#[allow(dead_code, reason = "tests of other servers use more of it")]
mod daemon;
#[cfg(test)]
#[path = "nats/jetstream.rs"]
mod jetstream;
#[cfg(test)]
#[path = "nats/liars.rs"]
mod liars;
#[cfg(test)]
#[path = "servers/nats_server.rs"]
mod nats_server;
#[cfg(test)]
#[path = "servers/relay.rs"]
#[allow(dead_code, reason = "tests of other servers use more of it")]
mod relay;
#[cfg(test)]
#[path = "nats/states.rs"]
mod states;
#[cfg(test)]
#[path = "nats/tls.rs"]
mod tls;

#[cfg(test)]
use vestibule_checks::{Kind, Options};

/// A check of this URL.
#[cfg(test)]
fn of(url: impl Into<String>) -> asked::Asked {
    declared(&Options::url(url))
}

/// A check that was declared so.
#[cfg(test)]
fn declared(options: &Options) -> asked::Asked {
    asked::Asked::new(asked::check(Kind::Nats, options))
}
