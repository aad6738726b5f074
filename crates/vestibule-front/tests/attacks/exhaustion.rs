//! A8, A17, A26: what passes through a tunnel, and connections that say little or nothing.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::actors::client::Client;
use super::actors::door::Door;
use super::actors::service::{Line, Service};
use super::actors::{answer, handshake, request, switching, watched};

/// Slow and silent connections that are open at once.
const CROWD: usize = 200;
/// What a good client needs among them, on a busy machine. Alone it takes a millisecond.
const PASSES_WITHIN: Duration = Duration::from_secs(2);

fn service_that_answers() -> Service {
    Service::new(async |mut line: Line| line.answers_all(answer("200 OK", "well")).await)
}

async fn a_good_client_passes(door: &Door) {
    let asked = async { door.client(request("GET", "/", "")).await.answer().await };
    let answer = timeout(PASSES_WITHIN, asked).await.expect("the good client waits");
    assert_eq!(answer.text(), "well");
}

/// A tunnel is a channel: what is in its frames, masked or not, is the application's to judge. SECURITY.md says so.
#[tokio::test]
async fn a08_whatever_a_client_says_in_its_tunnel_goes_through_unchanged() {
    watched(async {
        let (told, mut heard) = tokio::sync::mpsc::unbounded_channel();
        let service = Service::new(move |mut line: Line| {
            let told = told.clone();
            async move {
                line.head().await;
                line.say(switching("")).await;
                let _ = told.send(line.all().await);
            }
        });
        let door = Door::warm_before(service.port);
        let unmasked = b"\x81\x05hello".to_vec();
        let reserved = b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff".to_vec();
        let smuggled = request("GET", "/smuggled", "").into_bytes();
        for words in [unmasked, reserved, smuggled] {
            let mut client = door.client(handshake("/chat", "")).await;
            client.head().await;
            client.send(&words).await;
            client.half_close().await;
            assert_eq!(heard.recv().await.unwrap(), words);
        }
        // They are bytes of a tunnel, and no request that anybody counts.
        assert_eq!(door.front.upstream_requests.total(), 3);
    })
    .await;
}

/// One byte a second from each of many, all of whose heads end at one deadline. The larger crowd is the bench's.
#[tokio::test]
async fn a17_a_crowd_of_slow_heads_holds_up_nobody_and_ends_at_its_deadline() {
    watched(async {
        let service = service_that_answers();
        let head_timeout = Duration::from_secs(2);
        let door = Door::with(service.port, |settings| settings.head_timeout = head_timeout);
        door.ready();
        let began = Instant::now();
        let mut crowd = Vec::new();
        for _ in 0..CROWD {
            crowd.push(door.client("GET / HT").await);
        }
        for byte in ["T", "P"] {
            a_good_client_passes(&door).await;
            for slow in &mut crowd {
                let _ = slow.try_send(byte).await;
            }
            sleep(head_timeout / 4).await;
        }
        for slow in &mut crowd {
            assert_eq!(slow.answer().await.status, 408);
        }
        assert!(began.elapsed() >= head_timeout);
        // Not one of them took a place.
        assert_eq!(door.front.gate.counts().admitted_total, 2);
    })
    .await;
}

#[tokio::test]
async fn a26_silent_connections_hold_up_nobody_and_are_closed() {
    watched(async {
        let service = service_that_answers();
        let head_timeout = Duration::from_secs(1);
        let door = Door::with(service.port, |settings| settings.head_timeout = head_timeout);
        door.ready();
        let mut silent = Vec::new();
        for _ in 0..CROWD {
            silent.push(Client::connect(door.address).await);
        }
        a_good_client_passes(&door).await;
        for mut client in silent {
            assert!(client.is_told_nothing().await);
        }
    })
    .await;
}
