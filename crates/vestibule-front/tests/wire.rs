//! What the public port promises, tried with raw bytes and three actors: a client over real TCP, the real front in
//! this process, and a scripted service that records every byte of every connection.

#[cfg(test)]
#[path = "wire/actors.rs"]
mod actors;
#[cfg(test)]
#[path = "wire/drain.rs"]
mod drain;
#[cfg(test)]
#[path = "wire/endings.rs"]
mod endings;
#[cfg(test)]
#[path = "wire/fairness.rs"]
mod fairness;
#[cfg(test)]
#[path = "wire/full.rs"]
mod full;
#[cfg(test)]
#[path = "wire/handshakes.rs"]
mod handshakes;
#[cfg(test)]
#[path = "wire/hanging.rs"]
mod hanging;
#[cfg(test)]
#[path = "wire/health.rs"]
mod health;
#[cfg(test)]
#[path = "wire/held.rs"]
mod held;
#[cfg(test)]
#[path = "wire/invariants.rs"]
mod invariants;
#[cfg(test)]
#[path = "wire/plain.rs"]
mod plain;
#[cfg(test)]
#[path = "wire/plain_answers.rs"]
mod plain_answers;
#[cfg(test)]
#[path = "wire/plain_bodies.rs"]
mod plain_bodies;
#[cfg(test)]
#[path = "wire/plain_reused.rs"]
mod plain_reused;
#[cfg(test)]
#[path = "wire/premature.rs"]
mod premature;
#[cfg(test)]
#[path = "wire/refusals.rs"]
mod refusals;
#[cfg(test)]
#[path = "wire/serving.rs"]
mod serving;
#[cfg(test)]
#[path = "wire/settle.rs"]
mod settle;
#[cfg(test)]
#[path = "wire/unix.rs"]
mod unix;
