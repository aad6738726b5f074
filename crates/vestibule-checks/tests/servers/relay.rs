//! Somebody between a check and a real server.
//!
//! Owns what becomes of the bytes on their way: passed on, late, withheld, or none at all. It knows whether
//! anybody is connected.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::timeout;

use crate::daemon::LONG;

/// What becomes of the bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    /// They are passed on.
    Free,
    /// Each answer is this late.
    Late(Duration),
    /// From an answer with this word on, none is passed on.
    Withheld(&'static str),
    /// Nobody answers.
    Silent,
    /// The connection is closed at once.
    Closed,
}

/// One relay; its tasks end with it.
pub(crate) struct Relay {
    port: u16,
    way: watch::Sender<Way>,
    withheld: watch::Receiver<Vec<u8>>,
    connected: watch::Sender<usize>,
    task: AbortHandle,
}

impl Relay {
    /// One before this port on 127.0.0.1.
    pub(crate) async fn before(server: u16, way: Way) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (way, ways) = watch::channel(way);
        let (heard, withheld) = watch::channel(Vec::new());
        let connected = watch::Sender::new(0);
        let count = connected.clone();
        let task = tokio::spawn(async move {
            let mut tasks = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                count.send_modify(|count| *count += 1);
                let (ways, heard, count) = (ways.clone(), heard.clone(), count.clone());
                tasks.spawn(async move {
                    between(client, server, ways, heard).await;
                    count.send_modify(|count| *count -= 1);
                });
            }
        });
        Self { port, way, withheld, connected, task: task.abort_handle() }
    }

    /// Its port on 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// From now on.
    pub(crate) fn goes(&self, way: Way) {
        self.way.send_replace(way);
    }

    /// Waits until an answer with this word was withheld.
    pub(crate) async fn withholds(&mut self, word: &str) {
        let has = |bytes: &Vec<u8>| contains(bytes, word);
        timeout(LONG, self.withheld.wait_for(has)).await.expect("it never came").unwrap();
    }

    /// Waits until nobody is connected.
    pub(crate) async fn is_left(&self) {
        let mut connected = self.connected.subscribe();
        timeout(LONG, connected.wait_for(|count| *count == 0)).await.expect("not left").unwrap();
    }

    /// Waits until somebody is connected.
    pub(crate) async fn is_used(&self) {
        let mut connected = self.connected.subscribe();
        timeout(LONG, connected.wait_for(|count| *count > 0)).await.expect("not used").unwrap();
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One connection, until the client leaves.
async fn between(
    mut client: TcpStream,
    server: u16,
    ways: watch::Receiver<Way>,
    heard: watch::Sender<Vec<u8>>,
) {
    let way = *ways.borrow();
    if matches!(way, Way::Closed) {
        return;
    }
    if matches!(way, Way::Silent) {
        let mut unread = Vec::new();
        let _left = client.read_to_end(&mut unread).await;
        return;
    }
    let Ok(server) = TcpStream::connect(("127.0.0.1", server)).await else {
        return;
    };
    let (mut from_client, to_client) = client.into_split();
    let (from_server, mut to_server) = server.into_split();
    tokio::select! {
        _ = tokio::io::copy(&mut from_client, &mut to_server) => {}
        () = answers(from_server, to_client, ways, heard) => {}
    }
}

async fn answers(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut ways: watch::Receiver<Way>,
    heard: watch::Sender<Vec<u8>>,
) {
    let (mut withheld, mut bytes) = (Vec::new(), [0; 4096]);
    loop {
        let way = *ways.borrow_and_update();
        if !matches!(way, Way::Withheld(_)) && !withheld.is_empty() {
            let all = std::mem::take(&mut withheld);
            if to.write_all(&all).await.is_err() {
                return;
            }
        }
        let read = tokio::select! {
            changed = ways.changed() => match changed {
                Ok(()) => continue,
                Err(_gone) => return,
            },
            read = from.read(&mut bytes) => read.unwrap_or(0),
        };
        let answer = &bytes[..read];
        match way {
            _ if read == 0 => return,
            Way::Closed => return,
            Way::Withheld(word) if !withheld.is_empty() || contains(answer, word) => {
                withheld.extend_from_slice(answer);
                heard.send_replace(withheld.clone());
                continue;
            }
            Way::Late(time) => {
                let _late = timeout(time, std::future::pending::<()>()).await;
            }
            _ => {}
        }
        if to.write_all(answer).await.is_err() {
            return;
        }
    }
}

fn contains(bytes: &[u8], word: &str) -> bool {
    bytes.windows(word.len()).any(|part| part == word.as_bytes())
}
