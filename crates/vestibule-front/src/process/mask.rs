//! Which signals wait outside.
//!
//! Owns the signal mask of the calling thread. Must never leave a signal blocked behind anybody's
//! back.

use std::io;

/// Lets every signal in. **Call it first thing in `main`, before any thread is started**: a mask
/// that we inherited would keep `SIGTERM` and the news of the child's end from us for ever, and
/// threads inherit it further.
pub fn clear() {
    // JUSTIFICATION: rustix offers no signal masks.
    // SAFETY: `sigset_t` is plain data, written by `sigemptyset` before it is read; the pointer is
    // to a live local, and null asks for nothing back. Both calls are safe between fork and exec,
    // too.
    #[allow(unsafe_code, reason = "signal mask")]
    unsafe {
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
    }
}

/// Runs `act` with every signal blocked, so that no handler of ours can run in a process that `act`
/// forks: the copy begins with the full mask.
///
/// # Errors
///
/// Those of `act`.
pub(super) fn with_all_blocked<T>(act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    // JUSTIFICATION: as above.
    // SAFETY: as above, and `before` is written by the call before it is read.
    #[allow(unsafe_code, reason = "signal mask")]
    let before = unsafe {
        let mut all: libc::sigset_t = std::mem::zeroed();
        let mut before: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
        before
    };
    let result = act();
    // JUSTIFICATION: as above.
    // SAFETY: puts back what the same call gave.
    #[allow(unsafe_code, reason = "signal mask")]
    unsafe {
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, std::ptr::null_mut());
    }
    result
}
