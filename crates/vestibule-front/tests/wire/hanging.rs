//! Breaks the time while a service is young with routes over which it is silent for ever.

use std::time::Duration;

use tokio::time::Instant;

use super::actors::client::Client;
use super::actors::door::Door;
use super::actors::service::{Line, Service};
use super::actors::{handshake, switching, watched};

const TRY_TIMEOUT: Duration = Duration::from_secs(1);
/// A scout may be silent for a quarter of a first try in the room of four.
const SILENT_MAX: Duration = Duration::from_millis(250);
const SETTLE: Duration = Duration::from_millis(50);
/// What a busy machine may take on top.
const MACHINE: Duration = Duration::from_millis(1_500);

/// Silent to all but one path.
fn hangs_but_for_good() -> Service {
    Service::new(async |mut line: Line| {
        let Some(head) = line.head().await else { return };
        if head.starts_with("GET /good ") {
            line.say(switching("")).await;
        }
        line.listen().await;
    })
}

fn door(service: &Service) -> Door {
    Door::with(service.port, |settings| {
        (settings.settle, settings.try_timeout) = (SETTLE, TRY_TIMEOUT);
    })
}

async fn on_paths_that_hang(door: &Door, count: usize) -> Vec<Client> {
    let mut clients = Vec::new();
    for path in 0..count {
        clients.push(door.client(handshake(&format!("/hangs/{path}"), "")).await);
    }
    door.holds(count).await;
    clients
}

/// Five rooms of four scouts, each silent for its time, and then the one that settles. Without making room, each
/// five would have had a whole try.
#[tokio::test]
async fn an_honest_client_behind_twenty_paths_that_hang_is_served_in_time() {
    watched(async {
        let service = hangs_but_for_good();
        let door = door(&service);
        let _hanging = on_paths_that_hang(&door, 20).await;
        let mut honest = door.client(handshake("/good", "")).await;
        door.holds(21).await;
        let began = Instant::now();
        door.ready();
        assert!(honest.head().await.starts_with("HTTP/1.1 101 "));
        let bound = 20 / 4 * SILENT_MAX + SETTLE;
        assert!(began.elapsed() >= bound, "the others did not go first");
        assert!(began.elapsed() < bound + MACHINE, "{:?}", began.elapsed());
    })
    .await;
}

/// Routes that were met with silence have half of the room: a newcomer finds the other half free.
#[tokio::test]
async fn an_honest_newcomer_does_not_wait_for_paths_that_hang() {
    watched(async {
        let service = hangs_but_for_good();
        let door = door(&service);
        let _hanging = on_paths_that_hang(&door, 20).await;
        door.ready();
        // Each was tried once, and some a second time.
        service.is_dialled(24).await;
        let began = Instant::now();
        let mut honest = door.client(handshake("/good", "")).await;
        assert!(honest.head().await.starts_with("HTTP/1.1 101 "));
        assert!(began.elapsed() < SETTLE + MACHINE, "{:?}", began.elapsed());
    })
    .await;
}

/// A room of first tries, and then three at a time, each for a first try or longer.
#[tokio::test]
async fn a24_a_service_that_is_silent_to_everything_is_not_stormed() {
    watched(async {
        let service = Service::new(async |mut line: Line| line.listen().await);
        let (hold, try_timeout) = (Duration::from_secs(2), Duration::from_millis(200));
        let door = Door::with(service.port, |settings| {
            (settings.hold, settings.try_timeout) = (hold, try_timeout);
        });
        let mut clients = Vec::new();
        for _ in 0..40 {
            clients.push(door.client(handshake("/chat", "")).await);
        }
        door.holds(40).await;
        door.ready();
        assert_eq!(clients[0].answer().await.status, 503);
        let tries = hold.as_millis() / try_timeout.as_millis();
        let most = 4 + 3 * (usize::try_from(tries).unwrap() + 1);
        assert!((8..=most).contains(&service.dials()), "{} of {most}", service.dials());
    })
    .await;
}

/// The same on forty paths: a room of four each time that they may be silent, and what the slots allow.
#[tokio::test]
async fn a24_a_service_that_is_silent_on_every_path_has_few_at_a_time() {
    watched(async {
        let service = Service::new(async |mut line: Line| line.listen().await);
        let (hold, try_timeout) = (Duration::from_secs(2), Duration::from_millis(400));
        let door = Door::with(service.port, |settings| {
            (settings.hold, settings.try_timeout) = (hold, try_timeout);
        });
        let mut clients = on_paths_that_hang(&door, 40).await;
        door.ready();
        assert_eq!(clients[0].answer().await.status, 503);
        let rooms = usize::try_from(hold.as_millis() / (try_timeout / 4).as_millis()).unwrap() + 1;
        assert!((40..=4 * rooms).contains(&service.dials()), "{}", service.dials());
        assert!(door.front.gate.counts().handing_over <= 32);
    })
    .await;
}
