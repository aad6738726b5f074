//! How long a client waits for its handshake before it gives up without a word.
//!
//! Owns the table of known clients. A guess here only shortens a hold: an explicit answer beats a silent 1006.
//! Must never decide anything but a duration.

use std::time::Duration;

const FIREFOX: u64 = 20;
const CHROMIUM: u64 = 240;
const SOCKET_IO: u64 = 20;
const PYTHON_WEBSOCKETS: u64 = 10;
const GO: u64 = 45;

/// The shortest of all clocks that a handshake's head tells of; `None` for an unknown client.
///
/// Firefox: `network.websocket.timeout.open`; Chromium: its socket pool's connect job; Socket.IO: `timeout` of
/// its client, whatever carries it; Python websockets: `open_timeout`; Go: gorilla's default dialer.
#[must_use]
pub fn handshake_clock(path: &str, user_agent: Option<&[u8]>) -> Option<Duration> {
    let socket_io = path.starts_with("/socket.io/").then_some(SOCKET_IO);
    let agent = user_agent.and_then(|agent| agent_clock(std::str::from_utf8(agent).ok()?));
    socket_io.into_iter().chain(agent).min().map(Duration::from_secs)
}

fn agent_clock(agent: &str) -> Option<u64> {
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
