//! A scripted service: each connection follows the script, and every byte it sends us is kept.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::client::find;
use super::{switching, until};

/// A service that listens.
pub(crate) struct Service {
    pub(crate) port: u16,
    books: Books,
    accepting: JoinHandle<()>,
}

/// A port that is kept and refuses, until the service wakes.
pub(crate) struct Asleep {
    pub(crate) port: u16,
    socket: socket2::Socket,
}

type Books = Arc<Mutex<Vec<Book>>>;
type Book = Arc<Mutex<Vec<u8>>>;

/// One connection, from the service's side.
pub(crate) struct Line {
    /// How many connections came before it.
    pub(crate) index: usize,
    stream: TcpStream,
    unread: Vec<u8>,
    book: Book,
}

impl Service {
    /// A service whose connections each follow `script`.
    pub(crate) fn new<F>(script: impl Fn(Line) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Asleep::new().wakes(script)
    }

    /// A service that takes every handshake, says nothing, and reads on.
    pub(crate) fn that_takes_all() -> Self {
        Self::new(async |mut line: Line| line.takes("").await)
    }

    /// How many connections came.
    pub(crate) fn dials(&self) -> usize {
        self.books.lock().unwrap().len()
    }

    /// Every byte of a connection so far.
    pub(crate) fn transcript(&self, index: usize) -> String {
        let book = Arc::clone(&self.books.lock().unwrap()[index]);
        let bytes = book.lock().unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Every byte of all connections.
    pub(crate) fn transcripts(&self) -> Vec<String> {
        (0..self.dials()).map(|index| self.transcript(index)).collect()
    }

    /// How many request lines came, over all connections.
    pub(crate) fn requests(&self) -> usize {
        self.transcripts().iter().map(|seen| seen.matches(" HTTP/1.1\r\n").count()).sum()
    }

    pub(crate) async fn is_dialled(&self, times: usize) {
        until("the dials", || self.dials() >= times).await;
    }

    /// Stops listening: later dials are refused. Open connections live on.
    pub(crate) async fn falls_asleep(self) -> Asleep {
        let port = self.port;
        self.accepting.abort();
        until("the listener is gone", || self.accepting.is_finished()).await;
        Asleep::on(port)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Asleep {
    pub(crate) fn new() -> Self {
        Self::on(0)
    }

    fn on(port: u16) -> Self {
        let socket = socket2::Socket::new(
            socket2::Domain::IPV4,
            socket2::Type::STREAM.nonblocking().cloexec(),
            None,
        )
        .unwrap();
        socket.set_reuse_address(true).unwrap();
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into()).unwrap();
        let port = socket.local_addr().unwrap().as_socket().unwrap().port();
        Self { port, socket }
    }

    /// Begins to listen.
    pub(crate) fn wakes<F>(self, script: impl Fn(Line) -> F + Send + 'static) -> Service
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.socket.listen(4096).unwrap();
        let listener = TcpListener::from_std(self.socket.into()).unwrap();
        let books = Books::default();
        let kept = Arc::clone(&books);
        let accepting = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                stream.set_nodelay(true).unwrap();
                let book = Book::default();
                let index = {
                    let mut books = kept.lock().unwrap();
                    books.push(Arc::clone(&book));
                    books.len() - 1
                };
                tokio::spawn(script(Line { index, stream, unread: Vec::new(), book }));
            }
        });
        Service { port: self.port, books, accepting }
    }
}

impl Line {
    /// The next head; `None` if the connection ends first.
    pub(crate) async fn head(&mut self) -> Option<String> {
        self.through(b"\r\n\r\n").await
    }

    /// All bytes through the next `pattern`; `None` if the connection ends first.
    pub(crate) async fn through(&mut self, pattern: &[u8]) -> Option<String> {
        loop {
            if let Some(at) = find(&self.unread, pattern) {
                let bytes: Vec<u8> = self.unread.drain(..at + pattern.len()).collect();
                return Some(String::from_utf8_lossy(&bytes).into_owned());
            }
            if !self.more().await {
                return None;
            }
        }
    }

    pub(crate) async fn exactly(&mut self, count: usize) -> Option<Vec<u8>> {
        while self.unread.len() < count {
            if !self.more().await {
                return None;
            }
        }
        Some(self.unread.drain(..count).collect())
    }

    /// Says something; the other side may be gone.
    pub(crate) async fn say(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref()).await;
    }

    /// Reads a head and answers it with `bytes`; then only listens.
    pub(crate) async fn answers(&mut self, bytes: impl AsRef<[u8]>) {
        if self.head().await.is_some() {
            self.say(bytes).await;
        }
        self.listen().await;
    }

    /// Answers every request of this connection with `bytes`.
    pub(crate) async fn answers_all(&mut self, bytes: impl AsRef<[u8]>) {
        while self.head().await.is_some() {
            self.say(bytes.as_ref()).await;
        }
    }

    /// Takes a handshake, says `words` behind the 101, and only listens.
    pub(crate) async fn takes(&mut self, words: impl AsRef<[u8]>) {
        self.answers([switching("").as_bytes(), words.as_ref()].concat()).await;
    }

    /// Reads to the end.
    pub(crate) async fn listen(&mut self) {
        while self.more().await {}
    }

    /// All that comes, up to the end.
    pub(crate) async fn all(&mut self) -> Vec<u8> {
        self.listen().await;
        std::mem::take(&mut self.unread)
    }

    /// Leaves without a goodbye.
    pub(crate) fn reset(self) {
        socket2::SockRef::from(&self.stream).set_linger(Some(Duration::ZERO)).unwrap();
    }

    async fn more(&mut self) -> bool {
        let before = self.unread.len();
        let read = self.stream.read_buf(&mut self.unread).await;
        self.book.lock().unwrap().extend_from_slice(&self.unread[before..]);
        matches!(read, Ok(1..))
    }
}
