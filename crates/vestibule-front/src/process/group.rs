//! Who is left, and the end of them.
//!
//! Owns the sweep over a group and over our descendants. Must never touch a process that is not
//! ours: each is named by number *and* start, and killed through a descriptor where the kernel has
//! one.

use std::collections::BTreeSet;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open, pidfd_send_signal};
use tokio::time::{Instant, sleep_until};

use super::guard::Guard;
use super::procfs::{self, Stat};
use super::{reap, roster};

/// Pauses between two sweeps: long enough for the kernel to end what was killed, short against any
/// grace.
const SWEEP_MIN: Duration = Duration::from_millis(1);
const SWEEP_MAX: Duration = Duration::from_millis(20);

/// The living processes of a group. Empty too where `/proc` is missing. Reads all of `/proc`: some
/// milliseconds on a machine with thousands of processes.
pub fn members(group: u32) -> Vec<u32> {
    procfs::processes()
        .iter()
        .filter(|stat| stat.group == group && !stat.zombie)
        .map(|stat| stat.pid)
        .collect()
}

/// Kills every descendant of ours, in whatever group or session, until none is left or `within` has
/// passed, and buries the dead; returns who is still there. The guard is spared, and so is the dead
/// leader of a [`Child`](super::child::Child) that has not been ended yet.
///
/// Descendants whose parents are gone are seen only by PID 1 or after
/// [`become_subreaper`](reap::become_subreaper). It is for the end of the process: every child of
/// any part of it is killed.
pub async fn end_descendants(within: Duration, spare: Option<&Guard>) -> Vec<u32> {
    let deadline = Instant::now() + within;
    let mut pause = SWEEP_MIN;
    loop {
        let left = sweep(spare.map(Guard::pid));
        if left.is_empty() || Instant::now() >= deadline {
            return left;
        }
        sleep_until(deadline.min(Instant::now() + pause)).await;
        pause = SWEEP_MAX.min(pause * 2);
    }
}

/// One pass. A process that forks faster than one pass loses to the next: whatever it leaves comes
/// to us.
fn sweep(guard: Option<u32>) -> Vec<u32> {
    let _ = reap::reap_orphans();
    let left: Vec<Stat> = descendants(std::process::id(), &procfs::processes())
        .into_iter()
        .filter(|stat| Some(stat.pid) != guard)
        .filter(|stat| !(stat.zombie && roster::lock().contains(&stat.pid)))
        .collect();
    for stat in left.iter().filter(|stat| !stat.zombie) {
        kill_exactly(stat);
    }
    left.iter().map(|stat| stat.pid).collect()
}

/// All below `root`, dead ones too, parents before children.
fn descendants(root: u32, all: &[Stat]) -> Vec<Stat> {
    let mut known = BTreeSet::from([root]);
    let mut found = Vec::new();
    // Each round but the last finds somebody, so there are at most as many rounds as processes.
    loop {
        let next: Vec<Stat> = all
            .iter()
            .filter(|stat| known.contains(&stat.parent) && !known.contains(&stat.pid))
            .copied()
            .collect();
        if next.is_empty() {
            return found;
        }
        known.extend(next.iter().map(|stat| stat.pid));
        found.extend(next);
    }
}

/// Kills this process and no later one of the same number.
fn kill_exactly(target: &Stat) {
    let Some(pid) = i32::try_from(target.pid).ok().and_then(Pid::from_raw) else {
        return;
    };
    let is_the_same = || procfs::stat(target.pid).is_some_and(|now| now.started == target.started);
    let result = match pidfd_open(pid, PidfdFlags::empty()) {
        // Looked at after the descriptor was taken: from here on it can mean nobody else.
        Ok(pidfd) if is_the_same() => pidfd_send_signal(pidfd, Signal::KILL),
        // Linux before 5.3, or a filter that forbids it.
        Err(Errno::NOSYS | Errno::PERM) if is_the_same() => kill_process(pid, Signal::KILL),
        _ => return,
    };
    match result {
        Ok(()) | Err(Errno::SRCH) => {}
        Err(error) => tracing::warn!(pid = target.pid, %error, "failed to kill a descendant"),
    }
}

#[cfg(test)]
mod tests {
    //! The tree walk, on trees made by hand.
    use super::*;

    fn person(pid: u32, parent: u32) -> Stat {
        Stat { pid, parent, group: pid, session: pid, zombie: false, started: 0 }
    }

    #[test]
    fn descendants_are_all_below_and_nobody_beside() {
        let all =
            [person(5, 4), person(4, 2), person(2, 1), person(3, 1), person(1, 0), person(6, 3)];
        let mut found: Vec<u32> = descendants(2, &all).iter().map(|stat| stat.pid).collect();
        found.sort_unstable();
        assert_eq!(found, [4, 5]);
    }

    #[test]
    fn a_process_that_is_its_own_parent_does_not_hang_the_walk() {
        assert!(descendants(1, &[person(7, 7), person(1, 1)]).is_empty());
    }

    #[test]
    fn a36_a_later_process_of_the_same_number_is_spared() {
        let mut child = std::process::Command::new("sleep").arg("30").spawn().unwrap();
        let mut stat = procfs::stat(child.id()).unwrap();
        stat.started += 1;
        kill_exactly(&stat);
        assert!(child.try_wait().unwrap().is_none());
        stat.started -= 1;
        kill_exactly(&stat);
        assert!(!child.wait().unwrap().success());
    }
}
