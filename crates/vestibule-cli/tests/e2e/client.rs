//! A client that sees every byte.
//!
//! Owns one connection and what was read of it. Each read is bounded.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use crate::stage::BOUND;

/// Long enough for any answer that is on its way.
const SILENCE: Duration = Duration::from_millis(150);

trait Both: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Both for T {}

pub(crate) struct Client {
    stream: Box<dyn Both>,
    buffer: Vec<u8>,
}

/// The one answer to a request.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    /// Fails unless it is a refusal by the door, for this reason.
    pub(crate) fn is_refusal(&self, code: &str) {
        assert_eq!(self.status, 503, "{self:?}");
        assert!(self.head.contains("Content-Type: application/problem+json\r\n"), "{self:?}");
        assert!(self.head.contains("Retry-After: "), "{self:?}");
        let problem: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        assert_eq!((&problem["status"], &problem["code"]), (&503.into(), &code.into()), "{self:?}");
    }
}

impl Client {
    /// Connects to `HOST:PORT` or `unix:PATH`.
    pub(crate) async fn connect(address: &str) -> io::Result<Self> {
        match address.strip_prefix("unix:") {
            Some(path) => Ok(Self::over(UnixStream::connect(path).await?)),
            None => Ok(Self::over(TcpStream::connect(address).await?)),
        }
    }

    /// A client on a connection that is there already.
    pub(crate) fn over(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Self {
        Self { stream: Box::new(stream), buffer: Vec::new() }
    }

    /// Connects and asks for a WebSocket.
    pub(crate) async fn handshake(address: &str) -> Self {
        let mut client = Self::connect(address).await.unwrap();
        client.ask_for_a_websocket("").await.unwrap();
        client
    }

    pub(crate) async fn ask_for_a_websocket(&mut self, fields: &str) -> io::Result<()> {
        let head = format!(
            "GET /ws HTTP/1.1\r\nHost: door\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{fields}\r\n"
        );
        self.stream.write_all(head.as_bytes()).await
    }

    pub(crate) async fn send(&mut self, text: &str) {
        self.send_bytes(text.as_bytes()).await;
    }

    pub(crate) async fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// Reads one answer. An error says what came instead.
    pub(crate) async fn try_answer(&mut self) -> Result<Answer, String> {
        let end = loop {
            if let Some(at) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            self.read_more().await?;
        };
        let head = String::from_utf8(self.buffer.drain(..end).collect()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        // hyper writes names in lower case, and our own refusals do not.
        let length = head
            .to_ascii_lowercase()
            .split("content-length: ")
            .nth(1)
            .map_or(0, |rest| rest.split("\r\n").next().unwrap().parse().unwrap());
        let body = String::from_utf8(self.take(length).await?).unwrap();
        Ok(Answer { status, head, body })
    }

    pub(crate) async fn answer(&mut self) -> Answer {
        self.try_answer().await.unwrap()
    }

    /// Fails unless it got its WebSocket, and something comes back through it.
    pub(crate) async fn is_served(&mut self) {
        let answer = self.answer().await;
        assert_eq!(answer.status, 101, "{answer:?}");
        self.echoes("hello").await;
    }

    /// Sends a text and reads it back.
    pub(crate) async fn echoes(&mut self, text: &str) {
        let mut frame = vec![0x81, 0x80 | u8::try_from(text.len()).unwrap(), 0, 0, 0, 0];
        frame.extend_from_slice(text.as_bytes());
        self.stream.write_all(&frame).await.unwrap();
        assert_eq!(self.frame().await.unwrap(), (1, text.as_bytes().to_vec()));
    }

    /// Fails unless the next frame is a Close and the last; replies to it, and leaves. Answers its code.
    pub(crate) async fn close(mut self) -> u16 {
        let (opcode, payload) = self.frame().await.unwrap();
        assert_eq!(opcode, 8, "no Close: {payload:?}");
        let _ = self.stream.write_all(&[0x88, 0x80, 0, 0, 0, 0]).await;
        let rest = self.rest().await;
        assert!(rest.is_empty(), "after the Close: {rest:?}");
        u16::from_be_bytes([payload[0], payload[1]])
    }

    /// One short, unfragmented frame: its opcode and payload.
    pub(crate) async fn frame(&mut self) -> Result<(u8, Vec<u8>), String> {
        let head = self.take(2).await?;
        assert!(head[0] & 0xf0 == 0x80 && head[1] < 126, "not a short frame: {head:?}");
        Ok((head[0] & 0x0f, self.take(head[1].into()).await?))
    }

    /// Whether nothing comes for a moment.
    pub(crate) async fn is_held(&mut self) -> bool {
        let read = self.stream.read_buf(&mut self.buffer);
        timeout(SILENCE, read).await.is_err() && self.buffer.is_empty()
    }

    /// Whatever comes until the end of the connection.
    pub(crate) async fn rest(mut self) -> Vec<u8> {
        while self.read_more().await.is_ok() {}
        self.buffer
    }

    async fn take(&mut self, count: usize) -> Result<Vec<u8>, String> {
        while self.buffer.len() < count {
            self.read_more().await?;
        }
        Ok(self.buffer.drain(..count).collect())
    }

    async fn read_more(&mut self) -> Result<(), String> {
        let read = timeout(BOUND, self.stream.read_buf(&mut self.buffer));
        match read.await {
            Ok(Ok(0)) => {
                Err(format!("the end, after {:?}", self.buffer.escape_ascii().to_string()))
            }
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(format!("{error}, after {}", self.buffer.escape_ascii())),
            Err(_) => Err(format!("silence, after {}", self.buffer.escape_ascii())),
        }
    }
}
