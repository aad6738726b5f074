//! No secret and no control character leaves the door, against the real binary.
//!
//! Puts a canary of its own, and sequences that a terminal obeys, into every place where something comes
//! in: requests, answers, tunnels, messages of the child, command lines, variables, files. Then reads all
//! that comes out: log lines in both forms, refusals, the admin address, `check-config`, mistakes, reports
//! of races, panics. What may be seen where, and why, stands in each test's table of [`Allowed`]; an entry
//! that is not needed fails, too.
//!
//! [`Allowed`]: ledger::Allowed
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    dead_code,
    reason = "tests say what they expect by unwrapping; not every test needs all of the stage"
)]

#[path = "secrets/admin.rs"]
mod admin;
#[path = "secrets/answers.rs"]
mod answers;
#[path = "secrets/child.rs"]
mod child;
#[path = "e2e/client.rs"]
mod client;
#[path = "secrets/configuration.rs"]
mod configuration;
#[path = "secrets/dependencies.rs"]
mod dependencies;
#[path = "e2e/door.rs"]
mod door;
#[path = "secrets/ledger.rs"]
mod ledger;
#[path = "secrets/panics.rs"]
mod panics;
#[path = "secrets/races.rs"]
mod races;
#[path = "secrets/reloads.rs"]
mod reloads;
#[path = "secrets/requests.rs"]
mod requests;
#[path = "e2e/stage.rs"]
mod stage;
#[path = "secrets/wicked.rs"]
mod wicked;
