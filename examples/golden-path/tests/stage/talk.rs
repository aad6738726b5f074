//! A user's WebSocket.
//!
//! Owns what a client of this service says and hears; every wait has its bound.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::account::Account;

/// How long a handshake may take, a cold start included.
const OPEN_WITHIN: Duration = Duration::from_secs(20);
/// How long any one frame may take.
const FRAME_WITHIN: Duration = Duration::from_secs(20);

/// An open socket.
pub(crate) struct Talk {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// The greeting.
    pub(crate) hello: Value,
    /// The number of the last event that was heard.
    pub(crate) last: i64,
}

/// How a socket ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// With a Close.
    Closed(u16),
    /// Without one.
    Broken,
}

/// Opens a socket behind this event, with these further fields; or the status that was answered instead.
pub(crate) async fn open(
    account: &Account,
    after: Option<i64>,
    fields: &[(&'static str, &str)],
) -> Result<Talk, Refusal> {
    let query = after.map_or_else(String::new, |after| format!("?last_event_id={after}"));
    let url = format!("ws://{}/ws{query}", account.http.address);
    let mut request = url.into_client_request().unwrap();
    let offer = format!("golden-path.v1, bearer.{}", account.access);
    request.headers_mut().insert("sec-websocket-protocol", offer.parse().unwrap());
    for (name, value) in fields {
        request.headers_mut().append(*name, value.parse().unwrap());
    }
    let opened = timeout(OPEN_WITHIN, connect_async(request)).await.expect("an answer in time");
    let (mut socket, response) = match opened {
        Ok(opened) => opened,
        Err(Error::Http(response)) => return Err(Refusal::Status(response.status().as_u16())),
        Err(_) => return Err(Refusal::Broken),
    };
    let chosen = response.headers().get("sec-websocket-protocol").unwrap();
    assert_eq!(chosen, "golden-path.v1", "a token must never be chosen");
    match next(&mut socket).await {
        Ok(hello) => {
            assert_eq!(hello["type"], "hello");
            let last = hello["last_event_id"].as_i64().unwrap();
            Ok(Talk { socket, hello, last })
        }
        Err(End::Closed(code)) => Err(Refusal::Closed(code)),
        Err(End::Broken) => Err(Refusal::Broken),
    }
}

/// Why there is no socket.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Another status than 101.
    Status(u16),
    /// It was opened, and closed before the greeting.
    Closed(u16),
    /// The connection broke.
    Broken,
}

impl Talk {
    /// Says something; the client's number of the message.
    pub(crate) async fn say(&mut self, thread: &str, text: &str) -> String {
        let message = uuid::Uuid::new_v4().to_string();
        self.say_as(thread, text, &message).await.unwrap();
        message
    }

    /// Says something under a number of its own, again perhaps.
    pub(crate) async fn say_as(
        &mut self,
        thread: &str,
        text: &str,
        message: &str,
    ) -> Result<(), End> {
        let frame =
            json!({ "type": "message", "thread": thread, "message": message, "text": text });
        self.send(&frame).await
    }

    /// Sends a frame.
    pub(crate) async fn send(&mut self, frame: &Value) -> Result<(), End> {
        let sent = timeout(FRAME_WITHIN, self.socket.send(Message::text(frame.to_string()))).await;
        sent.expect("a write in time").map_err(|_| End::Broken)
    }

    /// The next frame that is no heartbeat; events must come in order and without a gap.
    pub(crate) async fn next(&mut self) -> Result<Value, End> {
        let frame = next(&mut self.socket).await?;
        if let Some(id) = frame["id"].as_i64() {
            assert_eq!(id, self.last + 1, "out of order: {frame}");
            self.last = id;
        }
        Ok(frame)
    }

    /// All events up to the end of this many runs.
    pub(crate) async fn until_completed(&mut self, mut runs: usize) -> Result<Vec<Value>, End> {
        let mut events = Vec::new();
        while runs > 0 {
            let frame = self.next().await?;
            runs -= usize::from(frame["type"] == "agent_completed");
            events.push(frame);
        }
        Ok(events)
    }

    /// Reads until the socket ends.
    pub(crate) async fn end(&mut self) -> End {
        loop {
            if let Err(end) = self.next().await {
                return end;
            }
        }
    }
}

async fn next(socket: &mut WebSocketStream<MaybeTlsStream<TcpStream>>) -> Result<Value, End> {
    loop {
        let frame = timeout(FRAME_WITHIN, socket.next()).await.expect("a frame in time");
        match frame {
            Some(Ok(Message::Text(text))) => {
                let frame: Value = serde_json::from_str(&text).unwrap();
                if frame["type"] == "ping" {
                    let pong = Message::text(json!({ "type": "pong" }).to_string());
                    socket.send(pong).await.map_err(|_| End::Broken)?;
                } else if frame["type"] != "pong" {
                    return Ok(frame);
                }
            }
            Some(Ok(Message::Close(Some(close)))) => return Err(End::Closed(close.code.into())),
            Some(Ok(Message::Close(None))) => return Err(End::Closed(1005)),
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return Err(End::Broken),
        }
    }
}

/// The kinds of these events, in order, without text.
pub(crate) fn kinds(events: &[Value]) -> Vec<&str> {
    let kinds = events.iter().map(|event| event["type"].as_str().unwrap());
    kinds.filter(|kind| *kind != "agent_text").collect()
}

/// What every run of the embedded model with one tool consists of.
pub(crate) const GOLDEN: [&str; 6] = [
    "user_message",
    "agent_started",
    "agent_thinking",
    "tool_executing",
    "tool_completed",
    "agent_completed",
];

/// The answer as its text events make it, each from its offset on.
pub(crate) fn told(events: &[Value]) -> String {
    let mut text: Vec<char> = Vec::new();
    for event in events.iter().filter(|event| event["type"] == "agent_text") {
        text.truncate(event["offset"].as_u64().unwrap().try_into().unwrap());
        text.extend(event["text"].as_str().unwrap().chars());
    }
    text.into_iter().collect()
}
