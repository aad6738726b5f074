//! A service inside the test: WebSocket echo whose port can be closed while its tunnels live.
//!
//! Owns its listener and its connections, and ends them with the test.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;

/// What answers the one key that [`Client`](crate::client::Client) sends (RFC 6455 section 1.3).
const ANSWER: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                      Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

pub(crate) struct Echo {
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Echo {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        Self { address, accepting: tokio::spawn(accept(listener)) }
    }

    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// Closes the port; connections go on.
    pub(crate) async fn stop_listening(&mut self) {
        self.accepting.abort();
        let _ = (&mut self.accepting).await;
    }

    pub(crate) async fn listen_again(&mut self) {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        socket.bind(self.address).unwrap();
        self.accepting = tokio::spawn(accept(socket.listen(1024).unwrap()));
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(async move { drop(echo(stream).await) });
    }
}

async fn echo(mut stream: TcpStream) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    stream.write_all(ANSWER.as_bytes()).await?;
    loop {
        let (first, second) = (stream.read_u8().await?, stream.read_u8().await?);
        let length = second & 127;
        let mask = stream.read_u32().await?.to_be_bytes();
        let mut frame = vec![first, length];
        for at in 0..length {
            frame.push(stream.read_u8().await? ^ mask[usize::from(at % 4)]);
        }
        stream.write_all(&frame).await?;
    }
}
