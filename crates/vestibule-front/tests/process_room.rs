//! The process room against real processes: shells, Python, `systemd-notify`, and copies of this
//! very program.
//!
//! What a test does to its whole process (subreaper, inherited dirt, being killed) it does in a
//! copy: [`support::Helper`] runs this program again with one test alone, `helper`, and a name of
//! what to do. Nothing here sleeps and hopes: every wait is for a condition, with a bound, and a
//! bound that is reached is a failure.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests say what they expect by unwrapping")]

#[path = "process_room/child.rs"]
mod child;
#[path = "process_room/guard.rs"]
mod guard;
#[path = "process_room/listen.rs"]
mod listen;
#[path = "process_room/notify.rs"]
mod notify;
#[path = "process_room/orphans.rs"]
mod orphans;
#[path = "process_room/support.rs"]
mod support;

/// What the copies run; in the program itself it does nothing.
#[test]
fn helper() {
    let Some(role) = std::env::var_os(support::ROLE) else { return };
    let scratch = std::path::PathBuf::from(std::env::var_os(support::SCRATCH).unwrap());
    match role.to_str().unwrap() {
        "clean" => support::run(child::clean_helper(scratch)),
        "limits" => support::run(child::limits_helper(scratch)),
        "descendants" => support::run(orphans::descendants_helper(scratch)),
        "storm" => support::run(orphans::storm_helper(scratch)),
        "guarded" => guard::guarded_helper(&scratch),
        "unwatched" => guard::unwatched_helper(&scratch),
        "guarded-to-the-end" => guard::ending_helper(&scratch),
        other => panic!("no such role: {other}"),
    }
}
