//! Breaks the leaving: held clients, idle connections, tunnels in their order, a thousand at once.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use vestibule_front::process::limits::raise_descriptor_limit;

use super::actors::door::Door;
use super::actors::service::{Asleep, Line, Service};
use super::actors::{answer, handshake, masked_close, request, switching, text, until, watched};

const TUNNELS: usize = 1_000;

#[tokio::test]
async fn f35_held_clients_are_refused_at_once_and_nothing_stays_open() {
    watched(async {
        let asleep = Asleep::new();
        let door = Door::before(asleep.port);
        let mut clients = Vec::new();
        for _ in 0..20 {
            clients.push(door.client(handshake("/chat", "")).await);
        }
        door.holds(20).await;
        door.drains(Duration::from_secs(600));
        for client in &mut clients {
            assert_eq!(client.answer().await.status, 503);
        }
        drop(clients);
        door.front.drain.empty().await;
    })
    .await;
}

#[tokio::test]
async fn f35_a_hand_over_in_flight_is_refused() {
    watched(async {
        let service = Service::new(async |mut line: Line| line.listen().await);
        let door = Door::warm_before(service.port);
        let mut client = door.client(handshake("/chat", "")).await;
        until("it is in flight", || service.requests() == 1).await;
        door.drains(Duration::from_secs(600));
        let answer = client.answer().await;
        assert_eq!(answer.status, 503);
        assert!(answer.text().contains("draining"));
    })
    .await;
}

#[tokio::test]
async fn idle_connections_close_and_a_request_in_flight_is_finished_first() {
    watched(async {
        let (go, gone) = watch::channel(false);
        let service = Service::new(move |mut line: Line| {
            let mut gone = gone.clone();
            async move {
                while let Some(head) = line.head().await {
                    if head.starts_with("GET /slow ") {
                        let _ = gone.wait_for(|go| *go).await;
                    }
                    line.say(answer("200 OK", "done")).await;
                }
            }
        });
        let door = Door::warm_before(service.port);
        let mut idle = door.client(request("GET", "/", "")).await;
        assert_eq!(idle.answer().await.status, 200);
        let mut busy = door.client(request("GET", "/slow", "")).await;
        until("it is in flight", || service.requests() == 2).await;
        door.drains(Duration::from_secs(600));
        assert!(idle.is_told_nothing().await);
        assert_eq!(door.front.drain.open(), 1);
        go.send_replace(true);
        let answer = busy.answer().await;
        assert_eq!((answer.status, answer.text()), (200, "done"));
        assert!(busy.is_told_nothing().await);
        door.front.drain.empty().await;
    })
    .await;
}

#[tokio::test]
async fn tunnels_are_closed_one_after_the_other_with_1012_and_a_reason() {
    watched(async {
        let service = Service::that_takes_all();
        let door = Door::warm_before(service.port);
        let mut clients = Vec::new();
        for _ in 0..40 {
            let mut client = door.client(handshake("/chat", "")).await;
            client.head().await;
            clients.push(client);
        }
        until("all are seated", || door.front.drain.open() == 40).await;
        let began = Instant::now();
        door.drains(Duration::from_secs(60));
        let closes = clients.into_iter().map(|mut client| {
            tokio::spawn(async move {
                let (code, reason) = client.close_frame().await;
                assert_eq!((code, &*reason), (1012, vestibule_front::drain::REASON));
                let at = began.elapsed();
                client.send(masked_close(1012)).await;
                assert!(client.is_told_nothing().await);
                at
            })
        });
        let mut times = Vec::new();
        for close in closes.collect::<Vec<_>>() {
            times.push(close.await.unwrap());
        }
        times.sort();
        // Ten milliseconds apart: the last one's turn comes 390 ms after the first, never sooner.
        assert!(times[0] < Duration::from_millis(200), "{times:?}");
        assert!(times[39] >= Duration::from_millis(380), "{times:?}");
        door.front.drain.empty().await;
        let replies =
            service.transcripts().iter().filter(|seen| seen.ends_with("\u{fffd}")).count();
        assert_eq!(replies, 40, "each client's reply goes up");
    })
    .await;
}

/// A Close may stand only between frames: a drain waits for the rest of the one that is under way.
#[tokio::test]
async fn a_drain_never_cuts_a_frame() {
    watched(async {
        let (go, gone) = watch::channel(false);
        let service = Service::new(move |mut line: Line| {
            let mut gone = gone.clone();
            async move {
                line.head().await;
                line.say([switching("").as_bytes(), b"\x81\x06hel"].concat()).await;
                let _ = gone.wait_for(|go| *go).await;
                line.say([b"lo!", &text("too late")[..]].concat()).await;
                line.listen().await;
            }
        });
        let door = Door::warm_before(service.port);
        let mut client = door.client(handshake("/chat", "")).await;
        client.head().await;
        assert_eq!(client.exactly(5).await, b"\x81\x06hel");
        door.drains(Duration::ZERO);
        until("its turn has come", || door.front.drain.has_begun()).await;
        go.send_replace(true);
        assert_eq!(client.exactly(3).await, b"lo!");
        let next = client.frame().await;
        let late = (0x81, b"too late".to_vec());
        // The turn may come before or behind the second frame, and never inside of it.
        let close = if next == late { client.frame().await } else { next };
        assert_eq!((close.0, &close.1[..2]), (0x88, &1012_u16.to_be_bytes()[..]));
    })
    .await;
}

/// Opens so many tunnels over real TCP, and sees each one's first words.
async fn open_tunnels(door: &Door) -> Vec<super::actors::client::Client> {
    let mut clients = Vec::with_capacity(TUNNELS);
    for _ in 0..TUNNELS {
        clients.push(door.client(handshake("/chat", "")).await);
    }
    for client in &mut clients {
        assert!(client.head().await.starts_with("HTTP/1.1 101 "));
        assert_eq!(client.frame().await.1, b"well");
    }
    clients
}

/// Says "well", and at the word: the end between two frames, or inside of one for every fourth.
fn that_falls(word: watch::Receiver<bool>) -> Service {
    Service::new(move |mut line: Line| {
        let mut word = word.clone();
        async move {
            line.head().await;
            line.say([switching("").into_bytes(), text("well")].concat()).await;
            let _ = word.wait_for(|word| *word).await;
            match line.index % 4 {
                0 => line.say(b"\x81\x06hel").await,
                1 => line.reset(),
                2 => line.say(text("last")).await,
                _ => {}
            }
        }
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f03_a_thousand_tunnels_get_1012_when_the_service_falls_and_none_inside_a_frame() {
    watched(async {
        raise_descriptor_limit();
        let (fall, falls) = watch::channel(false);
        let service = that_falls(falls);
        let door = Door::warm_before(service.port);
        let mut clients = open_tunnels(&door).await;
        fall.send_replace(true);
        let mut ends = [0; 3];
        for client in &mut clients {
            match client.rest().await.as_deref() {
                Ok(b"\x81\x06hel") => ends[0] += 1,
                Ok(bytes) => {
                    let bytes = bytes.strip_prefix(&text("last")[..]).unwrap_or(bytes);
                    assert_eq!(&bytes[..1], b"\x88", "{bytes:?}");
                    assert_eq!(&bytes[2..4], &1012_u16.to_be_bytes()[..], "{bytes:?}");
                    assert_eq!(bytes.len(), 2 + usize::from(bytes[1]));
                    ends[1] += 1;
                }
                Err(_) => ends[2] += 1,
            }
        }
        assert_eq!(ends, [TUNNELS / 4, TUNNELS * 3 / 4, 0]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_tunnels_drain_with_1012_each() {
    watched(async {
        raise_descriptor_limit();
        let (_never, falls) = watch::channel(false);
        let service = that_falls(falls);
        let door = Door::warm_before(service.port);
        let mut clients = open_tunnels(&door).await;
        door.drains(Duration::from_secs(1));
        for client in &mut clients {
            assert_eq!(client.close_frame().await.0, 1012);
            client.send(masked_close(1012)).await;
        }
        door.front.drain.empty().await;
    })
    .await;
}
