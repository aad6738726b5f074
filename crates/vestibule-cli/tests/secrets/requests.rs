//! Requests with a canary in every part, while they are held, refused, admitted and tunnelled.
//!
//! Owns the requests. What the service answers is the client's own and no output of the door's; here it
//! repeats nothing of a request, so every answer is looked at.

use std::process::Stdio;

use rustix::process::Signal;
use tokio::task::JoinSet;

use crate::admin::Desk;
use crate::client::Client;
use crate::door::Door;
use crate::ledger::{Allowed, Ledger};
use crate::stage::{Stage, words};
use crate::wicked::WICKED;

/// A trace's identifier is no secret: it is there to be found in logs.
const ALLOWED: &[Allowed] = &[Allowed {
    place: "traceparent",
    output: "the log",
    because: "it joins the line to the trace that it belongs to",
}];

/// Fields that carry secrets or say who somebody is; each gets a canary of its own.
const FIELDS: [(&str, &str); 17] = [
    ("Authorization", "Bearer CANARY"),
    ("Proxy-Authorization", "Basic CANARY"),
    ("Cookie", "session=CANARY; csrf=CANARY"),
    ("X-Api-Key", "CANARY"),
    ("Origin", "https://CANARY.test"),
    ("Referer", "https://me:CANARY@app.test/?token=CANARY"),
    ("User-Agent", "Mozilla/5.0 CANARY"),
    ("X-Forwarded-For", "CANARY, 10.0.0.1"),
    ("X-Forwarded-Host", "CANARY.test"),
    ("Forwarded", "for=CANARY;host=CANARY.test"),
    ("X-Request-Id", "CANARY"),
    ("tracestate", "vendor=CANARY"),
    ("Sec-WebSocket-Protocol", "chat, bearer.CANARY"),
    ("Accept-Language", "CANARY"),
    ("X-CANARY", "a field's name"),
    ("If-None-Match", "\"CANARY\""),
    ("Via", "1.1 CANARY"),
];

/// Heads with one canary each, where a parser may stumble.
const ODD: [(&str, &str); 16] = [
    ("a method", "CANARY / HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("a version", "GET / HTTP/CANARY\r\nHost: a\r\n\r\n"),
    ("a path alone", "GET /CANARY HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
    ("an encoded path", "GET /%1b%0d%0aCANARY HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
    ("a user in a target", "GET http://me:CANARY@a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("a target of a proxy", "CONNECT CANARY:443 HTTP/1.1\r\nHost: CANARY:443\r\n\r\n"),
    ("a host", "GET / HTTP/1.1\r\nHost: CANARY.test\r\nConnection: close\r\n\r\n"),
    ("a host that is none", "GET / HTTP/1.1\r\nHost: me:CANARY@a\r\n\r\n"),
    ("a name that is none", "GET / HTTP/1.1\r\nHost: a\r\nBad CANARY: x\r\n\r\n"),
    (
        "a second authorization",
        "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: CANARY\r\nAuthorization: b\r\n\r\n",
    ),
    ("a length that is none", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: CANARY\r\n\r\n"),
    ("a coding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: CANARY\r\n\r\n"),
    ("an expectation", "POST / HTTP/1.1\r\nHost: a\r\nExpect: CANARY\r\nContent-Length: 1\r\n\r\n"),
    ("a folded line", "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n CANARY\r\n\r\n"),
    ("no head at all", "CANARY\r\n\r\n"),
    ("a tls hello", "\u{16}\u{3}\u{1}CANARY\r\n\r\n"),
];

/// Where a control character is put, beside a canary.
const POSITIONS: [(&str, &str); 7] = [
    ("a path", "GET /WICKED HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("a query", "GET /?q=WICKED HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("a method", "WICKED / HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("a host", "GET / HTTP/1.1\r\nHost: WICKED\r\n\r\n"),
    ("a value", "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nUser-Agent: WICKED\r\n\r\n"),
    ("an origin", "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nOrigin: WICKED\r\n\r\n"),
    ("a name", "GET / HTTP/1.1\r\nHost: a\r\nWICKED: x\r\n\r\n"),
];

/// Requests with a canary in every place, and what makes each of them what it is.
const KINDS: [(&str, &str, &str); 5] = [
    ("plain", "GET", ""),
    ("posted", "POST", "Content-Length: 18\r\n"),
    ("chunked", "POST", "Transfer-Encoding: chunked\r\n"),
    ("handshake", "GET", "UPGRADE"),
    ("handshake with early bytes", "GET", "UPGRADE"),
];

/// All requests of one round; `round` keeps the canaries apart.
fn requests(ledger: &Ledger, round: &str) -> Vec<(String, Vec<u8>)> {
    let mut all: Vec<(String, Vec<u8>)> = KINDS
        .into_iter()
        .map(|kind| (format!("{}, {round}", kind.0), full(ledger, round, kind).into_bytes()))
        .collect();
    let mut add = |place: &str, head: &str, bytes: &dyn Fn(String) -> Vec<u8>| {
        let place = format!("{place}, {round}");
        let head = head.replace("CANARY", &ledger.secret(&place));
        all.push((place, bytes(head)));
    };
    for (place, head) in ODD {
        add(place, head, &String::into_bytes);
    }
    for (number, controls) in WICKED.iter().enumerate() {
        for (place, head) in POSITIONS {
            let head = head.replace("WICKED", &format!("{controls}CANARY{controls}"));
            add(&format!("{place} with control {number}"), &head, &String::into_bytes);
        }
    }
    let no_text = b"\x9b2J\xff\r\nConnection: close\r\n\r\n";
    add("a byte of C1", "GET / HTTP/1.1\r\nHost: a\r\nX: CANARY", &|head| {
        [head.as_bytes(), no_text].concat()
    });
    let large = format!("GET /CANARY HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(40_000));
    add("a large head", &large, &String::into_bytes);
    all
}

/// A good request with a canary in every place.
fn full(ledger: &Ledger, round: &str, (kind, method, rest): (&str, &str, &str)) -> String {
    let canary = |place: &str| ledger.secret(&format!("{place} of {kind}, {round}"));
    let (path, query) = (canary("path"), canary("?token="));
    let mut head = format!("{method} /{path}?token={query} HTTP/1.1\r\nHost: door\r\n");
    // Only a handshake offers subprotocols.
    let fields = FIELDS.iter().filter(|(name, _)| rest == "UPGRADE" || !name.starts_with("Sec-"));
    for (name, value) in fields {
        head += &format!("{name}: {value}\r\n").replace("CANARY", &canary(name));
    }
    let trace = ledger.trace_id(&format!("traceparent of {kind}, {round}"));
    head += &format!("traceparent: 00-{trace}-00f067aa0ba902b7-01\r\n");
    if rest == "UPGRADE" {
        let place = format!("Sec-WebSocket-Key of {kind}, {round}");
        head += &upgrade(&ledger.known(&place, random_key()));
    } else {
        head += &format!("Connection: close\r\n{rest}");
    }
    let body = match kind {
        "posted" => canary("the body"),
        "chunked" => {
            let (extension, trailer) = (canary("the extension"), canary("the trailer"));
            format!("12;ext={extension}\r\n{}\r\n0\r\nX-T: {trailer}\r\n\r\n", canary("the chunk"))
        }
        "handshake with early bytes" => canary("the early bytes"),
        _ => String::new(),
    };
    format!("{head}\r\n{body}")
}

/// Sixteen random bytes in base64: the last digit stands for two bits.
fn random_key() -> String {
    let digit = |_| fastrand::alphanumeric();
    let end = fastrand::choice(['A', 'Q', 'g', 'w']).unwrap();
    (0..21).map(digit).chain([end, '=', '=']).collect()
}

fn upgrade(key: &str) -> String {
    format!(
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
    )
}

/// Sends all of them at once, and takes down what each is answered.
async fn send_all(ledger: &Ledger, address: &str, round: &str) {
    let is_held = round == "held";
    let mut asking = JoinSet::new();
    for (name, bytes) in requests(ledger, round) {
        let address = address.to_owned();
        asking.spawn(async move {
            let mut client = Client::connect(&address).await.unwrap();
            client.send_bytes(&bytes).await;
            let mut text = match client.try_answer().await {
                Ok(answer) => answer.head.replace("\r\n", "\n") + &answer.body,
                Err(error) => format!("{name}: no answer: {error}"),
            };
            // Nobody is admitted in that round: this is a refusal in the form of a Close.
            if is_held
                && text.starts_with("HTTP/1.1 101")
                && let Ok((8, close)) = client.frame().await
            {
                text += &String::from_utf8_lossy(&close[2..]);
            }
            (name, text)
        });
    }
    while let Some(asked) = asking.join_next().await {
        let (name, text) = asked.unwrap();
        assert!(!text.contains("no answer"), "{text}");
        ledger.came_out(&format!("the answer to {name}"), text);
    }
}

/// A tunnel that carries canaries both ways, in data and in Close frames: the service echoes them.
async fn tunnel(ledger: &Ledger, address: &str) {
    let mut client = Client::connect(address).await.unwrap();
    client.ask_for_a_websocket("").await.unwrap();
    assert_eq!(client.answer().await.status, 101);
    for (number, controls) in WICKED.iter().enumerate() {
        let secret = ledger.secret(&format!("a message with control {number}"));
        client.echoes(&format!("{controls}{secret}")).await;
    }
    let reason = format!("\u{1b}]0;{}\u{7}", ledger.secret("a Close's reason"));
    let mut close =
        vec![0x88, 0x80 | u8::try_from(reason.len() + 2).unwrap(), 0, 0, 0, 0, 0x0f, 0xa0];
    close.extend_from_slice(reason.as_bytes());
    client.send_bytes(&close).await;
    let (opcode, echoed) = client.frame().await.unwrap();
    assert_eq!((opcode, &echoed[2..]), (8, reason.as_bytes()));
    client.rest().await;
}

/// One life of the door with all of it.
async fn life(form: &str, refusal: &str) {
    let (stage, ledger) = (Stage::new(), Ledger::default());
    let token = ledger.secret("VESTIBULE_ADMIN_TOKEN");
    let mut line =
        words(&["run", "--listen", "127.0.0.1:0", "--log", form, "--verbose", "--hold", "400ms"]);
    line.extend(words(&[
        "--refusal",
        refusal,
        "--ready-path",
        "/health",
        "--public-health",
        "/healthz",
    ]));
    line.extend(words(&Desk::FLAGS));
    line.push("--".into());
    line.extend(stage.app(&["ready", "term=0"]));
    line.push(format!("--password={}", ledger.secret("the command's --password")));
    let mut command = Door::command(&stage, &[], &line);
    let database = format!("postgres://me:{}@db/app", ledger.secret("DATABASE_URL"));
    command.env("DATABASE_URL", database).env("VESTIBULE_ADMIN_TOKEN", &token);
    command.env("VESTIBULE_DATABASE_PASSWORD", ledger.secret("an unknown VESTIBULE_ variable"));
    let mut door = Door::spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()), false);
    let address = door.listening().await;
    let desk = Desk::of(&door, &token).await;

    send_all(&ledger, &address, "held").await;
    desk.read(&ledger, "while held").await;
    let mut probe = Client::connect(&address).await.unwrap();
    let secret = ledger.secret("a public health check");
    probe
        .send(&format!(
            "GET /healthz?k={secret} HTTP/1.1\r\nHost: {secret}\r\nCookie: {secret}\r\n\r\n"
        ))
        .await;
    ledger.came_out("the public health path", probe.answer().await.head.replace("\r\n", "\n"));

    stage.touch("ready");
    door.logs("after_ms").await;
    send_all(&ledger, &address, "admitted").await;
    tunnel(&ledger, &address).await;
    desk.read(&ledger, "while ready").await;

    door.signal(Signal::TERM).await;
    assert_eq!(door.exit().await, 0);
    desk.take_down(&ledger).await;
    let log = door.log();
    for word in ["refused", "admitted", "tunnel ended", "no such setting"] {
        assert!(log.iter().any(|line| line.contains(word)), "no line: {word}");
    }
    ledger.came_out("the log", log.join("\n"));
    ledger.came_out("stdout", door.stdout().await);
    ledger.judge(ALLOWED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a16_a32_a33_nothing_of_a_request_leaves_the_door_in_text() {
    life("text", "http").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a16_a32_a33_nothing_of_a_request_leaves_the_door_in_json() {
    life("json", "close").await;
}
