//! A service that puts canaries into all that it says.
//!
//! Owns its words. What the door passes on is the client's; what it says itself, of an answer that it does
//! not pass on, may repeat nothing.

use rustix::process::Signal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::admin::Desk;
use crate::client::Client;
use crate::ledger::Ledger;
use crate::stage::Stage;
use crate::wicked::WICKED;

/// What answers the one key that [`Client`] sends (RFC 6455 section 1.3).
const SWITCHING: &str = "HTTP/1.1 101 CANARY\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

/// Answers, by the path's number. `SWITCHING` stands for a head without its end.
const ANSWERS: [&str; 26] = [
    "HTTP/1.1 200 CANARY\r\nX-Secret: CANARY\r\nSet-Cookie: s=CANARY\r\nContent-Length: 18\r\n\r\nCANARY",
    "HTTP/1.1 401 CANARY\r\nWWW-Authenticate: Basic realm=CANARY\r\nContent-Length: 18\r\n\r\nCANARY",
    "HTTP/1.1 503 CANARY\r\nRetry-After: CANARY\r\nContent-Length: 18\r\n\r\nCANARY",
    "HTTP/1.1 302 Found\r\nLocation: https://me:CANARY@idp.test/?code=CANARY\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 103 CANARY\r\nLink: CANARY\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nCANARY",
    "HTTP/1.1 200 OK\r\nContent-Length: CANARY\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\nX: CANARY\r\n\r\nab",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: CANARY\r\n\r\nCANARY",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nCANARYzz\r\nCANARY\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nCANARY: CANARY\r\n\r\n",
    "HTTP/1.1 CANARY OK\r\n\r\n",
    "HTTP/CANARY 200 OK\r\n\r\n",
    "HTTP/1.1 200 OK\r\nCANARY\r\n\r\n",
    "HTTP/1.1 200 OK\r\nBad CANARY: x\r\n\r\n",
    "HTTP/1.1 200 OK\r\nX: a\r\n CANARY\r\n\r\n",
    "CANARY\r\n\r\n",
    "CANARY",
    "SWITCHING\r\n",
    "SWITCHINGSec-WebSocket-Protocol: CANARY\r\n\r\n",
    "SWITCHINGSec-WebSocket-Extensions: CANARY; a=CANARY\r\n\r\n",
    "SWITCHINGContent-Length: CANARY\r\nSet-Cookie: CANARY\r\n\r\n",
    "HTTP/1.1 101 OK\r\nConnection: Upgrade\r\nUpgrade: CANARY\r\nSec-WebSocket-Accept: CANARY\r\n\r\n",
    "SWITCHINGSet-Cookie: s=CANARY\r\n\r\n\u{81}CANARY",
    "SWITCHING\r\n\u{88}\u{16}\u{3}\u{e8}\u{1b}]CANARY",
    "SWITCHING\r\n\u{ff}\u{ff}CANARY",
];

/// Every answer, and some of them with a control character in the reason, in a name and in a value.
fn answers() -> Vec<String> {
    let mut all: Vec<_> = ANSWERS.map(|answer| answer.replace("SWITCHING", SWITCHING)).to_vec();
    for controls in WICKED {
        let wicked = format!("{controls}CANARY{controls}");
        all.push(format!("HTTP/1.1 200 {wicked}\r\nContent-Length: 0\r\n\r\n"));
        all.push(format!("HTTP/1.1 200 OK\r\nX: {wicked}\r\nContent-Length: 0\r\n\r\n"));
        all.push(format!("HTTP/1.1 200 OK\r\n{wicked}: x\r\nContent-Length: 0\r\n\r\n"));
    }
    all
}

/// As bytes: what is below 256 is one byte, for frames; controls of C1 go as UTF-8 in heads all the same,
/// in another form than a terminal reads.
fn bytes_of(answer: &str) -> Vec<u8> {
    let byte = |c: char| {
        u8::try_from(u32::from(c)).map_or_else(|_| c.to_string().into_bytes(), |b| vec![b])
    };
    answer.chars().flat_map(byte).collect()
}

/// The service: the number in the path says what it answers.
struct Rude {
    address: String,
    accepting: JoinHandle<()>,
}

impl Rude {
    async fn start(answers: Vec<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let accepting = tokio::spawn(async move {
            let mut serving = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                serving.spawn(serve(stream, answers.clone()));
            }
        });
        Self { address, accepting }
    }
}

impl Drop for Rude {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn serve(mut stream: TcpStream, answers: Vec<Vec<u8>>) {
    let mut head = Vec::new();
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        match stream.read_buf(&mut head).await {
            Ok(1..) => {}
            _ => return,
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let number: usize = head.split(['/', ' ']).nth(2).unwrap().parse().unwrap();
    let _ = stream.write_all(&answers[number]).await;
    // An end without a reset, so that all of it arrives.
    let _ = stream.shutdown().await;
    let _ = stream.read_buf(&mut Vec::new()).await;
}

async fn life(form: &str, refusal: &str) {
    let (stage, ledger) = (Stage::new(), Ledger::default());
    let answers: Vec<_> = answers()
        .iter()
        .enumerate()
        .map(|(number, answer)| {
            bytes_of(&answer.replace("CANARY", &ledger.secret(&format!("answer {number}"))))
        })
        .collect();
    let count = answers.len();
    let service = Rude::start(answers).await;
    let flags = ["--upstream", &service.address, "--log", form, "--refusal", refusal, "--verbose"];
    let times = ["--hold", "600ms", "--try-timeout", "200ms", "--settle", "10ms"];
    let mut door = stage.serve(&[&flags[..], &times, &Desk::FLAGS].concat()).await;
    let desk = Desk::of(&door, "none").await;
    let address = door.listening().await;
    let mut asking = JoinSet::new();
    for number in 0..count {
        for is_handshake in [true, false] {
            let address = address.clone();
            asking.spawn(async move { (number, ask(&address, number, is_handshake).await) });
        }
    }
    let mut own = 0;
    while let Some(asked) = asking.join_next().await {
        let (number, text) = asked.unwrap();
        // Only a refusal of the door's is its own word.
        if text.contains("application/problem+json") {
            own += 1;
            ledger.came_out(&format!("the refusal instead of answer {number}"), text);
        }
    }
    assert!(own > 10, "only {own} refusals of the door's own");
    desk.read(&ledger, "afterwards").await;
    door.signal(Signal::TERM).await;
    assert_eq!(door.exit().await, 0);
    desk.take_down(&ledger).await;
    let log = door.log();
    for word in ["was not passed on", "tunnel ended", "the service answered"] {
        assert!(log.iter().any(|line| line.contains(word)), "no line: {word}\n{}", log.join("\n"));
    }
    ledger.came_out("the log", log.join("\n"));
    ledger.judge(&[]);
}

async fn ask(address: &str, number: usize, is_handshake: bool) -> String {
    let mut client = Client::connect(address).await.unwrap();
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let fields = if is_handshake { upgrade } else { "Connection: close\r\n" };
    client.send(&format!("GET /{number} HTTP/1.1\r\nHost: door\r\n{fields}\r\n")).await;
    String::from_utf8_lossy(&client.rest().await).replace("\r\n", "\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a32_a33_nothing_of_an_answer_is_repeated_in_text() {
    life("text", "http").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a32_a33_nothing_of_an_answer_is_repeated_in_json() {
    life("json", "http").await;
}
