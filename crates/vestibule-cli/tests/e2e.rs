//! The real binary against real processes, signals and clients, from its first line to its last status.
//!
//! Every wait here is for a condition, with a bound that only a defect reaches; what a test starts carries
//! a mark in its environment and is ended with the test, however that ends. The services are a small one
//! of our own (`e2e/app.py`, Python's standard library alone) and, for real clients, those of
//! `examples/slow-backends`, which `./test` installs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests say what they expect by unwrapping"
)]

#[path = "e2e/admin.rs"]
mod admin;
#[path = "e2e/client.rs"]
mod client;
#[path = "e2e/door.rs"]
mod door;
#[path = "e2e/drain.rs"]
mod drain;
#[path = "e2e/early_end.rs"]
mod early_end;
#[path = "e2e/echo.rs"]
mod echo;
#[path = "e2e/exits.rs"]
mod exits;
#[path = "e2e/left_behind.rs"]
mod left_behind;
#[path = "e2e/logs.rs"]
mod logs;
#[path = "e2e/notify.rs"]
mod notify;
#[path = "e2e/random_moments.rs"]
mod random_moments;
#[path = "e2e/real_clients.rs"]
mod real_clients;
#[path = "e2e/reload.rs"]
mod reload;
#[path = "e2e/restart.rs"]
mod restart;
#[path = "e2e/serve.rs"]
mod serve;
#[path = "e2e/signals.rs"]
mod signals;
#[path = "e2e/stage.rs"]
mod stage;
#[path = "e2e/startup_phases.rs"]
mod startup_phases;
#[path = "e2e/usage.rs"]
mod usage;
