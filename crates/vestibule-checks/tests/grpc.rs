//! Checks of kind `grpc` against tonic's own health server, and against liars.
//!
//! Breaks the check with every state of such a server: down, late, silent, slow, not serving, killed amid a
//! pass; with wrong certificates; and with peers that speak something else. With `watch`, no poll helps.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests say what they expect by unwrapping"
)]

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
#[path = "servers/grpc_server.rs"]
mod grpc_server;
#[cfg(test)]
#[path = "grpc/liars.rs"]
mod liars;
#[cfg(test)]
#[path = "servers/relay.rs"]
#[allow(dead_code, reason = "tests of other servers use more of it")]
mod relay;
#[cfg(test)]
#[path = "grpc/states.rs"]
mod states;
#[cfg(test)]
#[path = "grpc/tls.rs"]
mod tls;
#[cfg(test)]
#[path = "grpc/watch.rs"]
mod watch;

#[cfg(test)]
use vestibule_checks::{Kind, Options};

/// A check that was declared so.
#[cfg(test)]
fn declared(options: &Options) -> asked::Asked {
    asked::Asked::new(asked::check(Kind::Grpc, options))
}

/// A check of the whole server at this port.
#[cfg(test)]
fn of(port: u16) -> asked::Asked {
    declared(&Options::url(format!("grpc://127.0.0.1:{port}")))
}
