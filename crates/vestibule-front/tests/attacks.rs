//! The attack catalogue, as a table: what a client says in raw bytes, what it must see, and what the service must
//! have seen.
//!
//! Each row is sent twice, with and without the fields of a handshake where that makes sense, first through the front
//! to a service that keeps every byte, and then to real servers (uvicorn with both of its parsers, Node's with `ws`,
//! nginx). After each row an honest request goes the same way. Whatever the row says, the service has seen exactly the
//! requests that the front has counted, and the honest one got its own answer.

#[cfg(test)]
#[path = "wire/actors.rs"]
#[allow(dead_code, reason = "the actors are those of the other wire tests, which use more of them")]
mod actors;
#[cfg(test)]
#[path = "attacks/answers.rs"]
mod answers;
#[cfg(test)]
#[path = "attacks/chunks.rs"]
mod chunks;
#[cfg(test)]
#[path = "attacks/exhaustion.rs"]
mod exhaustion;
#[cfg(test)]
#[path = "attacks/framing.rs"]
mod framing;
#[cfg(test)]
#[path = "attacks/hops.rs"]
mod hops;
#[cfg(test)]
#[path = "attacks/lines.rs"]
mod lines;
#[cfg(test)]
#[path = "attacks/play.rs"]
mod play;
#[cfg(test)]
#[path = "attacks/real.rs"]
mod real;
#[cfg(test)]
#[path = "attacks/recorder.rs"]
mod recorder;
#[cfg(test)]
#[path = "attacks/row.rs"]
mod row;
#[cfg(test)]
#[path = "attacks/targets.rs"]
mod targets;
#[cfg(test)]
#[path = "attacks/upgrades.rs"]
mod upgrades;
