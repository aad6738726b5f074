//! Counts what the door did by what it says, and holds that against what the actors saw.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::actors::client::Client;
use crate::actors::door::Door;
use crate::actors::service::{Asleep, Line, Service};
use crate::actors::{answer, handshake, request, switching, until, watched};
use crate::desk::Desk;

const PAGE: &str = include_str!("../../../../docs/metrics.md");
const ODD: usize = 10_000;
const AT_ONCE: usize = 20;

async fn speaks_both(mut line: Line) {
    while let Some(head) = line.head().await {
        if head.contains("Upgrade: websocket") {
            line.say(switching("")).await;
            return line.listen().await;
        }
        let status = ["200 OK", "302 Found", "404 Not Found", "500 Oops"][line.index % 4];
        line.say(answer(status, "")).await;
    }
}

fn names(scrape: &str) -> BTreeSet<String> {
    let types = scrape.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let name = |line: &str| {
        let (name, kind) = line.split_once(' ').unwrap();
        let suffix = match kind {
            "counter" => "_total",
            "info" => "_info",
            _ => "",
        };
        format!("{name}{suffix}")
    };
    types.map(name).collect()
}

#[tokio::test]
async fn the_page_lists_every_metric_and_no_other() {
    watched(async {
        let asleep = Asleep::new();
        let desk = Desk::beside(Door::before(asleep.port));
        let rows = PAGE.lines().filter_map(|line| line.strip_prefix("| `vestibule_"));
        let listed: BTreeSet<String> = rows
            .map(|row| format!("vestibule_{}", row.split(['`', '{']).next().unwrap()))
            .collect();
        assert_eq!(names(&desk.scrape().await), listed);
    })
    .await;
}

/// Those held at readiness, and they alone, are in the lag; every upstream request is counted once.
#[tokio::test]
async fn a_cold_start_is_measured_for_each_that_was_held() {
    watched(async {
        let service = Service::new(speaks_both);
        let desk = Desk::beside(Door::before(service.port));
        let mut clients = Vec::new();
        for _ in 0..10 {
            clients.push(desk.door.client(handshake("/", "")).await);
        }
        desk.door.holds(10).await;
        assert_eq!(desk.metric("vestibule_held").await, 10.0);
        assert_eq!(desk.metric("vestibule_state{state=\"initializing\"}").await, 1.0);
        desk.door.ready();
        for client in &mut clients {
            client.head().await;
        }
        let mut late = desk.door.client(handshake("/", "")).await;
        late.head().await;
        assert_eq!(desk.metric("vestibule_lag_seconds_count").await, 10.0);
        let held = "vestibule_hold_seconds_count{kind=\"handshake\",outcome=\"admitted\"}";
        assert_eq!(desk.metric(held).await, 11.0);
        for (metric, value) in [
            ("vestibule_tunnels", 11.0),
            ("vestibule_connections_open", 11.0),
            ("vestibule_admitted_total", 11.0),
            ("vestibule_connections_accepted_total", 11.0),
            ("vestibule_time_to_ready_seconds_count", 1.0),
            ("vestibule_state{state=\"websocket_ready\"}", 1.0),
            ("vestibule_state{state=\"initializing\"}", 0.0),
            ("vestibule_log_lines_dropped_total", 3.0),
            ("vestibule_held", 0.0),
            ("vestibule_draining", 0.0),
        ] {
            assert_eq!(desk.metric(metric).await, value, "{metric}");
        }
        let sent = "vestibule_upstream_requests_total{kind=\"handshake\"}";
        assert_eq!(desk.metric(sent).await, service.requests() as f64);
        drop((clients, late));
        until("the tunnels are over", || desk.door.front.service.tunnels() == 0).await;
        assert_eq!(desk.metric("vestibule_tunnel_duration_seconds_count").await, 11.0);
        let up = "vestibule_tunnel_bytes_total{direction=\"to_client\"}";
        assert!(desk.metric(up).await > 11.0 * 100.0);
    })
    .await;
}

/// Log, metric and event are told in one place: each connection that ended has one ending.
#[tokio::test]
async fn every_connection_that_ended_has_exactly_one_ending() {
    watched(async {
        let service = Service::new(speaks_both);
        let desk = Desk::beside(Door::with(service.port, |settings| {
            settings.hold = Duration::from_millis(300);
            settings.head_timeout = Duration::from_millis(300);
            settings.client_idle = Duration::from_millis(300);
        }));
        let words = [
            handshake("/", ""),
            request("GET", "/", ""),
            request("GET", "/", "Connection: close\r\n"),
            request("POST", "/", "Transfer-Encoding: chunked\r\n") + "nonsense\r\n",
            "nonsense\r\n\r\n".into(),
            "GET / HT".into(),
            String::new(),
            handshake("/", "") + "x",
        ];
        for is_ready in [false, true] {
            if is_ready {
                desk.door.ready();
            }
            let mut waiting = Vec::new();
            for (nth, words) in words.iter().cycle().take(4 * words.len()).enumerate() {
                let client = desk.door.client(words).await;
                if nth % 3 > 0 {
                    waiting.push(client);
                }
            }
            for client in &mut waiting {
                let tunnel = client.rest();
                let _ = tokio::time::timeout(Duration::from_millis(700), tunnel).await;
            }
        }
        let open = || desk.door.front.places.occupancy().open;
        until("all have ended", || open() == 0).await;
        let accepted = desk.metric("vestibule_connections_accepted_total").await;
        assert_eq!(accepted, 64.0);
        assert_eq!(desk.sum("vestibule_endings_total").await, accepted);
        let sent = desk.sum("vestibule_upstream_requests_total").await;
        // One whose client left may have been counted, and then not been sent.
        assert!(sent >= service.requests() as f64, "{sent} {}", service.requests());
        let early = desk.metric("vestibule_early_bytes_total").await;
        assert_eq!(early, desk.metric("vestibule_refused_total{reason=\"early_bytes\"}").await);
        assert!(early >= 8.0);
    })
    .await;
}

fn any<'a>(of: &[&'a str]) -> &'a str {
    of[fastrand::usize(..of.len())]
}

fn odd() -> String {
    let word: String = std::iter::repeat_with(fastrand::alphanumeric).take(8).collect();
    let method = any(&["GET", "POST", "BREW", "get", "PROPFIND", &word]).to_owned();
    let path = format!("/{word}?{}={word}", any(&["token", "a", "%00", "code"]));
    let fields = format!(
        "Host: {word}.test\r\nOrigin: https://{word}\r\nSec-WebSocket-Protocol: {word}\r\n\
         User-Agent: {word}\r\nX-Forwarded-For: {}\r\n{}",
        fastrand::u8(..),
        any(&[
            "Connection: close\r\n",
            "Connection: Upgrade\r\nUpgrade: websocket\r\n",
            "Content-Length: x\r\n"
        ]),
    );
    format!("{method} {path} HTTP/1.{}\r\n{fields}\r\n", fastrand::u8(..3))
}

/// Ten thousand that ask as nobody did before, at the public port and at the admin address: not one series more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a27_ten_thousand_odd_requests_make_no_new_series() {
    let service = Service::new(speaks_both);
    let desk = Desk::beside(Door::warm_before(service.port));
    let series = async || desk.scrape().await.lines().filter(|line| !line.starts_with('#')).count();
    let before = series().await;
    let asked = async |address, count: usize| {
        for _ in 0..count {
            let mut client = Client::connect(address).await;
            let _ = client.try_send(odd()).await;
            client.hears_something().await;
        }
    };
    let crowd = (0..AT_ONCE).map(|nth| {
        let address = if nth % 4 == 0 { desk.address } else { desk.door.address };
        asked(address, ODD / AT_ONCE)
    });
    let mut crowd: Vec<_> = crowd.map(Box::pin).collect();
    watched_for_long(async {
        for client in &mut crowd {
            client.await;
        }
    })
    .await;
    assert_eq!(series().await, before);
    assert!(desk.sum("vestibule_refused_total").await > 1000.0);
}

async fn watched_for_long(test: impl Future<Output = ()>) {
    tokio::time::timeout(Duration::from_secs(120), test)
        .await
        .expect("the watchdog ended the test");
}
