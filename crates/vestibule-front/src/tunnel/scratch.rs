//! Lends each thread's one read buffer to the tunnel that is being polled.
//!
//! Owns the buffer between polls, so that an idle tunnel owns none. Must never lend it to two
//! tunnels at once.

use std::cell::Cell;

/// Bytes one read may bring: one buffer of this size a thread measured fastest for messages from 16
/// KiB up.
pub(super) const READ_SIZE: usize = 64 * 1024;

thread_local! {
    static SPARE: Cell<Option<Box<[u8]>>> = const { Cell::new(None) };
}

/// Runs `work` with the thread's buffer. A poll inside a poll gets a buffer of its own.
pub(crate) fn lend<T>(work: impl FnOnce(&mut [u8]) -> T) -> T {
    let mut buffer = SPARE.take().unwrap_or_else(|| vec![0; READ_SIZE].into_boxed_slice());
    let result = work(&mut buffer);
    SPARE.set(Some(buffer));
    result
}
