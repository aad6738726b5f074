//! What Cloud Run asks of a service with WebSockets, in its manifest and while it runs.
//!
//! Breaks one requirement at a time: in the manifest, which the doctor must see, and in requests, which the running
//! service must refuse.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    dead_code,
    reason = "tests say what they expect by unwrapping; the stage is that of other plays, too"
)]

#[path = "gcp/manifests.rs"]
mod manifests;
#[path = "gcp/running.rs"]
mod running;
#[path = "stage/stage.rs"]
mod stage;
