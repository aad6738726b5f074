//! Tries every route from elsewhere, slowly, with a body, without a token, and through the public port.

use std::time::Duration;

use tokio::time::{Instant, timeout};
use vestibule_front::admin::CONNECTIONS_MAX;
use vestibule_front::admin::route::Route;

use crate::actors::client::{Answer, Client};
use crate::actors::door::Door;
use crate::actors::service::{Asleep, Line, Service};
use crate::actors::{answer, request, watched};
use crate::desk::{Desk, hears};

const ALWAYS: [(&str, &str); 4] = [
    ("cache-control", "no-store"),
    ("x-content-type-options", "nosniff"),
    ("content-security-policy", "default-src 'none'"),
    ("cross-origin-resource-policy", "same-origin"),
];

fn is_careful(answer: &Answer) {
    for (name, value) in ALWAYS {
        assert_eq!(answer.field(name), Some(value), "{answer:?}");
    }
    assert!(!answer.head.contains("access-control"), "{answer:?}");
}

/// A route that is added is in the table, and so is tried here.
#[tokio::test]
async fn a29_no_route_answers_a_strange_host_or_origin() {
    watched(async {
        let asleep = Asleep::new();
        let desk = Desk::beside(Door::before(asleep.port));
        for route in Route::ALL {
            let token = format!("Authorization: Bearer {}\r\n", crate::desk::STARTUP_TOKEN);
            for (method, fields, status) in [
                ("GET", "Host: evil.test\r\n", 403),
                ("GET", "Host: localhost\r\nOrigin: http://evil.test\r\n", 403),
                ("GET", "Host: localhost\r\nOrigin: null\r\n", 403),
                ("GET", "Host: localhost\r\nSec-Fetch-Site: cross-site\r\n", 403),
                // Another port of this machine is the same site.
                ("GET", "Host: localhost\r\nSec-Fetch-Site: same-site\r\n", 403),
                ("GET", "", 403),
                (
                    "POST",
                    "Host: evil.test\r\nContent-Length: 0\r\n",
                    if route.is_write() { 403 } else { 405 },
                ),
                ("PUT", "Host: localhost\r\nContent-Length: 0\r\n", 405),
                ("GET", "Host: localhost\r\nContent-Length: 1\r\n", 413),
            ] {
                let path = route.path();
                let words = format!("{method} {path} HTTP/1.1\r\n{fields}{token}\r\n");
                let answer = desk.says(&words).await;
                assert_eq!(answer.status, status, "{words}");
                is_careful(&answer);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn every_route_answers_and_is_kept_by_nobody() {
    watched(async {
        let asleep = Asleep::new();
        let desk = Desk::beside(Door::before(asleep.port));
        let index = desk.get("/").await;
        for route in Route::ALL {
            assert!(index.text().contains(route.path()));
            let words = format!("HEAD {} HTTP/1.1\r\nHost: [::1]:1\r\n\r\n", route.path());
            let mut client = Client::saying(desk.address, words).await;
            let to_head = client.answer_to_head().await;
            let expected = if route.is_write() { &[405][..] } else { &[200, 503] };
            assert!(expected.contains(&to_head.status), "{to_head:?}");
            is_careful(&to_head);
            if route != Route::Events {
                is_careful(&desk.get(route.path()).await);
            }
        }
        assert_eq!(desk.get("/nowhere").await.status, 404);
    })
    .await;
}

#[tokio::test]
async fn a_token_that_was_set_is_needed_for_all_but_probes() {
    watched(async {
        let asleep = Asleep::new();
        let token = "a-token-of-some-length";
        let desk = Desk::with(Door::before(asleep.port), Some(token));
        for route in Route::ALL {
            let without = desk.get(route.path()).await;
            assert_eq!(without.status != 401, route.is_open(), "{route:?}");
            if route != Route::Events {
                let shown = format!("Authorization: Bearer {token}\r\n");
                assert_ne!(desk.get_with(route.path(), &shown).await.status, 401);
            }
        }
    })
    .await;
}

/// Four times as many silent connections as there are places: whoever comes behind them is answered long before
/// their time for a head is over, as a kubelet that is kept out ends the service.
#[tokio::test]
async fn a26_silent_connections_keep_nobody_out_for_long() {
    watched(async {
        let asleep = Asleep::new();
        let desk = Desk::beside(Door::before(asleep.port));
        let mut silent = Vec::new();
        for n in 0..CONNECTIONS_MAX * 4 {
            let words = if n % 2 == 0 { "" } else { "GET /livez HTTP/1.1\r\nHo" };
            silent.push(Client::saying(desk.address, words).await);
        }
        let began = Instant::now();
        assert_eq!(desk.get("/livez").await.status, 200);
        assert!(began.elapsed() < Duration::from_secs(4));
    })
    .await;
}

/// Every place belongs to somebody who asks again and again, or for much and reads nothing; one follows events.
/// Newcomers must be answered, and the follower must not pay for it.
#[tokio::test]
async fn a26_busy_connections_give_way_to_newcomers_and_followers_stay() {
    watched(async {
        let asleep = Asleep::new();
        let desk = Desk::beside(Door::before(asleep.port));
        let mut follower = desk.follow().await;
        let ask = "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n";
        let much = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(300);
        let mut busy = Vec::new();
        for n in 1..CONNECTIONS_MAX {
            let words = if n % 2 == 0 { ask } else { &much };
            busy.push(Client::saying(desk.address, words).await);
        }
        let began = Instant::now();
        for _ in 0..CONNECTIONS_MAX {
            busy.push(Client::saying(desk.address, ask).await);
            assert!(busy.last_mut().unwrap().head().await.starts_with("HTTP/1.1 200 "));
        }
        assert!(began.elapsed() < Duration::from_secs(4));
        desk.door.front.service.refuse_draining(Instant::now());
        desk.door.front.journal.draining(0, Duration::ZERO, Duration::ZERO);
        hears(&mut follower, "event: state\n").await;
    })
    .await;
}

#[tokio::test]
async fn a18_a_head_beyond_8_kib_is_refused() {
    watched(async {
        let asleep = Asleep::new();
        let desk = Desk::beside(Door::before(asleep.port));
        let long = format!("X-Long: {}\r\n", "a".repeat(9000));
        assert_eq!(desk.get_with("/livez", &long).await.status, 431);
        let many = "X-Many: a\r\n".repeat(70);
        assert_eq!(desk.get_with("/livez", &many).await.status, 431);
    })
    .await;
}

#[tokio::test]
async fn only_so_many_follow_along_and_a_place_is_free_again() {
    watched(async {
        let asleep = Asleep::new();
        let desk = Desk::beside(Door::before(asleep.port));
        let mut followers = Vec::new();
        for _ in 0..8 {
            followers.push(desk.follow().await);
        }
        assert_eq!(desk.get("/events").await.status, 503);
        followers.pop();
        let again = async {
            loop {
                let words = "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n";
                let mut client = Client::saying(desk.address, words).await;
                if client.head().await.starts_with("HTTP/1.1 200 ") {
                    return client;
                }
            }
        };
        let mut follower = timeout(Duration::from_secs(10), again).await.unwrap();
        hears(&mut follower, "event: state\n").await;
    })
    .await;
}

/// Nothing of the admin address is behind the public port: what it is asked there is the service's.
#[tokio::test]
async fn a30_on_the_public_port_every_admin_path_is_the_services() {
    watched(async {
        let service = Service::new(async |mut line: Line| {
            line.answers_all(answer("200 OK", "its own")).await;
        });
        let desk = Desk::beside(Door::warm_before(service.port));
        let tricks = [
            "/admin",
            "/admin/metrics",
            "/%6detrics",
            "/%2e%2e/metrics",
            "/..%2fmetrics",
            "/./metrics",
            "//metrics",
            "/a/../metrics",
            "/metrics%00",
            "/metrics;x",
            "/METRICS",
            "/.%2e/health?x",
        ];
        let paths = Route::ALL.iter().map(|route| route.path()).chain(tricks);
        for (nth, path) in paths.enumerate() {
            for fields in ["", "Host: localhost\r\n"] {
                let words = request("GET", path, "");
                let words = if fields.is_empty() {
                    words
                } else {
                    words.replace("Host: chat.test\r\n", fields)
                };
                let answer = desk.door.client(words).await.answer().await;
                assert_eq!((answer.status, answer.text()), (200, "its own"), "{path}");
            }
            assert_eq!(service.requests(), 2 * (nth + 1), "{path}");
        }
    })
    .await;
}
