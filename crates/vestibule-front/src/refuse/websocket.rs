//! The refusal that a browser's script can read: accept, then close with 1013.
//!
//! Owns the 101 of a WebSocket that was never a tunnel, and its only frame.
//! Must never select an extension, or a subprotocol that was not offered.

use crate::{
    head::Handshake,
    tunnel::close::{CloseCode, close_frame},
};

/// The 101 that accepts this handshake, and the Close that follows it, with `retry=<ms>` as its reason.
///
/// The Close is to be sent at least a second behind the 101: a script that reconnects at once would
/// otherwise make a storm out of a refusal.
pub fn websocket_refusal(handshake: &Handshake, retry_ms: u64) -> (Vec<u8>, Box<[u8]>) {
    let mut head =
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: "
            .to_vec();
    head.extend_from_slice(handshake.expected_accept());
    if let Some(subprotocol) = handshake.first_subprotocol() {
        head.extend_from_slice(b"\r\nSec-WebSocket-Protocol: ");
        head.extend_from_slice(subprotocol.as_bytes());
    }
    head.extend_from_slice(b"\r\n\r\n");
    (head, close_frame(CloseCode::TRY_AGAIN_LATER, &format!("retry={retry_ms}")))
}
