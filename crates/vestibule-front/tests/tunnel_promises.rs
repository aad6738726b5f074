//! What a tunnel promises, tried from outside: over in-memory pipes with paused time, and over TCP.
//!
//! `wire` knows RFC 6455 on its own, so that the tunnel is never judged by its own reading of it.

#[cfg(test)]
#[path = "tunnel_promises/bytes.rs"]
mod bytes;
#[cfg(test)]
#[path = "tunnel_promises/close.rs"]
mod close;
#[cfg(test)]
#[path = "tunnel_promises/death.rs"]
mod death;
#[cfg(test)]
#[path = "tunnel_promises/ends.rs"]
mod ends;
#[cfg(test)]
#[path = "tunnel_promises/follower.rs"]
mod follower;
#[cfg(test)]
#[path = "tunnel_promises/plain_data.rs"]
mod plain_data;
#[cfg(test)]
#[path = "tunnel_promises/rig.rs"]
mod rig;
#[cfg(test)]
#[path = "tunnel_promises/stuck.rs"]
mod stuck;
#[cfg(test)]
#[path = "tunnel_promises/tcp.rs"]
mod tcp;
#[cfg(test)]
#[path = "tunnel_promises/wire.rs"]
mod wire;
