//! What the door has taken of the machine.
//!
//! Owns reading it from the kernel and from the door's own metrics. Must never judge by one reading what
//! takes a moment to come back.

use std::fs;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::time::{Instant, interval};

use crate::client::Client;
use crate::door::Door;
use crate::stage::BOUND;

/// Descriptors that the test needs beside those of the silent: ghosts, the greedy, the honest.
const OWN: u64 = 3_500;
/// What the whole attack is made of, where descriptors allow.
const SILENT: usize = 8_000;
const GHOSTS: usize = 2_000;
/// What one connection without a head may cost: its task, its socket's bookkeeping.
const EACH_KIB_MAX: f64 = 8.0;
/// What may stay after the storm: the allocator's own, not ours.
const LEFT_KIB_MAX: f64 = 8.0 * 1024.0;

/// How many attackers this machine's limit of open files allows.
pub(crate) struct Scale {
    pub(crate) silent: usize,
    pub(crate) ghosts: usize,
    /// The door's own limit: it can't have all of the silent at once.
    pub(crate) door: usize,
}

impl Scale {
    /// The whole attack, or as much of it as fits; says aloud if it is less.
    pub(crate) fn for_this_machine() -> Self {
        let limit = getrlimit(Resource::Nofile);
        let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
        setrlimit(Resource::Nofile, raised).unwrap();
        let free = limit.maximum.unwrap_or(u64::MAX).saturating_sub(OWN);
        let fits = usize::try_from(free).unwrap_or(usize::MAX);
        let silent = SILENT.min(fits);
        if silent < SILENT {
            println!("open files are limited: {silent} silent connections instead of {SILENT}");
        }
        Self { silent, ghosts: GHOSTS.min(fits), door: silent * 3 / 2 }
    }
}

/// One reading.
pub(crate) struct Ledger {
    tasks: usize,
    descriptors: usize,
    resident_kib: f64,
}

impl Ledger {
    pub(crate) async fn of(door: &Door) -> Self {
        let tasks = tasks(door).await;
        let pid = door.started_pid();
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        Self {
            tasks,
            descriptors: fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count(),
            resident_kib: resident.trim().trim_end_matches(" kB").parse().unwrap(),
        }
    }
}

/// Prints what the attack costs, and fails if it is not bounded.
pub(crate) fn print(scale: &Scale, before: &Ledger, during: &Ledger) {
    let each = (during.resident_kib - before.resident_kib) / scale.silent as f64;
    println!(
        "{} connections without a head: {:.1} MiB, {each:.2} KiB each, {} descriptors, {} tasks",
        scale.silent,
        during.resident_kib / 1024.0,
        during.descriptors,
        during.tasks,
    );
    assert!(each < EACH_KIB_MAX, "{each:.2} KiB for each connection that has sent nothing");
}

/// Waits until descriptors, tasks and memory are back.
pub(crate) async fn is_back(door: &Door, before: &Ledger, during: &Ledger) {
    let deadline = Instant::now() + BOUND;
    let mut looks = interval(Duration::from_millis(100));
    loop {
        looks.tick().await;
        let now = Ledger::of(door).await;
        let is_back = now.descriptors <= before.descriptors + 4
            && now.tasks <= before.tasks + 4
            && now.resident_kib - before.resident_kib < LEFT_KIB_MAX;
        let shown = format!(
            "afterwards: {} descriptors (before: {}), {} tasks ({}), {:.1} MiB ({:.1}; during: {:.1})",
            now.descriptors,
            before.descriptors,
            now.tasks,
            before.tasks,
            now.resident_kib / 1024.0,
            before.resident_kib / 1024.0,
            during.resident_kib / 1024.0,
        );
        if is_back {
            return println!("{shown}");
        }
        assert!(Instant::now() < deadline, "not back, {shown}");
    }
}

/// How many tasks the door has, by its own word.
async fn tasks(door: &Door) -> usize {
    let line = door.logs("admin").await;
    let address = line.split("address=").nth(1).unwrap().split(' ').next().unwrap();
    let mut client = Client::connect(address).await.unwrap();
    let ask = format!("GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    client.send(&ask).await;
    let text = String::from_utf8(client.rest().await).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("vestibule_tasks "));
    line.unwrap_or_else(|| panic!("no tasks: {text}")).parse().unwrap()
}
