//! How many connections so many descriptors allow.
//!
//! Owns sharing them out between clients, the service, the admin address and ourselves. Must never ask the
//! system: [`process::limits`](crate::process::limits) does.

use crate::admin::CONNECTIONS_MAX;
use crate::upstream::pool::KEPT_MAX;

/// Descriptors that are not a client's: of the runtime, the log, probes, the child, looks at `/proc`.
const OWN_DESCRIPTORS: usize = 32;

/// Descriptors kept for whoever asks how we are: the admin listener, its connections and one that waits for its
/// place, which must work when the public port is full (F15). Where there are few, a quarter of what is left is enough.
const ADMIN_DESCRIPTORS: usize = CONNECTIONS_MAX + 2;

/// How many public connections `descriptors` allow, so that each that was accepted can be served: it
/// has one itself, needs another towards the service, and may leave one of the pool behind it.
pub fn connections_within(descriptors: u64) -> usize {
    let free = free(descriptors) - for_admin(descriptors);
    (free / 3).max(free.saturating_sub(KEPT_MAX) / 2).max(1)
}

/// How many connections to the admin address `descriptors` allow; at least one.
pub fn admin_connections_within(descriptors: u64) -> usize {
    for_admin(descriptors).saturating_sub(2).max(1)
}

fn free(descriptors: u64) -> usize {
    usize::try_from(descriptors).unwrap_or(usize::MAX).saturating_sub(OWN_DESCRIPTORS)
}

fn for_admin(descriptors: u64) -> usize {
    ADMIN_DESCRIPTORS.min(free(descriptors) / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f15_each_accepted_connection_can_have_its_way_up_and_one_in_the_pool() {
        for limit in (33..3000).chain([65_536, 1_048_576]) {
            let open = connections_within(limit);
            let used = OWN_DESCRIPTORS + 2 * open + open.min(KEPT_MAX);
            let is_plenty = limit as usize >= OWN_DESCRIPTORS + 4 * ADMIN_DESCRIPTORS;
            let kept = if is_plenty { ADMIN_DESCRIPTORS } else { 0 };
            assert!(open == 1 || (used + kept) as u64 <= limit, "{limit}: {open}");
        }
        assert_eq!((connections_within(64), admin_connections_within(64)), (8, 6));
        assert_eq!((connections_within(1024), admin_connections_within(1024)), (335, 64));
        assert!(connections_within(u64::MAX) > 1 << 60);
    }
}
