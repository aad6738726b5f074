//! Breaks the hand-over with services that answer a handshake in every other way than a verified 101, while the
//! client has a second request ready behind it.

use super::actors::door::Door;
use super::actors::service::Service;
use super::actors::{ACCEPT, answer, handshake, switching, until, watched};

const SECOND: &str = "GET /admin HTTP/1.1\r\nHost: chat.test\r\n\r\n";

/// Answers that are not a 101 for this handshake, and the status the client may see.
fn answers_that_switch_nothing() -> Vec<(&'static str, String, u16)> {
    let unproved =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
    vec![
        ("200", answer("200 OK", "hello"), 200),
        ("204", "HTTP/1.1 204 No Content\r\n\r\n".into(), 204),
        ("400", answer("400 Bad Request", "no"), 400),
        ("401", answer("401 Unauthorized", "no"), 401),
        ("426", answer("426 Upgrade Required", "no"), 426),
        ("503", answer("503 Service Unavailable", "no"), 503),
        ("101 without accept", unproved.into(), 502),
        ("101 in HTTP/1.0", switching("").replace("HTTP/1.1", "HTTP/1.0"), 502),
        ("101 for another key", switching("").replace(ACCEPT, "s3pPLMBiTxaQ9kYGzzhZRbK+xOO="), 502),
        ("101 to h2c", switching("").replace("websocket", "h2c"), 502),
        ("101 with a body", switching("Content-Length: 3\r\n"), 502),
        ("101 with a subprotocol nobody offered", switching("Sec-WebSocket-Protocol: x\r\n"), 502),
        ("101 with an extension nobody offered", switching("Sec-WebSocket-Extensions: x\r\n"), 502),
        (
            "100 and silence behind it",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 401 U\r\nContent-Length: 0\r\n\r\n".into(),
            401,
        ),
        ("no HTTP at all", "SSH-2.0-OpenSSH_9.6\r\n\r\n".into(), 502),
        ("a list of answers", answer("401 Unauthorized", "") + &switching(""), 401),
    ]
}

/// The second request comes while the service thinks: the client is refused for it, or gets the answer; the
/// service never sees it.
#[tokio::test]
async fn a01_no_byte_behind_the_handshake_goes_up_before_a_verified_101() {
    watched(async {
        for (name, words, status) in answers_that_switch_nothing() {
            let (go, gone) = tokio::sync::watch::channel(false);
            let service = Service::new(move |mut line| {
                let (words, mut gone) = (words.clone(), gone.clone());
                async move {
                    line.head().await;
                    let _ = gone.wait_for(|go| *go).await;
                    line.say(words).await;
                    line.listen().await;
                }
            });
            let door = Door::with(service.port, |settings| settings.limits.tries_max = 1);
            door.ready();
            door.warms();
            let mut client = door.client(handshake("/chat", "")).await;
            until("the handshake is there", || service.requests() == 1).await;
            client.send(SECOND).await;
            go.send_replace(true);
            let got = client.answer().await.status;
            assert!([400, status].contains(&got), "{name}: {got}");
            let _ = client.rest().await;
            assert_eq!((service.dials(), service.requests()), (1, 1), "{name}");
            assert!(!service.transcript(0).contains("/admin"), "{name}");
        }
    })
    .await;
}

/// The second request comes right behind the answer: the connection does not go on.
#[tokio::test]
async fn a02_an_answer_that_is_no_verified_101_never_becomes_a_tunnel() {
    watched(async {
        for (name, words, status) in answers_that_switch_nothing() {
            let service = Service::new(move |mut line| {
                let words = words.clone();
                async move { line.answers(words).await }
            });
            let door = Door::with(service.port, |settings| settings.limits.tries_max = 1);
            door.ready();
            door.warms();
            let mut client = door.client(handshake("/chat", "")).await;
            let answer = client.answer().await;
            assert_eq!(answer.status, status, "{name}: {}", answer.head);
            let _ = client.try_send(SECOND).await;
            assert!(client.is_told_nothing().await, "{name}");
            assert_eq!((service.dials(), service.requests()), (1, 1), "{name}");
            assert!(!service.transcript(0).contains("/admin"), "{name}");
        }
    })
    .await;
}

#[tokio::test]
async fn a03_a_handshake_with_a_body_or_an_expectation_is_refused_before_a_place_is_taken() {
    watched(async {
        let service = Service::that_takes_all();
        let door = Door::warm_before(service.port);
        for extra in [
            "Content-Length: 0\r\n",
            "Content-Length: 3\r\n",
            "Transfer-Encoding: chunked\r\n",
            "Expect: 100-continue\r\n",
        ] {
            let mut client = door.client(handshake("/chat", extra)).await;
            let status = client.answer().await.status;
            assert!([400, 417].contains(&status), "{extra}: {status}");
        }
        // One was admitted to warm the door, and none of these.
        assert_eq!((service.dials(), door.front.gate.counts().admitted_total), (0, 1));
    })
    .await;
}
