//! Breaks the hold with clients that leave, half-close, speak too early, dribble, or never speak.

use std::time::Duration;

use super::actors::PLACE_FREED_WITHIN;
use super::actors::client::Client;
use super::actors::door::Door;
use super::actors::service::{Asleep, Service};
use super::actors::{answer, comes_true, handshake, request, until, watched};

const MEBIBYTE: usize = 1 << 20;

async fn one_held(door: &Door) -> Client {
    let client = door.client(handshake("/chat", "")).await;
    door.holds(1).await;
    client
}

#[tokio::test]
async fn a20_a_client_that_left_frees_its_place() {
    watched(async {
        let asleep = Asleep::new();
        let door = Door::before(asleep.port);
        drop(one_held(&door).await);
        door.frees_every_place().await;
        assert_eq!(door.front.gate.counts().left_total, 1);
    })
    .await;
}

#[tokio::test]
async fn a20_a_client_that_resets_frees_its_place() {
    watched(async {
        let asleep = Asleep::new();
        let door = Door::before(asleep.port);
        one_held(&door).await.reset();
        door.frees_every_place().await;
    })
    .await;
}

#[tokio::test]
async fn a_half_closed_client_is_gone() {
    watched(async {
        let asleep = Asleep::new();
        let door = Door::before(asleep.port);
        let mut client = one_held(&door).await;
        client.half_close().await;
        door.frees_every_place().await;
        assert!(client.is_told_nothing().await);
    })
    .await;
}

/// The ghost hold: one byte, and the end behind it is not seen by who watches for the end alone.
#[tokio::test]
async fn a20_one_early_byte_does_not_hide_that_a_client_left() {
    watched(async {
        let asleep = Asleep::new();
        let door = Door::before(asleep.port);
        let mut client = one_held(&door).await;
        client.send("x").await;
        drop(client);
        door.frees_every_place().await;
    })
    .await;
}

#[tokio::test]
async fn a04_early_bytes_end_the_hold_and_are_named() {
    watched(async {
        let frame = [0x81, 0x85, 1, 2, 3, 4, 5, 6, 7, 8, 9];
        for early in [&b"x"[..], &frame, &vec![b'x'; MEBIBYTE]] {
            let asleep = Asleep::new();
            let door = Door::before(asleep.port);
            let mut client = one_held(&door).await;
            // The door may refuse to take all of it; what matters is the answer.
            let _ = client.try_send(early).await;
            door.frees_every_place().await;
            let answer = client.answer().await;
            assert_eq!((answer.status, answer.whole), (400, true), "{}", early.len());
            assert!(answer.text().contains(r#""code":"early_bytes""#), "{}", answer.text());
            assert_eq!(answer.field("connection"), Some("close"));
        }
    })
    .await;
}

#[tokio::test]
async fn a04_bytes_behind_the_head_in_one_segment_never_take_a_place() {
    watched(async {
        let service = Service::that_takes_all();
        let door = Door::ready_before(service.port);
        for early in ["x", "\r\n", "GET /admin HTTP/1.1\r\nHost: a\r\n\r\n"] {
            let mut client = door.client(handshake("/chat", "") + early).await;
            let answer = client.answer().await;
            assert_eq!(answer.status, 400);
            assert!(answer.text().contains("early_bytes"));
            assert!(client.is_told_nothing().await);
        }
        let counts = door.front.gate.counts();
        assert_eq!((counts.admitted_total, service.dials()), (0, 0));
    })
    .await;
}

#[tokio::test]
async fn a17_one_deadline_ends_a_head_that_dribbles() {
    watched(async {
        let asleep = Asleep::new();
        let door =
            Door::with(asleep.port, |settings| settings.head_timeout = Duration::from_millis(300));
        let mut client = Client::connect(door.address).await;
        let dribble = async {
            for byte in handshake("/chat", "").bytes() {
                if client.try_send([byte]).await.is_err() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(60)).await;
            }
        };
        // Far more bytes than fit into the deadline; the answer comes meanwhile.
        let _ = tokio::time::timeout(Duration::from_millis(1_000), dribble).await;
        let answer = client.answer().await;
        assert_eq!(answer.status, 408);
        assert!(answer.text().contains("head_timeout"));
        assert_eq!(door.front.gate.counts().left_total, 0, "no place was taken");
    })
    .await;
}

#[tokio::test]
async fn a17_a_later_head_has_its_own_deadline_too() {
    watched(async {
        let service = Service::new(async |mut line| {
            line.answers_all(answer("200 OK", "a")).await;
        });
        let door = Door::with(service.port, |settings| {
            settings.head_timeout = Duration::from_millis(300);
        });
        door.ready();
        door.warms();
        let mut client = door.client(request("GET", "/", "")).await;
        assert_eq!(client.answer().await.status, 200);
        client.send("GET / HT").await;
        assert_eq!(client.answer().await.status, 408);
    })
    .await;
}

#[tokio::test]
async fn a_connection_that_never_speaks_is_closed_without_a_word() {
    watched(async {
        let asleep = Asleep::new();
        let door =
            Door::with(asleep.port, |settings| settings.head_timeout = Duration::from_millis(100));
        let mut client = Client::connect(door.address).await;
        assert_eq!(client.rest().await.unwrap(), b"");
    })
    .await;
}

#[tokio::test]
async fn a20_ghosts_leave_room_for_an_honest_client() {
    watched(async {
        let asleep = Asleep::new();
        let door = Door::with(asleep.port, |settings| settings.limits.held_max = 10);
        let mut ghosts = Vec::new();
        for round in 0..20 {
            for _ in 0..10 {
                let mut ghost = door.client(handshake("/chat", "")).await;
                let _ = ghost.try_send("x").await;
                ghosts.push(ghost);
            }
            until("the ghosts lost their places", || door.held() == 0).await;
            if round % 2 == 0 {
                ghosts.clear();
            }
        }
        let _honest = one_held(&door).await;
    })
    .await;
}

#[tokio::test]
async fn a_client_that_leaves_while_the_service_thinks_frees_its_slot_and_its_connection() {
    watched(async {
        let (gone, mut told) = tokio::sync::watch::channel(0);
        let service = Service::new(move |mut line| {
            let gone = gone.clone();
            async move {
                line.listen().await;
                gone.send_modify(|gone| *gone += 1);
            }
        });
        let door = Door::warm_before(service.port);
        let client = door.client(handshake("/chat", "")).await;
        until("the handshake is there", || service.requests() == 1).await;
        assert_eq!(door.front.gate.counts().handing_over, 1);
        drop(client);
        let freed = || door.front.gate.counts().handing_over == 0;
        assert!(comes_true(PLACE_FREED_WITHIN, freed).await);
        told.wait_for(|gone| *gone == 1).await.unwrap();
        until("nothing is open", || door.front.drain.open() == 0).await;
    })
    .await;
}

/// The late 101 finds nobody: its connection ends, and the client has had its one answer.
#[tokio::test]
async fn f09_an_answer_behind_the_deadline_is_discarded() {
    watched(async {
        let (go, gone) = tokio::sync::watch::channel(false);
        let (over, mut ended) = tokio::sync::watch::channel(false);
        let service = Service::new(move |mut line| {
            let (mut gone, over) = (gone.clone(), over.clone());
            async move {
                line.head().await;
                let _ = gone.wait_for(|go| *go).await;
                line.say(super::actors::switching("")).await;
                line.listen().await;
                over.send_replace(true);
            }
        });
        let door = Door::with(service.port, |settings| settings.hold = Duration::from_millis(150));
        door.ready();
        door.warms();
        let mut client = door.client(handshake("/chat", "")).await;
        let answer = client.answer().await;
        assert_eq!(answer.status, 503);
        assert!(answer.text().contains(r#""code":"deadline""#), "{}", answer.text());
        go.send_replace(true);
        ended.wait_for(|over| *over).await.unwrap();
        assert!(client.is_told_nothing().await);
        assert_eq!(service.dials(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_connection_that_idles_between_requests_is_closed_without_a_word() {
    watched(async {
        let service = Service::new(async |mut line| line.answers_all(answer("200 OK", "a")).await);
        let door =
            Door::with(service.port, |settings| settings.client_idle = Duration::from_millis(100));
        door.ready();
        let mut client = door.client(request("GET", "/", "")).await;
        assert_eq!(client.answer().await.status, 200);
        assert_eq!(client.rest().await.unwrap(), b"");
    })
    .await;
}
