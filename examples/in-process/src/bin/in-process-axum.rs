//! An axum service whose first users come before its database does.
//!
//! `cargo run -p in-process --bin in-process-axum`, then connect a WebSocket to `/ws` at once.

use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::any;
use tokio::net::TcpListener;
use vestibule::startup::Phase;
use vestibule::{Door, StartupError};

#[tokio::main]
async fn main() -> Result<(), StartupError> {
    let listener = TcpListener::bind(in_process::address()?).await?;
    in_process::announce(listener.local_addr()?)?;
    let app = Router::new().route("/ws", any(chat));
    // The door begins here.
    let door = Door::start(async |startup| {
        startup.enter(Phase::DATABASE)?;
        in_process::connect_to_database().await?;
        startup.enter(Phase::SERVICES)?;
        Ok(())
    });
    axum::serve(door.listener(listener), door.service(app)).await?;
    // The door ends here.
    Ok(())
}

async fn chat(upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(echo)
}

async fn echo(mut socket: WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        let is_words = matches!(message, Message::Text(_) | Message::Binary(_));
        if is_words && socket.send(message).await.is_err() {
            return;
        }
    }
}
