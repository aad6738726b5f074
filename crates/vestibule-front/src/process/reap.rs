//! The burial of orphans.
//!
//! Owns every dead child that nobody waits for. Must never take the status of one on the
//! [`roster`]: it peeks first (`WNOWAIT`), under the same lock under which children are started.

use std::io;

use rustix::process::{
    Pid, WaitId, WaitIdOptions, child_subreaper, getpid, set_child_subreaper, waitid,
};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;

use super::{procfs, roster};

/// Most burials in one pass. A storm of orphans is worked off in passes, with other tasks in
/// between.
const PASS_MAX: usize = 1024;

/// The reaper at work. Dropping it stops it.
#[derive(Debug)]
pub struct Reaper {
    task: JoinHandle<()>,
}

impl Drop for Reaper {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What one pass did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pass {
    /// Orphans buried.
    pub buried: usize,
    /// Whether the pass hit its bound, so that more may be waiting.
    pub more: bool,
}

/// Whether orphans of our descendants come to us: we are PID 1, or a subreaper.
pub fn adopts_orphans() -> bool {
    getpid().is_init() || matches!(child_subreaper(), Ok(Some(_)))
}

/// Makes orphans of our descendants come to us rather than to PID 1, so that they can be found and
/// ended (`PR_SET_CHILD_SUBREAPER`). From then on somebody must bury them: see [`spawn_reaper`].
///
/// # Errors
///
/// Where the kernel is older than 3.4, or a filter forbids it.
pub fn become_subreaper() -> io::Result<()> {
    Ok(set_child_subreaper(Some(getpid()))?)
}

/// Buries orphans from now on, at each `SIGCHLD`, in a task of its own.
///
/// From then on every child of this process whose status matters must be started through
/// [`roster::enrol`].
///
/// # Errors
///
/// Where the kernel refuses the handler, or outside a runtime that drives I/O.
pub fn spawn_reaper() -> io::Result<Reaper> {
    let mut changes = signal(SignalKind::child())?;
    let task = tokio::spawn(async move {
        loop {
            let pass = reap_orphans();
            if pass.more {
                tracing::info!(
                    buried = pass.buried,
                    "a storm of orphans: the reaper goes on after the others"
                );
                tokio::task::yield_now().await;
            } else if changes.recv().await.is_none() {
                return;
            }
        }
    });
    Ok(Reaper { task })
}

/// One pass, now. Never waits, but for a child that is being started at this moment.
pub fn reap_orphans() -> Pass {
    let roster = roster::lock();
    let mut pass = Pass::default();
    while pass.buried < PASS_MAX {
        match peek() {
            None => return pass,
            Some(pid) if !roster.contains(&pid) => {
                if !bury(pid) {
                    return pass;
                }
                pass.buried += 1;
            }
            // A dead child of the roster stands in front, and the kernel shows no second one behind
            // it.
            Some(_) => {
                pass.buried += bury_behind(|pid| roster.contains(&pid));
                return pass;
            }
        }
    }
    pass.more = true;
    pass
}

/// The first dead child, left as it is.
fn peek() -> Option<u32> {
    let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
    // JUSTIFICATION: rustix's `waitid` does not tell *which* child the answer is about, and that is
    // the whole question.
    // SAFETY: `siginfo_t` is plain data for which zeroes are valid; the pointer is to a live local
    // of that type, and `si_pid` is valid after a successful waitid (zero where no child was found,
    // POSIX).
    #[allow(unsafe_code, reason = "waitid with the child's number")]
    let pid = unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        if libc::waitid(libc::P_ALL, 0, &raw mut info, options) != 0 {
            return None;
        }
        info.si_pid()
    };
    u32::try_from(pid).ok().filter(|&pid| pid != 0)
}

fn bury(pid: u32) -> bool {
    let number = i32::try_from(pid).ok().and_then(Pid::from_raw);
    number.is_some_and(|pid| {
        waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOHANG).is_ok()
    })
}

/// Finds the dead by `/proc` where peeking cannot. Rare: only between the end of the service and
/// the end of its group.
fn bury_behind(is_enrolled: impl Fn(u32) -> bool) -> usize {
    let own = std::process::id();
    procfs::processes()
        .iter()
        .filter(|stat| stat.zombie && stat.parent == own && !is_enrolled(stat.pid))
        .filter(|stat| bury(stat.pid))
        .count()
}
