//! Tries to break the invariants that only the whole front can keep.

use std::time::Duration;

use vestibule::readiness::Failure;

use super::actors::door::Door;
use super::actors::ears::Ears;
use super::actors::service::{Asleep, Line, Service};
use super::actors::{answer, close, handshake, request, switching, text, watched};

const CANARY: &str = "canary-7f3a";

/// Whatever the clients send, and however many they are: the service hears of none before it is ready.
#[tokio::test]
async fn invariant_1_no_client_is_admitted_before_readiness() {
    watched(async {
        let service = Service::that_takes_all();
        let door = Door::before(service.port);
        let mut clients = Vec::new();
        for n in 0..50 {
            clients.push(door.client(handshake(&format!("/{n}"), "")).await);
            clients.push(door.client(request("GET", "/", "")).await);
            clients.push(door.client(request("POST", "/", "Content-Length: 4\r\n") + "body").await);
        }
        door.holds(150).await;
        // What would make a less careful door go on: a tunnel's end, a failed service that recovers.
        let now = tokio::time::Instant::now();
        door.front.service.tunnel_began();
        door.front.service.tunnel_ended(true);
        door.front.service.lost("nothing", now);
        door.front.service.restarting(now);
        let counts = door.front.gate.counts();
        assert_eq!((counts.held, counts.admitted_total), (150, 0));
        assert_eq!(service.dials(), 0);
        door.ready();
        assert!(clients[0].head().await.starts_with("HTTP/1.1 101 "));
    })
    .await;
}

/// A crowd at a service that fails in every way: each client gets one final head, in time, and nothing behind it.
#[tokio::test]
async fn invariant_2_every_held_client_gets_exactly_one_answer() {
    watched(async {
        let service = Service::new(async |mut line: Line| {
            let Some(_) = line.head().await else { return };
            match line.index % 7 {
                0 => line.say(answer("503 Service Unavailable", "wait")).await,
                1 => return line.reset(),
                2 => line.say([switching("").into_bytes(), close(1011)].concat()).await,
                3 => line.say(answer("401 Unauthorized", "no")).await,
                4 => line.say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbrok").await,
                5 => {}
                _ => line.say([switching("").into_bytes(), text("well")].concat()).await,
            }
            line.listen().await;
        });
        let door = Door::with(service.port, |settings| {
            settings.hold = Duration::from_secs(3);
            settings.try_timeout = Duration::from_millis(100);
            settings.settle = Duration::from_millis(50);
        });
        let mut clients = Vec::new();
        for n in 0..100 {
            clients.push(door.client(handshake(&format!("/{}", n % 5), "")).await);
        }
        door.holds(100).await;
        door.ready();
        let mut crowd = Vec::new();
        for mut client in clients {
            crowd.push(tokio::spawn(async move {
                let head = client.head().await;
                client.half_close().await;
                let behind = client.rest().await.unwrap_or_default();
                let heads = String::from_utf8_lossy(&behind).matches("HTTP/1.1 ").count();
                assert_eq!(heads, 0, "{head} and then {behind:?}");
            }));
        }
        for client in crowd {
            client.await.unwrap();
        }
        let counts = door.front.gate.counts();
        assert_eq!((counts.held, counts.handing_over, counts.left_total), (0, 0, 0));
    })
    .await;
}

/// Requests that carry a secret in every place that can carry one.
fn secrets() -> Vec<String> {
    let fields = format!(
        "Authorization: Bearer {CANARY}\r\nCookie: session={CANARY}\r\nX-Api-Key: {CANARY}\r\n\
         Sec-WebSocket-Protocol: chat, bearer.{CANARY}\r\nOrigin: https://{CANARY}.test\r\n\
         User-Agent: {CANARY}\r\ntraceparent: {CANARY}\r\n"
    );
    let target = format!("/{CANARY}?token={CANARY}");
    let chunked = format!("{fields}Transfer-Encoding: chunked\r\n");
    vec![
        handshake(&target, &fields),
        handshake(&target, &fields) + CANARY,
        handshake(&target, &fields).replace("13\r\n", &format!("{CANARY}\r\n")),
        request("GET", &target, &fields),
        request("POST", &target, &chunked) + CANARY + "\r\n",
        request(CANARY, &target, &format!("{fields}Bad Name: {CANARY}\r\n")),
        format!("GET http://user:{CANARY}@a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
        format!("{CANARY}\r\n\r\n"),
    ]
}

/// Through refusal, retry, relay, tunnel and defect, with every level of the log on.
#[tokio::test]
async fn invariant_8_no_secret_is_logged() {
    let (ears, _listening) = Ears::open();
    watched(async {
        let rude =
            format!("HTTP/1.1 101 {CANARY}\r\nSet-Cookie: {CANARY}\r\nUpgrade: {CANARY}\r\n\r\n");
        let wrong =
            format!("HTTP/1.1 200 {CANARY}\r\nX: {CANARY}\r\nContent-Length: {CANARY}\r\n\r\n");
        let scripts = [
            switching("Sec-WebSocket-Protocol: chat\r\n"),
            answer("401 Unauthorized", CANARY),
            answer("503 Service Unavailable", CANARY),
            rude,
            wrong,
            format!("{CANARY}\r\n\r\n"),
            String::new(),
        ];
        for words in scripts {
            let service = Service::new(move |mut line: Line| {
                let words = words.clone();
                async move {
                    line.head().await;
                    line.say(&words).await;
                    if words.contains(" 101 ") {
                        line.listen().await;
                    }
                }
            });
            let door = Door::with(service.port, |settings| {
                settings.hold = Duration::from_millis(200);
                settings.settle = Duration::from_millis(10);
            });
            door.ready();
            for words in secrets() {
                let client = door.client(words).await;
                client.hears_something().await;
            }
        }
        let asleep = Asleep::new();
        let door = Door::before(asleep.port);
        door.front.service.failed(&Failure::new("no database"), tokio::time::Instant::now());
        for words in secrets() {
            door.client(words).await.hears_something().await;
        }
    })
    .await;
    let heard = ears.heard();
    assert!(heard.contains("refused") && heard.contains("admitted"), "the ears work: {heard}");
    let told = heard.lines().find(|line| line.contains(CANARY));
    assert_eq!(told, None);
}

/// Every request that a service sees is a try that the gate counted, but for the one repetition of a plain
/// request on a pooled connection that was dead; none is made here.
#[tokio::test]
async fn invariant_9_no_upstream_request_is_uncounted() {
    watched(async {
        let service = Service::new(async |mut line: Line| {
            while let Some(head) = line.head().await {
                match (head.contains("Upgrade: websocket"), line.index % 3) {
                    (false, _) => line.say(answer("200 OK", "well")).await,
                    (true, 0) => return line.say(answer("503 Service Unavailable", "")).await,
                    (true, 1) => return line.say(switching("")).await,
                    (true, _) => {
                        line.say(switching("")).await;
                        return line.listen().await;
                    }
                }
            }
        });
        let door = Door::with(service.port, |settings| settings.settle = Duration::from_millis(50));
        let smuggled = request("GET", "/smuggled", "");
        let mut clients = Vec::new();
        for n in 0..30 {
            let words = match n % 6 {
                0 => handshake("/a", ""),
                1 => request("GET", "/a", ""),
                2 => request("POST", "/a", "Content-Length: 40\r\n") + &smuggled[..40],
                3 => request("GET", "/a", "") + &request("GET", "/b", "Connection: close\r\n"),
                4 => handshake("/a", "Content-Length: 0\r\n") + &smuggled,
                _ => {
                    request("GET", "/a", "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n")
                        + &smuggled
                }
            };
            clients.push(door.client(words).await);
        }
        door.ready();
        for client in &mut clients {
            client.head().await;
        }
        super::actors::until("nothing is held", || door.held() == 0).await;
        drop(clients);
        door.front.drain.empty().await;
        let counts = door.front.gate.counts();
        let seen = service.transcripts().concat();
        let heads = seen.matches("chat.test\r\n").count() / 2;
        assert_eq!(heads as u64, counts.admitted_total + counts.retries_total);
        assert_eq!(heads as u64, door.front.upstream_requests.total());
    })
    .await;
}
