//! Those who want nothing, or everything.
//!
//! Owns the sockets of attackers. Each binds an address of its own within 127.0.0.0/8.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, interval, timeout};

use crate::client::Client;
use crate::stage::BOUND;

/// The listener's own backlog is smaller than a crowd: a refused connect is tried again.
const CONNECTS_AT_ONCE: usize = 100;

/// A connection from this address.
pub(crate) async fn from(own: Ipv4Addr, address: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::new(IpAddr::V4(own), 0))?;
    timeout(BOUND, socket.connect(address)).await?
}

async fn many(own: Ipv4Addr, address: SocketAddr, count: usize) -> Vec<TcpStream> {
    let mut streams = Vec::with_capacity(count);
    while streams.len() < count {
        let batch = CONNECTS_AT_ONCE.min(count - streams.len());
        let tasks: Vec<_> = (0..batch).map(|_| tokio::spawn(from(own, address))).collect();
        for task in tasks {
            streams.push(task.await.unwrap().unwrap());
        }
    }
    streams
}

/// Connections that send nothing, or one byte a second.
pub(crate) struct Silent {
    mute: Vec<TcpStream>,
    slow: Vec<TcpStream>,
}

impl Silent {
    pub(crate) async fn come(own: Ipv4Addr, address: SocketAddr, count: usize) -> Self {
        let mut mute = many(own, address, count).await;
        let mut slow = mute.split_off(count / 2);
        for stream in &mut slow {
            stream.write_all(b"G").await.unwrap();
        }
        Self { mute, slow }
    }

    /// One more byte from each slow one, a second after their first.
    pub(crate) async fn dribble(&mut self) {
        let mut seconds = interval(Duration::from_secs(1));
        seconds.tick().await;
        seconds.tick().await;
        for stream in &mut self.slow {
            // Those whose time is over may have been ended already.
            let _ = stream.write_all(b"E").await;
        }
    }

    /// Waits until the door has ended each of them.
    pub(crate) async fn are_all_ended(self) {
        let deadline = Instant::now() + BOUND;
        for stream in self.mute.into_iter().chain(self.slow) {
            let ended = tokio::time::timeout_at(deadline, ended(&stream)).await;
            assert!(ended.is_ok(), "a connection without a head outlived its deadline");
        }
    }
}

/// Waits for the end of what the door sends.
async fn ended(stream: &TcpStream) {
    let mut buffer = [0; 1024];
    loop {
        stream.readable().await.unwrap();
        match stream.try_read(&mut buffer) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}

/// Handshakes that leave at once: half by a reset, half behind one byte that hides it.
pub(crate) async fn ghosts(own: Ipv4Addr, address: SocketAddr, count: usize) {
    for (index, stream) in many(own, address, count).await.into_iter().enumerate() {
        let resets = index % 2 == 0;
        if resets {
            stream.set_zero_linger().unwrap();
        }
        let mut ghost = Client::over(stream);
        ghost.ask_for_a_websocket("").await.unwrap();
        if !resets {
            ghost.send("x").await;
        }
    }
}

/// One address that wants every place.
pub(crate) struct Greedy {
    held: Vec<Client>,
    refusals: Vec<String>,
}

impl Greedy {
    pub(crate) async fn come(own: Ipv4Addr, address: SocketAddr, count: usize) -> Self {
        let (mut held, mut refusals) = (Vec::new(), Vec::new());
        while held.len() + refusals.len() < count {
            let batch = CONNECTS_AT_ONCE.min(count - held.len() - refusals.len());
            let asking: Vec<_> = (0..batch).map(|_| tokio::spawn(ask(own, address))).collect();
            for asked in asking {
                match asked.await.unwrap() {
                    Ok(client) => held.push(client),
                    Err(code) => refusals.push(code),
                }
            }
        }
        // A door under load may have been slow to answer.
        let again: Vec<_> = held
            .into_iter()
            .map(|mut client| tokio::spawn(async move { (client.is_held().await, client) }))
            .collect();
        let mut held = Vec::new();
        for looked in again {
            match looked.await.unwrap() {
                (true, client) => held.push(client),
                (false, client) => refusals.push(code(client).await),
            }
        }
        Self { held, refusals }
    }

    /// How many were refused for this reason.
    pub(crate) fn refused(&self, code: &str) -> usize {
        self.refusals.iter().filter(|refusal| *refusal == code).count()
    }

    pub(crate) async fn all_held_are_served(self) {
        for mut client in self.held {
            client.is_served().await;
        }
    }
}

/// One that is held, or why it was refused.
async fn ask(own: Ipv4Addr, address: SocketAddr) -> Result<Client, String> {
    let mut client = Client::over(from(own, address).await.unwrap());
    client.ask_for_a_websocket("").await.unwrap();
    if client.is_held().await {
        return Ok(client);
    }
    Err(code(client).await)
}

async fn code(mut refused: Client) -> String {
    let answer = refused.answer().await;
    let problem: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    problem["code"].as_str().unwrap().to_owned()
}
