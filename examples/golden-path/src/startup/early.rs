//! What a service answers that was reached before it is ready: the incident.
//!
//! Owns these answers. They are what most services do, and what the door is there to prevent: a request gets 503, and a
//! WebSocket, too, or it is accepted and then closed with 1011, so that the user's first chat fails.

use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::response::{IntoResponse, Response};

use crate::api::refusal::Refusal;
use crate::settings::Early;
use crate::socket::{SUBPROTOCOL, close};

/// Answers whatever comes too early.
pub(super) async fn answer(
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    early: Early,
) -> Response {
    match upgrade {
        Ok(upgrade) if early == Early::Closed => {
            upgrade.protocols([SUBPROTOCOL]).on_upgrade(dismiss)
        }
        _ => Refusal::Starting.into_response(),
    }
}

async fn dismiss(mut socket: WebSocket) {
    let reason = Utf8Bytes::from_static("still starting");
    let close = Message::Close(Some(CloseFrame { code: close::NOT_READY, reason }));
    // Whether the client still hears it is its own matter.
    let _ = socket.send(close).await;
}
