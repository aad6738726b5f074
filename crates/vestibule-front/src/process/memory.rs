//! Memory that the allocator keeps for later.
//!
//! Owns giving it back to the system. Must never decide when: that takes knowing how many clients there are.

/// Gives back what the allocator holds free. It takes as long as a few pages in a thousand take to walk,
/// some milliseconds after a large crowd: not for the way of a request.
///
/// Elsewhere than with glibc (musl's allocator, for one, gives back by itself) it does nothing.
pub fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: malloc_trim(3) is thread-safe, takes no pointer, and touches free memory alone.
    unsafe {
        libc::malloc_trim(0);
    }
}
