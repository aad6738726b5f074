//! How many descriptors we may have.
//!
//! Owns our soft limit. Must never pass the raise on: programs exist that walk every descriptor up
//! to the limit, or keep them in a `select()` set of 1024, so [`child`](super::child) gives the
//! service the limit that we were given.

use std::sync::OnceLock;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What we were started with, if we have changed it.
static INHERITED: OnceLock<Rlimit> = OnceLock::new();

/// Raises the soft limit of open descriptors to the hard limit, and returns both as they now are;
/// `u64::MAX` means without limit. Where the kernel refuses, the soft limit stays what it was.
pub fn raise_descriptor_limit() -> (u64, u64) {
    let before = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: before.maximum, maximum: before.maximum };
    if before.current != before.maximum && setrlimit(Resource::Nofile, raised).is_ok() {
        // A second call finds the limit raised, and must not take that for what we inherited.
        let _ = INHERITED.set(before);
    }
    let now = getrlimit(Resource::Nofile);
    (now.current.unwrap_or(u64::MAX), now.maximum.unwrap_or(u64::MAX))
}

/// The limit to give back to a child; `None` where ours is unchanged.
pub(super) fn inherited() -> Option<Rlimit> {
    INHERITED.get().map(|limit| Rlimit { current: limit.current, maximum: limit.maximum })
}
