//! How long a client waits for its handshake before it gives up without a word.
//!
//! Owns the form in which a head carries it: whole seconds in one byte. The table is the library's.

use std::num::NonZeroU8;

/// Seconds; the shortest of all clocks that the head tells of.
pub(super) fn handshake_clock(path: &str, user_agent: Option<&[u8]>) -> Option<NonZeroU8> {
    let clock = vestibule::timeouts::handshake_clock(path, user_agent)?;
    u8::try_from(clock.as_secs()).ok().and_then(NonZeroU8::new)
}
