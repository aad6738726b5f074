//! Ready means ready: the real front before a scripted service, with scripted checks.
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
#[path = "checks/afterwards.rs"]
mod afterwards;
#[cfg(test)]
#[path = "checks/budget.rs"]
mod budget;
#[cfg(test)]
#[allow(dead_code, reason = "the desk of the admin address, of which not all is asked here")]
#[path = "admin/desk.rs"]
mod desk;
#[cfg(test)]
#[path = "checks/first_ready.rs"]
mod first_ready;
#[cfg(test)]
#[path = "checks/reported.rs"]
mod reported;
#[cfg(test)]
#[path = "admin/schema.rs"]
mod schema;
#[cfg(test)]
#[path = "checks/scripted.rs"]
mod scripted;
