//! A client that reads strictly: each event must be the next.
//!
//! Owns one connection. Must never wait for ever.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue, Response};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};
use uuid::Uuid;

use crate::service::{Service, User};

/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// A client.
pub(crate) struct Client {
    pub(crate) stream: WebSocketStream<TcpStream>,
    /// The greeting.
    pub(crate) hello: Value,
    /// The last event that it has.
    pub(crate) last: i64,
}

/// What came.
#[derive(Debug)]
pub(crate) enum Got {
    /// A frame that is no heartbeat.
    Frame(Value),
    /// A Close.
    Close(u16),
    /// An end without one.
    End,
}

impl Client {
    /// Connects from now on.
    pub(crate) async fn new(service: &Service, user: &User) -> Self {
        Self::at(service, user, "").await
    }

    /// Connects behind an event.
    pub(crate) async fn behind(service: &Service, user: &User, last: i64) -> Self {
        let client = Self::at(service, user, &format!("?last_event_id={last}")).await;
        assert_eq!(client.last, last);
        client
    }

    async fn at(service: &Service, user: &User, query: &str) -> Self {
        let protocol = format!("golden-path.v1, bearer.{}", user.access);
        let fields = [("sec-websocket-protocol", protocol.as_str())];
        let (stream, response) = handshake(service, query, &fields).await.unwrap();
        assert_eq!(response.headers()["sec-websocket-protocol"], "golden-path.v1");
        let mut client = Self { stream, hello: Value::Null, last: 0 };
        let hello = client.frame().await;
        assert_eq!(hello["type"], "hello");
        client.last = hello["last_event_id"].as_i64().unwrap();
        client.hello = hello;
        client
    }

    /// Sends a text.
    pub(crate) async fn say(&mut self, text: impl Into<String>) {
        self.stream.send(Message::text(text.into())).await.unwrap();
    }

    /// Sends a message for the agent; its number.
    pub(crate) async fn message(&mut self, user: &User, text: &str) -> Uuid {
        let message = Uuid::new_v4();
        let frame =
            json!({ "type": "message", "thread": user.thread, "message": message, "text": text });
        self.say(frame.to_string()).await;
        message
    }

    /// The next that is no heartbeat.
    pub(crate) async fn next(&mut self) -> Got {
        let coming = async {
            loop {
                match self.stream.next().await {
                    Some(Ok(Message::Text(text))) => {
                        let frame: Value = serde_json::from_str(&text).unwrap();
                        if frame["type"] != "ping" {
                            return Got::Frame(frame);
                        }
                    }
                    Some(Ok(Message::Close(Some(close)))) => return Got::Close(close.code.into()),
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    Some(Ok(other)) => panic!("{other:?}"),
                    Some(Err(_)) | None => return Got::End,
                }
            }
        };
        timeout(PATIENCE, coming).await.expect("something comes in time")
    }

    /// The next frame.
    pub(crate) async fn frame(&mut self) -> Value {
        match self.next().await {
            Got::Frame(frame) => frame,
            other => panic!("{other:?} instead of a frame"),
        }
    }

    /// The next event, which must be the next by its number.
    pub(crate) async fn event(&mut self) -> Value {
        let event = self.frame().await;
        assert_eq!(event["id"].as_i64(), Some(self.last + 1), "{event}");
        self.last += 1;
        event
    }

    /// The names of so many events.
    pub(crate) async fn events(&mut self, count: usize) -> Vec<String> {
        let mut names = Vec::new();
        for _ in 0..count {
            names.push(self.event().await["type"].as_str().unwrap().to_owned());
        }
        names
    }

    /// Reads until the Close; its code.
    pub(crate) async fn close(&mut self) -> u16 {
        loop {
            match self.next().await {
                Got::Frame(_) => {}
                Got::Close(code) => return code,
                Got::End => panic!("an end without a Close"),
            }
        }
    }
}

/// Shakes hands at `/ws`, or what came instead.
pub(crate) async fn handshake(
    service: &Service,
    query: &str,
    fields: &[(&str, &str)],
) -> Result<(WebSocketStream<TcpStream>, Response<Option<Vec<u8>>>), Box<Response<Option<Vec<u8>>>>>
{
    let mut request = format!("ws://{}/ws{query}", service.address).into_client_request().unwrap();
    for (name, value) in fields {
        let name = HeaderName::try_from(*name).unwrap();
        request.headers_mut().append(name, HeaderValue::from_str(value).unwrap());
    }
    // Small, so that not reading is soon felt on the other side.
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(16 * 1024).unwrap();
    let stream = socket.connect(service.address).await.unwrap();
    match timeout(PATIENCE, client_async(request, stream)).await.unwrap() {
        Ok(open) => Ok(open),
        Err(Error::Http(response)) => Err(response),
        Err(other) => panic!("{other:?}"),
    }
}
