//! A2, A7, A15, T6: a service whose answers could be read in two ways, or that answers more than it was asked.
//!
//! The service is not trusted with the form of its answers. Whatever its first connection says, it is not used again,
//! and the next client gets its own answer from a fresh one.

use tokio::task::JoinSet;

use super::actors::door::Door;
use super::actors::service::{Line, Service};
use super::actors::{answer, handshake, request, watched};
use super::play::{an_honest_request_gets_its_own_answer, door_count, expect};
use super::row::spelled;

/// What the client gets: a status, or a connection that ends without an answer that looks whole.
type Got = Result<u16, ()>;

const BROKEN: Got = Err(());

/// Name, what the service says, what a plain request gets, what a handshake gets.
const ANSWERS: &[(&str, &str, Got, Got)] = &[
    (
        "t06 CL and TE",
        "HTTP/1.1 200 OK|Content-Length: 5|Transfer-Encoding: chunked||0||",
        Ok(502),
        Ok(502),
    ),
    (
        "t06 TE and CL",
        "HTTP/1.1 200 OK|Transfer-Encoding: chunked|Content-Length: 5||0||",
        Ok(502),
        Ok(502),
    ),
    ("a15 two CL", "HTTP/1.1 200 OK|Content-Length: 5|Content-Length: 6||hello!", Ok(502), Ok(502)),
    (
        "a15 two equal CL",
        "HTTP/1.1 200 OK|Content-Length: 5|Content-Length: 5||hello",
        Ok(502),
        Ok(502),
    ),
    ("a15 list of CL", "HTTP/1.1 200 OK|Content-Length: 5, 5||hello", Ok(502), Ok(502)),
    ("a15 CL with plus", "HTTP/1.1 200 OK|Content-Length: +5||hello", Ok(502), Ok(502)),
    (
        "a15 CL of 65 bits",
        "HTTP/1.1 200 OK|Content-Length: 18446744073709551616||hello",
        Ok(502),
        Ok(502),
    ),
    (
        "a15 two TE",
        "HTTP/1.1 200 OK|Transfer-Encoding: chunked|Transfer-Encoding: chunked||0||",
        Ok(502),
        Ok(502),
    ),
    ("a15 TE gzip", "HTTP/1.1 200 OK|Transfer-Encoding: gzip||hello", Ok(502), Ok(502)),
    (
        "a15 TE gzip, chunked",
        "HTTP/1.1 200 OK|Transfer-Encoding: gzip, chunked||0||",
        Ok(502),
        Ok(502),
    ),
    (
        "a15 TE chunked, identity",
        "HTTP/1.1 200 OK|Transfer-Encoding: chunked, identity||0||",
        Ok(502),
        Ok(502),
    ),
    (
        "a15 TE in HTTP/1.0",
        "HTTP/1.0 200 OK|Transfer-Encoding: chunked||5|hello|0||",
        Ok(502),
        Ok(502),
    ),
    ("a10 folded line", "HTTP/1.1 200 OK|A: b| c|Content-Length: 0||", Ok(502), Ok(502)),
    ("a10 space before the colon", "HTTP/1.1 200 OK|Content-Length : 0||", Ok(502), Ok(502)),
    ("a10 NUL in a value", "HTTP/1.1 200 OK|A: \0|Content-Length: 0||", Ok(502), Ok(502)),
    ("a10 CR in a value", "HTTP/1.1 200 OK|A: b\rC: d|Content-Length: 0||", Ok(502), Ok(502)),
    ("a10 no name", "HTTP/1.1 200 OK|: b|Content-Length: 0||", Ok(502), Ok(502)),
    ("a10 HTTP/2", "HTTP/2.0 200 OK|Content-Length: 0||", Ok(502), Ok(502)),
    ("a10 no HTTP", "SSH-2.0-OpenSSH_9.6||", Ok(502), Ok(502)),
    ("a10 status of two digits", "HTTP/1.1 20 OK|Content-Length: 0||", Ok(502), Ok(502)),
    ("a10 status below 100", "HTTP/1.1 099 No|Content-Length: 0||", Ok(502), Ok(502)),
    ("a10 status of letters", "HTTP/1.1 2OO OK|Content-Length: 0||", Ok(502), Ok(502)),
    ("a18 head of 70 KB", "HTTP/1.1 200 OK|A: {70000*b}|Content-Length: 0||", Ok(502), Ok(502)),
    ("a18 300 fields", "HTTP/1.1 200 OK|{300*A: b|}Content-Length: 0||", Ok(502), Ok(502)),
    (
        "a02 a 101 to nobody",
        "HTTP/1.1 101 Switching Protocols|Connection: Upgrade|Upgrade: websocket||",
        Ok(502),
        Ok(502),
    ),
    (
        "a02 a 101 to h2c",
        "HTTP/1.1 101 Switching Protocols|Connection: Upgrade|Upgrade: h2c||",
        Ok(502),
        Ok(502),
    ),
    (
        "a02 a 101 of HTTP/1.0",
        "HTTP/1.0 101 Switching Protocols|Connection: Upgrade|Upgrade: websocket|Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=||",
        Ok(502),
        Ok(502),
    ),
    (
        "a07 200 interim answers",
        "{200*HTTP/1.1 102 Processing||}HTTP/1.1 200 OK|Content-Length: 0||",
        Ok(502),
        Ok(502),
    ),
    (
        "a15 an answer behind the answer",
        "HTTP/1.1 200 OK|Content-Length: 5||helloHTTP/1.1 200 OK|Content-Length: 6||poison",
        Ok(200),
        Ok(200),
    ),
    (
        "a15 an answer behind a 204",
        "HTTP/1.1 204 No Content||HTTP/1.1 200 OK|Content-Length: 6||poison",
        Ok(204),
        Ok(204),
    ),
    (
        "a15 a body behind a 304",
        "HTTP/1.1 304 Not Modified|Content-Length: 6||poison",
        Ok(304),
        Ok(304),
    ),
    (
        "a15 an answer behind chunks",
        "HTTP/1.1 200 OK|Transfer-Encoding: chunked||5|hello|0||HTTP/1.1 200 OK|Content-Length: 6||poison",
        Ok(200),
        Ok(200),
    ),
    (
        "a10 chunk with minus",
        "HTTP/1.1 200 OK|Transfer-Encoding: chunked||-5|hello|0||",
        BROKEN,
        BROKEN,
    ),
    (
        "a10 chunk of 65 bits",
        "HTTP/1.1 200 OK|Transfer-Encoding: chunked||10000000000000005|hello|0||",
        BROKEN,
        BROKEN,
    ),
    (
        "a10 chunk without a size",
        "HTTP/1.1 200 OK|Transfer-Encoding: chunked|||hello|0||",
        BROKEN,
        BROKEN,
    ),
    (
        "a10 chunk beyond its size",
        "HTTP/1.1 200 OK|Transfer-Encoding: chunked||5|hello!|0||",
        BROKEN,
        BROKEN,
    ),
];

#[tokio::test]
async fn a02_a15_t06_an_answer_that_could_be_read_in_two_ways_never_meets_another_client() {
    let mut playing = JoinSet::new();
    for (name, says, plain, asked) in ANSWERS {
        let (get, ws) = (request("GET", "/r", ""), handshake("/r", ""));
        for (kind, words, wanted) in [("plain", get, plain), ("handshake", ws, asked)] {
            playing.spawn(async move {
                let played = watched(play_one(says, &words, *wanted)).await;
                played.err().map(|why| format!("{name}, {kind}: {why}"))
            });
        }
    }
    let broken: Vec<String> = playing.join_all().await.into_iter().flatten().collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

async fn play_one(says: &'static str, words: &str, wanted: Got) -> Result<(), String> {
    let service = Service::new(move |mut line: Line| async move {
        if line.index > 0 {
            return line.answers_all(answer("200 OK", "/honest")).await;
        }
        line.head().await;
        line.say(spelled(says)).await;
        // Whoever asks this connection again is poisoned.
        line.answers_all(answer("200 OK", "poison")).await;
    });
    let door = Door::warm_before(service.port);
    let mut client = door.client(words).await;
    let mut got = client.try_answer(false).await;
    for _ in 0..20 {
        if matches!(&got, Ok(interim) if interim.status < 200 && interim.status != 101) {
            got = client.try_answer(false).await;
        }
    }
    let got = got.map_err(|_| ()).and_then(|answer| match answer.whole {
        true => Ok(answer.status),
        false => Err(()),
    });
    expect("the client's answer", &got, &wanted)?;
    an_honest_request_gets_its_own_answer(&door).await?;
    expect("dials", &service.dials(), &2)?;
    expect("requests counted by the front", &door_count(&door), &2)
}
