//! Breaks the settle window: services that accept and take it back, that speak first, that are silent, that reset,
//! and routes that never work beside routes that do.

use std::time::Duration;

use super::actors::client::Client;
use super::actors::door::Door;
use super::actors::service::{Line, Service};
use super::actors::{answer, close, handshake, switching, text, until, watched};

/// A window long enough that a busy machine does not end it early.
const WINDOW: Duration = Duration::from_millis(400);

/// A service that begins with `sickness` for so many connections, then takes handshakes and says "well".
fn sick<F>(times: usize, sickness: impl Fn(Line) -> F + Send + Sync + Copy + 'static) -> Service
where
    F: Future<Output = ()> + Send + 'static,
{
    Service::new(move |mut line: Line| async move {
        if line.index < times {
            sickness(line).await;
        } else {
            line.takes(text("well")).await;
        }
    })
}

fn young(service: &Service) -> Door {
    let door = Door::with(service.port, |settings| settings.settle = WINDOW);
    door.ready();
    door
}

/// Asserts that the client sees one 101 and then only what the last try said.
async fn sees_one_tunnel(client: &mut Client) {
    assert!(client.head().await.starts_with("HTTP/1.1 101 "));
    assert_eq!(client.frame().await, (0x81, b"well".to_vec()));
}

#[tokio::test]
async fn f07_a_service_that_accepts_and_closes_is_asked_again_unseen_by_the_client() {
    watched(async {
        for code in [1011, 1012, 1013] {
            let service = Service::new(move |mut line: Line| async move {
                let words = if line.index < 5 { close(code) } else { text("well") };
                line.takes(words).await;
            });
            let door = young(&service);
            let mut client = door.client(handshake("/chat", "")).await;
            sees_one_tunnel(&mut client).await;
            assert_eq!((service.dials(), service.requests()), (6, 6));
            assert_eq!(door.front.gate.counts().retries_total, 5);
        }
    })
    .await;
}

#[tokio::test]
async fn f07_words_said_before_the_service_takes_it_back_are_never_seen() {
    watched(async {
        let service = sick(2, |mut line: Line| async move {
            line.takes([text("hello"), close(1011)].concat()).await;
        });
        let door = young(&service);
        let mut client = door.client(handshake("/chat", "")).await;
        sees_one_tunnel(&mut client).await;
    })
    .await;
}

#[tokio::test]
async fn a_service_that_accepts_and_is_gone_is_asked_again() {
    watched(async {
        let service = sick(2, |mut line: Line| async move {
            line.head().await;
            line.say(switching("")).await;
            if line.index == 0 {
                line.reset();
            }
        });
        let door = young(&service);
        let mut client = door.client(handshake("/chat", "")).await;
        sees_one_tunnel(&mut client).await;
    })
    .await;
}

#[tokio::test]
async fn a_young_service_that_answers_not_now_is_asked_again() {
    watched(async {
        let service = sick(4, |mut line: Line| async move {
            let status = [500, 502, 503, 504][line.index];
            line.answers(answer(&format!("{status} Not Now"), "wait")).await;
        });
        let door = young(&service);
        let mut client = door.client(handshake("/chat", "")).await;
        sees_one_tunnel(&mut client).await;
        assert_eq!(service.dials(), 5);
    })
    .await;
}

#[tokio::test]
async fn f05_a_service_that_is_silent_or_resets_before_its_answer_is_asked_again() {
    watched(async {
        let service = sick(2, |mut line: Line| async move {
            line.head().await;
            if line.index == 0 {
                line.reset();
            } else {
                line.listen().await;
            }
        });
        let door = Door::with(service.port, |settings| {
            settings.settle = WINDOW;
            settings.try_timeout = Duration::from_millis(100);
        });
        door.ready();
        let mut client = door.client(handshake("/chat", "")).await;
        sees_one_tunnel(&mut client).await;
        assert_eq!(service.dials(), 3);
    })
    .await;
}

#[tokio::test]
async fn a_server_that_speaks_first_is_heard_in_order() {
    watched(async {
        let (go, gone) = tokio::sync::watch::channel(false);
        let service = Service::new(move |mut line: Line| {
            let mut gone = gone.clone();
            async move {
                line.head().await;
                line.say([switching("").into_bytes(), text("one")].concat()).await;
                line.say(text("two")).await;
                let _ = gone.wait_for(|go| *go).await;
                line.say(text("three")).await;
                line.listen().await;
            }
        });
        let door = young(&service);
        let mut client = door.client(handshake("/chat", "")).await;
        client.head().await;
        // Behind the window: what was kept goes first, and what follows flows on.
        for words in ["one", "two", "three"] {
            if words == "three" {
                go.send_replace(true);
            }
            assert_eq!(client.frame().await.1, words.as_bytes());
        }
        assert_eq!(service.dials(), 1);
    })
    .await;
}

#[tokio::test]
async fn closes_of_the_application_are_relayed_and_not_tried_again() {
    watched(async {
        for code in [1000, 1008, 4401] {
            let service = Service::new(move |mut line: Line| async move {
                line.takes([text("bye"), close(code)].concat()).await;
            });
            let door = young(&service);
            let mut client = door.client(handshake("/chat", "")).await;
            client.head().await;
            assert_eq!(client.frame().await.1, b"bye");
            assert_eq!(client.close_frame().await.0, code);
            assert_eq!(service.dials(), 1);
        }
    })
    .await;
}

/// A route broken by a bug: its clients wait behind, and those of the other route never behind them.
#[tokio::test]
async fn a_broken_route_never_holds_the_clients_of_another() {
    watched(async {
        let service = Service::new(async |mut line: Line| {
            let Some(head) = line.head().await else { return };
            let good = head.starts_with("GET /good ");
            let words = if good { text("well") } else { close(1011) };
            line.say([switching("").into_bytes(), words].concat()).await;
            line.listen().await;
        });
        let door = Door::with(service.port, |settings| settings.settle = WINDOW);
        let mut broken = Vec::new();
        for _ in 0..20 {
            broken.push(door.client(handshake("/broken", "")).await);
        }
        door.holds(20).await;
        let mut good = Vec::new();
        for _ in 0..5 {
            good.push(door.client(handshake("/good", "")).await);
        }
        door.holds(25).await;
        door.ready();
        for client in &mut good {
            sees_one_tunnel(client).await;
        }
        // Their route works for nobody: they get what it says, the door's own words for it, or both in turn.
        for client in &mut broken {
            let head = client.head().await;
            if head.starts_with("HTTP/1.1 101 ") {
                assert_eq!(client.close_frame().await.0, 1011);
            } else {
                assert!(head.starts_with("HTTP/1.1 502 "), "{head}");
            }
        }
        assert_eq!(door.held(), 0);
    })
    .await;
}

#[tokio::test]
async fn without_one_survivor_a_broken_route_ends_at_the_deadline_and_not_later() {
    watched(async {
        let service = Service::new(async |mut line: Line| line.takes(close(1011)).await);
        let door = Door::with(service.port, |settings| settings.hold = Duration::from_millis(500));
        door.ready();
        let mut client = door.client(handshake("/broken", "")).await;
        let answer = client.answer().await;
        assert_eq!(answer.status, 503);
        assert!(answer.text().contains(r#""code":"deadline""#));
    })
    .await;
}

/// More clients than there are slots ask for a path over which the service thinks for ever.
#[tokio::test]
async fn a_route_that_hangs_never_holds_the_clients_of_another() {
    watched(async {
        let service = Service::new(async |mut line: Line| {
            let Some(head) = line.head().await else { return };
            if head.starts_with("GET /good ") {
                line.say(switching("")).await;
            }
            line.listen().await;
        });
        let door = Door::warm_before(service.port);
        let mut hanging = Vec::new();
        for _ in 0..40 {
            hanging.push(door.client(handshake("/hangs", "")).await);
        }
        service.is_dialled(32).await;
        let mut good = door.client(handshake("/good", "")).await;
        let head = tokio::time::timeout(Duration::from_secs(5), good.head()).await;
        assert!(head.expect("a route that hangs holds another").starts_with("HTTP/1.1 101 "));
    })
    .await;
}

/// The window is far longer than the test: only a door that does not wait for it delivers.
#[tokio::test]
async fn a_warm_service_pays_no_settle_time() {
    watched(async {
        let service = Service::that_takes_all();
        let door = Door::with(service.port, |settings| settings.settle = Duration::from_secs(600));
        door.ready();
        door.warms();
        let mut client = door.client(handshake("/chat", "")).await;
        assert!(client.head().await.starts_with("HTTP/1.1 101 "));
    })
    .await;
}

#[tokio::test]
async fn one_survivor_makes_the_service_warm_for_all_that_follow() {
    watched(async {
        let service = Service::that_takes_all();
        let door = Door::with(service.port, |settings| settings.settle = Duration::from_millis(50));
        door.ready();
        let mut clients = Vec::new();
        for _ in 0..50 {
            let mut client = door.client(handshake("/chat", "")).await;
            client.head().await;
            clients.push(client);
        }
        assert_eq!(service.dials(), 50);
        assert_eq!(door.front.service.settle(WINDOW), None);
    })
    .await;
}

#[tokio::test]
async fn settle_0_hands_over_at_once_and_relays_what_follows() {
    watched(async {
        let service = Service::new(async |mut line: Line| line.takes(close(1011)).await);
        let door = Door::with(service.port, |settings| settings.settle = Duration::ZERO);
        door.ready();
        let mut client = door.client(handshake("/chat", "")).await;
        client.head().await;
        assert_eq!(client.close_frame().await.0, 1011);
        assert_eq!(service.dials(), 1);
    })
    .await;
}

/// The 20 % of retries: a service that fails for good is not asked without end by those it fails.
#[tokio::test]
async fn a24_tries_of_a_warm_service_are_bounded() {
    watched(async {
        let service = Service::new(async |mut line: Line| {
            line.answers(answer("503 Service Unavailable", "full")).await;
        });
        let door = Door::warm_before(service.port);
        for _ in 0..40 {
            let mut client = door.client(handshake("/chat", "")).await;
            let answer = client.answer().await;
            assert_eq!((answer.status, answer.text()), (503, "full"));
        }
        let dials = service.dials();
        // A floor of ten and a fifth of forty.
        assert!((41..=40 + 10 + 8).contains(&dials), "{dials}");
        until("all slots are free", || door.front.gate.counts().handing_over == 0).await;
    })
    .await;
}

/// A ticket that is good for one time was in the head: what the service says to it is the answer.
#[tokio::test]
async fn settle_0_never_repeats_a_head() {
    watched(async {
        let service = Service::new(async |mut line: Line| {
            line.answers(answer("503 Not Now", "wait")).await;
        });
        let door = Door::with(service.port, |settings| settings.settle = Duration::ZERO);
        door.ready();
        let mut client = door.client(handshake("/chat?ticket=1", "")).await;
        assert_eq!(client.answer().await.status, 503);
        assert_eq!(service.dials(), 1);
    })
    .await;
}
