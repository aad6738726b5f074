//! The WebSocket of a user.
//!
//! Owns one connection: its authentication, its place in the user's events, its heartbeat and its bounds. Must never
//! hold more than a bounded number of bytes for a client that reads slowly, and must never send an event twice or out
//! of order.

mod connection;
mod crowd;
mod frames;
mod goodbye;
mod handshake;
mod place;
mod session;
mod shares;
mod writer;

use std::time::Duration;

use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use self::connection::Guest;
pub use self::crowd::Sockets;
use crate::api::refusal::Refusal;
use crate::api::{App, origin};
use crate::event::UserId;
use crate::log::Step;
use crate::store::StoreError;

/// The subprotocol of this service. A client offers it together with `bearer.TOKEN`, which is never chosen.
pub const SUBPROTOCOL: &str = "golden-path.v1";

/// Close codes of our own (RFC 6455 section 7.4.2 leaves 4000 to 4999 to applications).
pub mod close {
    /// The token has ended or was revoked: get another and come again.
    pub const TOKEN: u16 = 4401;
    /// The client broke a rule of the protocol; the reason says which.
    pub const POLICY: u16 = 1008;
    /// The client read too slowly: come again with `last_event_id`.
    pub const SLOW: u16 = 4408;
    /// The user has too many sockets.
    pub const TOO_MANY: u16 = 4429;
    /// The service restarts: come again.
    pub const RESTART: u16 = 1012;
    /// Frames are text (RFC 6455 section 7.4.1 calls it unsupported data).
    pub const NOT_TEXT: u16 = 1003;
    /// The service is not ready: what a door is for.
    pub const NOT_READY: u16 = 1011;
}

/// The bounds of sockets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketSettings {
    /// How often each side hears from the other.
    pub heartbeat: Duration,
    /// How long a write may take.
    pub write_within: Duration,
    /// How many sockets a user may have.
    pub sockets_max: usize,
    /// How many messages a user may send in a minute.
    pub messages_a_minute: u32,
}

/// The longest frame of a client, in bytes: a message of [`crate::chat::TEXT_MAX`] characters, each escaped in JSON,
/// and its numbers.
pub const FRAME_MAX: usize = 64 * 1024;
/// What may wait in the WebSocket's own buffer: one event and a Close. The longest answer has 64 KiB, and each byte of
/// it may be six in JSON.
const WRITE_BUFFER_MAX: usize = 1024 * 1024;
/// What each socket reads into, allocated as long as it lives (by default 128 KiB): most frames are far shorter.
const READ_BUFFER: usize = 4 * 1024;

/// `GET /ws`.
pub fn routes() -> Router<App> {
    Router::new().route("/ws", get(handshake))
}

async fn handshake(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let correlation = handshake::correlation(&headers);
    Step::Handshake.log(&correlation);
    let Ok(upgrade) = upgrade else {
        return Refusal::NoHandshake.into_response();
    };
    match admit(app, &headers, query.as_deref(), correlation).await {
        Ok(guest) => upgrade
            .protocols([SUBPROTOCOL])
            .max_message_size(FRAME_MAX)
            .max_frame_size(FRAME_MAX)
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0)
            .max_write_buffer_size(WRITE_BUFFER_MAX)
            .on_upgrade(|socket| guest.serve(socket)),
        Err(refusal) => refusal.into_response(),
    }
}

async fn admit(
    app: App,
    headers: &HeaderMap,
    query: Option<&str>,
    correlation: String,
) -> Result<Guest, Refusal> {
    if app.sockets.is_leaving() {
        return Err(Refusal::Leaving);
    }
    let asked = handshake::read(headers, query)?;
    if !origin::is_allowed(headers, &app.settings) {
        return Err(Refusal::Origin);
    }
    let claims = app.auth.verify(&asked.token).await?;
    Step::Authenticated.log(&correlation);
    // From here on: an event during the next steps must not be missed. A revocation before is found by the session's
    // first question to the store.
    let heard = app.bus.subscribe_to(claims.user);
    let last = begin_behind(&app, claims.user, asked.after).await?;
    Ok(Guest { app, claims, last, correlation, heard })
}

/// Behind which event a client begins: where it says, unless its user has no such event; else behind the newest.
async fn begin_behind(app: &App, user: UserId, after: Option<i64>) -> Result<i64, StoreError> {
    let newest = app.store.last_event(user).await?;
    Ok(after.filter(|after| *after <= newest).unwrap_or(newest))
}
