//! A client that says exactly what it is told, and takes nothing for granted.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// One connection of a client.
pub(crate) struct Client {
    stream: TcpStream,
    unread: Vec<u8>,
}

/// A whole answer, or as much of it as came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The head, in lower case but for values.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    /// Trailers, as they came.
    pub(crate) trailers: String,
    /// Whether the body came to its end as the head announced it. A reset is never an end.
    pub(crate) whole: bool,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, unread: Vec::new() }
    }

    /// Connects and says `words`.
    pub(crate) async fn saying(address: SocketAddr, words: impl AsRef<[u8]>) -> Self {
        let mut client = Self::connect(address).await;
        client.send(words).await;
        client
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Sends what the other side takes; it may refuse the rest.
    pub(crate) async fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref()).await
    }

    pub(crate) async fn half_close(&mut self) {
        self.stream.shutdown().await.unwrap();
    }

    /// Leaves without a goodbye.
    pub(crate) fn reset(self) {
        socket2::SockRef::from(&self.stream).set_linger(Some(Duration::ZERO)).unwrap();
    }

    /// The next head, up to its empty line.
    pub(crate) async fn head(&mut self) -> String {
        self.try_head().await.unwrap()
    }

    /// The same; an error says what came instead.
    pub(crate) async fn try_head(&mut self) -> Result<String, String> {
        loop {
            if let Some(end) = find(&self.unread, b"\r\n\r\n") {
                let head = self.unread.drain(..end + 4).collect();
                return String::from_utf8(head).map_err(|error| error.to_string());
            }
            let more = self.more().await;
            if !matches!(more, Ok(1..)) {
                let so_far = String::from_utf8_lossy(&self.unread).into_owned();
                return Err(format!("no whole head came: {more:?} after {so_far:?}"));
            }
        }
    }

    pub(crate) async fn exactly(&mut self, count: usize) -> Vec<u8> {
        while self.unread.len() < count {
            let more = self.more().await;
            assert!(matches!(more, Ok(1..)), "{more:?} after {:?}", self.unread);
        }
        self.unread.drain(..count).collect()
    }

    /// The next frame of a server: its first byte and payload.
    pub(crate) async fn frame(&mut self) -> (u8, Vec<u8>) {
        let head = self.exactly(2).await;
        assert!(head[1] < 126, "a short frame was wanted");
        (head[0], self.exactly(head[1].into()).await)
    }

    /// The next frame, which must be a Close: its code and reason.
    pub(crate) async fn close_frame(&mut self) -> (u16, String) {
        let (first, payload) = self.frame().await;
        assert_eq!(first, 0x88, "not a Close: {payload:?}");
        (
            u16::from_be_bytes([payload[0], payload[1]]),
            String::from_utf8_lossy(&payload[2..]).into(),
        )
    }

    /// All that still comes, up to the end of the stream.
    pub(crate) async fn rest(&mut self) -> io::Result<Vec<u8>> {
        while self.more().await? > 0 {}
        Ok(std::mem::take(&mut self.unread))
    }

    /// Hears the first of an answer, whatever it is, and leaves.
    pub(crate) async fn hears_something(mut self) {
        let _ = self.more().await;
    }

    /// Whether the other side has ended its stream, with nothing more to say.
    pub(crate) async fn is_told_nothing(&mut self) -> bool {
        matches!(self.rest().await.as_deref(), Ok([]) | Err(_))
    }

    /// The answer to a request that may have a body.
    pub(crate) async fn answer(&mut self) -> Answer {
        self.try_answer(false).await.unwrap()
    }

    /// The answer to a HEAD request: none but its head.
    pub(crate) async fn answer_to_head(&mut self) -> Answer {
        self.try_answer(true).await.unwrap()
    }

    /// An answer; an error says what came instead.
    pub(crate) async fn try_answer(&mut self, to_head: bool) -> Result<Answer, String> {
        let head = self.try_head().await?;
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap();
        let head = head.split("\r\n").map(lower_name).collect::<Vec<_>>().join("\r\n");
        let (body, trailers) = (Vec::new(), String::new());
        let mut answer = Answer { status, head, body, trailers, whole: true };
        if !to_head && status >= 200 && !matches!(status, 204 | 304) {
            answer.whole = self.body(&mut answer).await;
        }
        Ok(answer)
    }

    async fn body(&mut self, answer: &mut Answer) -> bool {
        if answer.field("transfer-encoding").is_some() {
            return self.chunks(answer).await.is_some();
        }
        let Some(length) = answer.field("content-length") else {
            let end = self.rest().await;
            answer.body = end.as_deref().unwrap_or_default().to_vec();
            return end.is_ok();
        };
        let length: usize = length.parse().unwrap();
        while self.unread.len() < length && matches!(self.more().await, Ok(1..)) {}
        let came = length.min(self.unread.len());
        answer.body = self.unread.drain(..came).collect();
        came == length
    }

    async fn chunks(&mut self, answer: &mut Answer) -> Option<()> {
        loop {
            let size = usize::from_str_radix(&self.line().await?, 16).ok()?;
            if size == 0 {
                break;
            }
            while self.unread.len() < size + 2 {
                self.more().await.ok().filter(|count| *count > 0)?;
            }
            answer.body.extend(self.unread.drain(..size));
            assert_eq!(self.unread.drain(..2).collect::<Vec<_>>(), b"\r\n");
        }
        loop {
            let line = self.line().await?;
            if line.is_empty() {
                return Some(());
            }
            answer.trailers.push_str(&line);
            answer.trailers.push('\n');
        }
    }

    async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = find(&self.unread, b"\r\n") {
                let line: Vec<u8> = self.unread.drain(..end + 2).collect();
                return String::from_utf8(line).ok().map(|line| line.trim_end().to_owned());
            }
            self.more().await.ok().filter(|count| *count > 0)?;
        }
    }

    async fn more(&mut self) -> io::Result<usize> {
        self.stream.read_buf(&mut self.unread).await
    }
}

impl Answer {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.split("\r\n").filter_map(|line| line.split_once(": "));
        lines.find_map(|(known, value)| (known == name).then_some(value))
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

fn lower_name(line: &str) -> String {
    match line.split_once(':') {
        Some((name, value)) => format!("{}:{value}", name.to_ascii_lowercase()),
        None => line.to_owned(),
    }
}

pub(crate) fn find(bytes: &[u8], pattern: &[u8]) -> Option<usize> {
    bytes.windows(pattern.len()).position(|window| window == pattern)
}
