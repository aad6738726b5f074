//! How long a client waits for its handshake before it gives up without a word.
//!
//! Owns the table of known clients. A guess here only shortens a hold: an explicit answer beats a silent 1006.
//! Must never decide anything but a duration.

use std::num::NonZeroU8;

const FIREFOX: u8 = 20;
const CHROMIUM: u8 = 240;
const SOCKET_IO: u8 = 20;
const PYTHON_WEBSOCKETS: u8 = 10;
const GO: u8 = 45;

/// Seconds; the shortest of all clocks that the head tells of. Firefox: `network.websocket.timeout.open`;
/// Chromium: its socket pool's connect job; Socket.IO: `timeout` of its client, whatever carries it;
/// Python websockets: `open_timeout`; Go: gorilla's default dialer.
pub(super) fn handshake_clock(path: &str, user_agent: Option<&[u8]>) -> Option<NonZeroU8> {
    let socket_io = path.starts_with("/socket.io/").then_some(SOCKET_IO);
    let agent = user_agent.and_then(|agent| agent_clock(std::str::from_utf8(agent).ok()?));
    socket_io.into_iter().chain(agent).min().and_then(NonZeroU8::new)
}

fn agent_clock(agent: &str) -> Option<u8> {
    let names = |product: &str| agent.split(' ').any(|word| word.starts_with(product));
    if agent.starts_with("Python/") && names("websockets/") {
        Some(PYTHON_WEBSOCKETS)
    } else if agent.starts_with("Go-http-client/") || names("gorilla/") {
        Some(GO)
    } else if names("Firefox/") {
        Some(FIREFOX)
    } else if ["Chrome/", "Chromium/", "HeadlessChrome/", "Edg/"]
        .iter()
        .any(|product| names(product))
    {
        Some(CHROMIUM)
    } else {
        None
    }
}
