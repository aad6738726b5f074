//! The real binary on a machine that lacks something: descriptors, ports, processes, room, a network, a
//! name, a place to write to.
//!
//! The faults are made for real, in namespaces of the kernel and by limits, or by `strace` at the call that
//! meets them. Where this machine does not let us make one, the test says so on stdout and why, in a
//! line that begins with `NOT MADE`; with `VESTIBULE_FAULTS=all` in the environment it fails instead.
//! docs/faults.md says what is promised in each case.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    dead_code,
    reason = "tests say what they expect by unwrapping; the stage is that of other plays, too"
)]

#[path = "e2e/client.rs"]
mod client;
#[path = "e2e/door.rs"]
mod door;
#[path = "faults/limits.rs"]
mod limits;
#[path = "faults/machine.rs"]
mod machine;
#[path = "faults/network.rs"]
mod network;
#[path = "faults/output.rs"]
mod output;
#[path = "faults/places.rs"]
mod places;
#[path = "faults/programs.rs"]
mod programs;
#[path = "e2e/stage.rs"]
mod stage;
