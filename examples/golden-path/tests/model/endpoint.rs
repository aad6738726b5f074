//! An endpoint that speaks streamed chat completions over HTTP, byte for byte as a test wants it.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use golden_path::agent::openai::{OpenAi, Patience};
use golden_path::settings::Endpoint as Settings;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// The key that must not be seen anywhere but in its header.
pub(crate) const KEY: &str = "canary-key-5c1f";

/// One answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) head: String,
    /// Each is one chunk of the body, and one write.
    pub(crate) parts: Vec<Vec<u8>>,
    pub(crate) end: End,
}

/// How an answer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// As HTTP wants it.
    Whole,
    /// Without the last chunk.
    Cut,
    /// Not at all, until the client leaves.
    Held,
    /// It repeats its last part as long as the client reads.
    Endless,
}

/// What it has seen.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) head: String,
    pub(crate) body: Value,
}

pub(crate) struct Endpoint {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    _work: JoinSet<()>,
}

#[derive(Default)]
struct State {
    answers: VecDeque<Answer>,
    asked: Vec<Asked>,
    /// Told when a client has left an answer that had not ended.
    left: Arc<Notify>,
}

impl Answer {
    /// A stream of these events.
    pub(crate) fn stream(events: &[Value]) -> Self {
        let events = events.iter().map(|event| format!("data: {event}\n\n").into_bytes());
        let parts = events.chain([b"data: [DONE]\n\n".to_vec()]).collect();
        Self { head: head("200 OK", "Content-Type: text/event-stream\r\n"), parts, end: End::Whole }
    }

    /// A refusal; its body repeats what no error may say.
    pub(crate) fn status(status: &str, fields: &str) -> Self {
        let said = format!("{{\"error\":{{\"message\":\"wrong key {KEY}\"}}}}").into_bytes();
        Self { head: head(status, fields), parts: vec![said], end: End::Whole }
    }

    /// Ends so.
    pub(crate) fn end(mut self, end: End) -> Self {
        self.end = end;
        self
    }

    /// All its bytes.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.parts.concat()
    }

    /// The same in these parts.
    pub(crate) fn parts(mut self, parts: impl IntoIterator<Item = Vec<u8>>) -> Self {
        self.parts = parts.into_iter().filter(|part| !part.is_empty()).collect();
        self
    }
}

fn head(status: &str, fields: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{fields}Transfer-Encoding: chunked\r\n\r\n")
}

impl Endpoint {
    /// One that gives these answers, one to each question.
    pub(crate) async fn start(answers: impl IntoIterator<Item = Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let answers = answers.into_iter().collect();
        let state = Arc::new(Mutex::new(State { answers, ..State::default() }));
        let mut work = JoinSet::new();
        let shared = Arc::clone(&state);
        work.spawn(async move {
            let mut clients = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                clients.spawn(serve(client, Arc::clone(&shared)));
            }
        });
        Self { address, state, _work: work }
    }

    /// A model that asks it, so patient.
    pub(crate) fn model(&self, patience: Patience) -> OpenAi {
        let settings = Settings {
            url: format!("http://{}/v1/", self.address).parse().expect("an address"),
            name: "small-1".into(),
            key: Some(KEY.into()),
        };
        OpenAi::new(settings, patience).expect("it is set up well")
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.state.lock().expect("no panic").asked.clone()
    }

    /// Waits until a client has left an answer.
    pub(crate) async fn left(&self) {
        let left = Arc::clone(&self.state.lock().expect("no panic").left);
        tokio::time::timeout(Duration::from_secs(10), left.notified())
            .await
            .expect("the client left");
    }
}

async fn serve(mut client: TcpStream, state: Arc<Mutex<State>>) {
    client.set_nodelay(true).expect("a socket");
    while let Some(asked) = question(&mut client).await {
        let answer = {
            let mut state = state.lock().expect("no panic");
            state.asked.push(asked);
            state.answers.pop_front()
        };
        let answer = answer.unwrap_or_else(|| Answer::status("418 Nobody Asked", ""));
        let end = answer.end;
        if tell(&mut client, &answer).await.is_err() {
            state.lock().expect("no panic").left.notify_one();
            return;
        }
        match end {
            End::Whole => {}
            End::Cut => return,
            End::Held | End::Endless => {
                let mut byte = [0];
                if !matches!(client.read(&mut byte).await, Ok(1)) {
                    state.lock().expect("no panic").left.notify_one();
                }
                return;
            }
        }
    }
}

async fn tell(client: &mut TcpStream, answer: &Answer) -> std::io::Result<()> {
    client.write_all(answer.head.as_bytes()).await?;
    for part in &answer.parts {
        client.write_all(&chunk(part)).await?;
        // The client reads this part by itself.
        tokio::task::yield_now().await;
    }
    match answer.end {
        End::Whole => client.write_all(b"0\r\n\r\n").await,
        End::Cut | End::Held => Ok(()),
        End::Endless => {
            let last = chunk(answer.parts.last().expect("a part"));
            loop {
                client.write_all(&last).await?;
            }
        }
    }
}

fn chunk(part: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", part.len()).as_bytes(), part, b"\r\n"].concat()
}

/// Reads one request; none if the client has left.
async fn question(client: &mut TcpStream) -> Option<Asked> {
    let mut read = Vec::new();
    let (head, length) = loop {
        let mut bytes = [0; 4096];
        let count = client.read(&mut bytes).await.ok().filter(|count| *count > 0)?;
        read.extend_from_slice(&bytes[..count]);
        if let Some(at) = read.windows(4).position(|end| end == b"\r\n\r\n") {
            let head = String::from_utf8(read.drain(..at + 4).collect()).expect("a head of text");
            let lower = head.to_lowercase();
            let (_, rest) = lower.split_once("content-length: ").expect("its length");
            let length = rest.split("\r\n").next().and_then(|length| length.parse().ok());
            break (head, length.expect("a length"));
        }
    };
    let missing = usize::saturating_sub(length, read.len());
    let mut rest = vec![0; missing];
    client.read_exact(&mut rest).await.ok()?;
    read.extend(rest);
    Some(Asked { head, body: serde_json::from_slice(&read).expect("JSON") })
}
