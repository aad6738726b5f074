//! Breaks a door whose every place is taken: by clients that are held, that are idle, and that have a tunnel.

use vestibule_front::stream::placed::Occupancy;

use super::actors::client::Client;
use super::actors::door::Door;
use super::actors::ears::Ears;
use super::actors::service::{Asleep, Line, Service};
use super::actors::{answer, handshake, request, until, watched};

fn door_with(port: u16, places: usize) -> Door {
    Door::with(port, |settings| settings.connections_max = places)
}

/// Takes handshakes, and answers whatever else there is.
fn service() -> Service {
    Service::new(async |mut line: Line| {
        while let Some(head) = line.head().await {
            if head.contains("Upgrade: websocket") {
                line.say(super::actors::switching("")).await;
                return line.listen().await;
            }
            line.say(answer("200 OK", "a")).await;
        }
    })
}

/// A connection that has had its answer and is kept.
async fn idle(door: &Door) -> Client {
    let mut client = door.client(request("GET", "/", "")).await;
    assert_eq!(client.answer().await.status, 200);
    client
}

#[tokio::test]
async fn a_newcomer_gets_the_place_of_the_connection_that_was_idle_for_longest() {
    watched(async {
        let service = service();
        let door = door_with(service.port, 3);
        door.ready();
        let mut tunnel = door.client(handshake("/chat", "")).await;
        assert!(tunnel.head().await.starts_with("HTTP/1.1 101 "));
        let (mut first, mut second) = (idle(&door).await, idle(&door).await);
        let _third = idle(&door).await;
        assert!(first.is_told_nothing().await);
        // At most one is asked for each newcomer: the second is as good as before.
        second.send(request("GET", "/", "")).await;
        assert_eq!(second.answer().await.status, 200);
        let _fourth = idle(&door).await;
        assert!(door.front.drain.open() >= 1, "the tunnel is open");
    })
    .await;
}

/// Breaks if whoever is held or speaks can lose its place to a newcomer.
#[tokio::test]
async fn who_is_held_keeps_its_place_and_newcomers_wait_in_the_kernel() {
    watched(async {
        let asleep = Asleep::new();
        let door = door_with(asleep.port, 2);
        let mut held =
            [door.client(handshake("/", "")).await, door.client(request("GET", "/", "")).await];
        door.holds(2).await;
        let mut newcomer = door.client(handshake("/", "")).await;
        until("accepting paused", || door.front.places.occupancy().pauses_total == 1).await;
        let full = Occupancy { open: 2, limit: 2, pauses_total: 1 };
        assert_eq!((door.front.places.occupancy(), door.held()), (full, 2));
        let _service = asleep.wakes(async |mut line: Line| {
            let Some(head) = line.head().await else { return };
            let upgrades = head.contains("Upgrade: websocket");
            let words = if upgrades { super::actors::switching("") } else { answer("200 OK", "a") };
            line.say(words).await;
            line.listen().await;
        });
        door.ready();
        // Once it has its answer, the second is idle, and makes room.
        assert!(held[0].head().await.starts_with("HTTP/1.1 101 "));
        assert_eq!(held[1].answer().await.status, 200);
        assert!(newcomer.head().await.starts_with("HTTP/1.1 101 "));
        assert!(held[1].is_told_nothing().await);
    })
    .await;
}

#[tokio::test]
async fn f15_a_pause_of_accepting_is_said_once_with_numbers_and_its_end_too() {
    watched(async {
        let (ears, _listening) = Ears::open();
        let asleep = Asleep::new();
        let door = door_with(asleep.port, 1);
        let mut clients = Vec::new();
        for _ in 0..5 {
            clients.push(door.client(handshake("/", "")).await);
        }
        door.holds(1).await;
        for client in clients {
            door.holds(1).await;
            drop(client);
        }
        door.holds(0).await;
        until("its end is said", || ears.heard().contains("accepting goes on")).await;
        let heard = ears.heard();
        let lines: Vec<_> = heard.lines().filter(|line| line.contains("accepting ")).collect();
        let [paused, goes_on] = lines[..] else { panic!("{heard}") };
        for words in ["open=1 ", "limit=1 ", "pauses=1 "] {
            assert!(paused.contains(words), "{paused}");
        }
        assert!(goes_on.contains("pauses=4 ") && goes_on.contains("lasted_ms="), "{goes_on}");
        assert_eq!(door.front.places.occupancy().pauses_total, 4);
        assert_eq!(door.front.places.occupancy().open, 0);
    })
    .await;
}
