//! Who belongs to the service.
//!
//! Owns one question: is this process the child, or of its making? It decides whose word on
//! readiness counts and who is named as the holder of a port. Must never answer yes for want of
//! knowledge.

use super::procfs::{self, Stat};
use super::{reap, roster};

/// Most steps from a process up to the child; a longer line is nobody's family.
const GENERATIONS_MAX: usize = 1024;

/// Ourselves, as far as the question needs it.
#[derive(Clone, Copy, Debug)]
struct Front {
    pid: u32,
    /// Whether orphans of the child's family become our children (PID 1 or subreaper).
    adopts: bool,
}

/// Whether the process belongs to the child: by its process group, its session or its ancestry. An
/// orphan that we adopted belongs too, since only the child's family can leave us one.
///
/// A process that has ended belongs as long as its parent has not reaped it; afterwards nobody can
/// tell, and the answer is no.
pub fn belongs(pid: u32, child: u32) -> bool {
    match procfs::stat(pid) {
        Some(stat) => is_kin(&stat, child, Front::now(), procfs::stat, is_ours_to_wait_for),
        None => shares_group(pid, child),
    }
}

/// Every process that belongs to the child, dead ones too.
pub(super) fn family(child: u32) -> Vec<Stat> {
    let all = procfs::processes();
    let find = |pid| all.iter().find(|stat| stat.pid == pid).copied();
    all.iter()
        .filter(|stat| is_kin(stat, child, Front::now(), find, is_ours_to_wait_for))
        .copied()
        .collect()
}

impl Front {
    fn now() -> Self {
        Self { pid: std::process::id(), adopts: reap::adopts_orphans() }
    }
}

fn is_ours_to_wait_for(pid: u32) -> bool {
    roster::lock().contains(&pid)
}

/// The same by system call, where there is no `/proc`. It knows nothing of ancestry.
fn shares_group(pid: u32, child: u32) -> bool {
    let number = |raw: u32| i32::try_from(raw).ok().and_then(rustix::process::Pid::from_raw);
    let (Some(pid), Some(child)) = (number(pid), number(child)) else {
        return false;
    };
    rustix::process::getpgid(Some(pid)) == Ok(child)
        || rustix::process::getsid(Some(pid)) == Ok(child)
}

/// The rule itself. `find` looks a process up; `enrolled` says whether a direct child of ours is
/// one we started.
fn is_kin(
    stat: &Stat,
    child: u32,
    front: Front,
    find: impl Fn(u32) -> Option<Stat>,
    enrolled: impl Fn(u32) -> bool,
) -> bool {
    if stat.pid == front.pid {
        return false;
    }
    let mut at = *stat;
    for _ in 0..GENERATIONS_MAX {
        if at.pid == child || at.group == child || at.session == child {
            return true;
        }
        if at.parent == front.pid {
            return front.adopts && !enrolled(at.pid);
        }
        match find(at.parent) {
            // A parent is older than its child; a younger one is a stranger who got the number
            // since.
            Some(parent) if parent.started <= at.started => at = parent,
            _ => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    //! Builds small family trees by hand and looks for anybody who gets in without a right to.
    use super::*;

    const FRONT: u32 = 10;
    const CHILD: u32 = 20;

    fn person(pid: u32, parent: u32, group: u32, session: u32) -> Stat {
        Stat { pid, parent, group, session, zombie: false, started: u64::from(pid) }
    }

    fn kin(people: &[Stat], pid: u32, adopts: bool, enrolled: &[u32]) -> bool {
        let find = |wanted| people.iter().find(|stat| stat.pid == wanted).copied();
        let front = Front { pid: FRONT, adopts };
        is_kin(&find(pid).unwrap(), CHILD, front, find, |pid| enrolled.contains(&pid))
    }

    #[test]
    fn a35_only_group_session_and_ancestry_make_family() {
        let people = [
            person(1, 0, 1, 1),
            person(2, 1, 1, 1),         // a stranger of our own session
            person(FRONT, 1, FRONT, 1), // we ourselves
            person(CHILD, FRONT, CHILD, 1),
            person(21, CHILD, CHILD, 1), // a worker
            person(22, 21, 22, 22),      // a worker's child with a session of its own
            person(23, 22, 23, 22),      // and its child
            person(24, 1, CHILD, 1),     // an orphan of the group
            person(30, FRONT, 30, 1),    // another child of ours
            person(31, 30, 31, 1),       // and its child
        ];
        let family: Vec<u32> = people
            .iter()
            .map(|stat| stat.pid)
            .filter(|&pid| kin(&people, pid, false, &[CHILD, 30]))
            .collect();
        assert_eq!(family, [CHILD, 21, 22, 23, 24]);
    }

    #[test]
    fn a35_an_adopted_orphan_is_family_and_another_child_of_ours_is_not() {
        let people =
            [person(FRONT, 1, FRONT, 1), person(40, FRONT, 40, 40), person(41, 40, 40, 40)];
        assert!(kin(&people, 40, true, &[CHILD]));
        assert!(kin(&people, 41, true, &[CHILD]));
        assert!(!kin(&people, 41, true, &[CHILD, 40]));
        assert!(!kin(&people, 41, false, &[CHILD]));
        assert!(!kin(&people, FRONT, true, &[CHILD]));
    }

    #[test]
    fn a36_a_parent_younger_than_its_child_is_a_stranger() {
        let mut people =
            [person(CHILD, FRONT, CHILD, 1), person(21, 50, 21, 21), person(50, CHILD, 50, 50)];
        assert!(!kin(&people, 21, false, &[CHILD]));
        people[2].started = 20;
        assert!(kin(&people, 21, false, &[CHILD]));
    }

    #[test]
    fn a_ring_of_parents_ends() {
        let mut people = [person(50, 51, 50, 50), person(51, 50, 51, 51)];
        people[1].started = 50;
        assert!(!kin(&people, 50, true, &[CHILD]));
    }
}
