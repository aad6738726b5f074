//! The children that somebody here waits for.
//!
//! Owns one list for the whole process, because dead children are a matter of the whole process:
//! any thread can take any child's status. Must never reap; it only says whose status is spoken
//! for.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

static ROSTER: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// A place on the roster. Dropping it leaves the child's status to the reaper.
#[derive(Debug)]
pub struct Entry {
    pid: u32,
}

impl Drop for Entry {
    fn drop(&mut self) {
        lock().remove(&self.pid);
    }
}

/// Starts a child and enrols it in one step, so that the reaper cannot take the status of one that
/// ends at once.
///
/// `start` returns the child's number beside whatever else it made. Everything in this process that
/// starts a child while a [`Reaper`](super::reap::Reaper) runs must start it through here, and drop
/// the [`Entry`] only after it has taken the status.
///
/// # Errors
///
/// Those of `start`.
pub fn enrol<T, E>(start: impl FnOnce() -> Result<(u32, T), E>) -> Result<(Entry, T), E> {
    let mut roster = lock();
    let (pid, made) = start()?;
    roster.insert(pid);
    Ok((Entry { pid }, made))
}

/// The roster, held still: while the guard lives, nobody is started and nobody leaves.
pub(super) fn lock() -> MutexGuard<'static, BTreeSet<u32>> {
    // The set is whole after every single operation, so a panic of another holder cannot have left
    // it half done.
    ROSTER.lock().unwrap_or_else(PoisonError::into_inner)
}
