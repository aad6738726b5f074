//! What is said of each state, and in which form.

use std::time::Duration;

use tokio::time::Instant;
use vestibule::readiness::Failure;

use crate::actors::door::Door;
use crate::actors::service::{Asleep, Service};
use crate::actors::{handshake, request, until, watched};
use crate::desk::{Desk, hears};
use crate::schema;

async fn probes(desk: &Desk) -> (u16, u16, u16) {
    let status = async |path| desk.get(path).await.status;
    (status("/livez").await, status("/readyz").await, status("/startupz").await)
}

#[tokio::test]
async fn probes_say_what_is_so_in_every_state() {
    watched(async {
        let asleep = Asleep::new();
        let desk = Desk::beside(Door::before(asleep.port));
        let service = &desk.door.front.service;
        assert_eq!(probes(&desk).await, (200, 503, 503));
        service.failed(&Failure::retryable("no"), Instant::now());
        assert_eq!(probes(&desk).await, (200, 503, 503));
        desk.door.ready();
        assert_eq!(probes(&desk).await, (200, 200, 200));
        service.lost("it went", Instant::now());
        assert_eq!(probes(&desk).await, (200, 503, 200));
        desk.door.ready();
        service.lame_duck();
        assert_eq!(probes(&desk).await, (200, 503, 200));
        // A child that was told to go first is lost, and one that starts anew may get ready.
        service.lost("it went", Instant::now());
        desk.door.ready();
        assert_eq!(probes(&desk).await, (200, 503, 200));
        assert_eq!(desk.metric("vestibule_draining").await, 1.0);
        desk.door.drains(Duration::ZERO);
        assert_eq!(probes(&desk).await, (200, 503, 200));
    })
    .await;
}

#[tokio::test]
async fn the_health_document_follows_its_schema_in_every_state() {
    watched(async {
        let service = Service::that_takes_all();
        let desk = Desk::beside(Door::before(service.port));
        let follows = async |state: &str, phase: &str| {
            let document = desk.health().await;
            schema::follows(&document);
            assert_eq!(document["state"], state);
            assert_eq!(document["startup"]["phase"], phase);
            document
        };
        follows("initializing", "init").await;
        desk.door.front.service.started(Instant::now());
        let mut client = desk.door.client(handshake("/", "")).await;
        desk.door.holds(1).await;
        let document = follows("initializing", "services").await;
        assert_eq!(
            (&document["now"]["held"], &document["startup"]["starts"]),
            (&1.into(), &1.into())
        );
        let failure = Failure::new("no postgres://me:pw@db/app?x=pw\u{1b}[2J");
        desk.door.front.service.failed(&failure, Instant::now());
        let document = follows("failed", "services").await;
        assert_eq!(document["failure"], "no postgres://db/app");
        client.answer().await;
        drop(client);
        assert_eq!(document["startup"]["phases"][4]["state"], "failed");
        desk.door.ready();
        let document = follows("websocket_ready", "complete").await;
        assert_eq!((&document["startup"]["starts"], &document["failure"]), (&2.into(), &().into()));
        assert_eq!(document["readiness"]["evidence"], "connected");
        let mut tunnel = desk.door.client(handshake("/", "")).await;
        tunnel.head().await;
        let alone = || desk.door.front.places.occupancy().open == 1;
        until("it is open", || alone() && desk.door.front.service.tunnels() == 1).await;
        let document = follows("websocket_ready", "complete").await;
        assert_eq!(
            (&document["now"]["tunnels"], &document["now"]["connections"]),
            (&1.into(), &1.into())
        );
        desk.door.drains(Duration::ZERO);
        follows("draining", "complete").await;
    })
    .await;
}

#[tokio::test]
async fn the_last_refusals_are_named_newest_first_and_counted() {
    watched(async {
        let asleep = Asleep::new();
        let desk = Desk::beside(Door::with(asleep.port, |settings| {
            settings.hold = Duration::from_millis(50);
        }));
        desk.door.client(handshake("/", "")).await.answer().await;
        for _ in 0..20 {
            desk.door.client("nonsense\r\n\r\n").await.answer().await;
        }
        desk.door.client(request("GET", "/", "User-Agent: kube-probe/1\r\n")).await.answer().await;
        let document = desk.health().await;
        schema::follows(&document);
        let last = document["last_refusals"].as_array().unwrap();
        assert_eq!(last.len(), 16);
        let named = |n: usize| ["reason", "by", "phase"].map(|key| last[n][key].as_str().unwrap());
        assert_eq!(named(0), ["not_ready", "door", "head"]);
        assert_eq!(named(1), ["malformed_head", "client", "head"]);
        let counted: Vec<_> = document["refused"]
            .as_array()
            .unwrap()
            .iter()
            .map(|refused| {
                (refused["reason"].as_str().unwrap(), refused["count"].as_u64().unwrap())
            })
            .collect();
        assert_eq!(counted, [("deadline", 1), ("not_ready", 1), ("malformed_head", 20)]);
    })
    .await;
}

#[tokio::test]
async fn f25_the_last_reload_is_shown_with_its_outcome_and_counted() {
    watched(async {
        let asleep = Asleep::new();
        let desk = Desk::beside(Door::before(asleep.port));
        let journal = &desk.door.front.journal;
        let last = async || {
            let document = desk.health().await;
            schema::follows(&document);
            document["last_reload"].clone()
        };
        let none = last().await;
        assert_eq!((&none["outcome"], none["ago_ms"].is_null()), (&"none".into(), true));
        journal.reload_taken("a.toml", "hold", "");
        journal.reload_refused("a.toml", "a.toml:1: upstream = canary");
        let refused = last().await;
        assert_eq!((&refused["outcome"], refused["ago_ms"].is_u64()), (&"refused".into(), true));
        assert!(!refused.to_string().contains("canary"), "{refused}");
        journal.reload_taken("a.toml", "", "listen");
        assert_eq!(last().await["outcome"], "taken");
        for (outcome, count) in [("taken", 2.0), ("refused", 1.0)] {
            let series = format!("vestibule_reloads_total{{outcome=\"{outcome}\"}}");
            assert_eq!(desk.metric(&series).await, count);
        }
    })
    .await;
}

#[tokio::test]
async fn events_tell_a_life_in_its_order_to_the_end_of_the_drain() {
    watched(async {
        let service = Service::that_takes_all();
        let desk = Desk::beside(Door::before(service.port));
        let mut follower = desk.follow().await;
        let mut client = desk.door.client(handshake("/", "")).await;
        desk.door.holds(1).await;
        desk.door.ready();
        client.head().await;
        hears(&mut follower, "{\"state\":\"websocket_ready\"}").await;
        hears(&mut follower, "event: settled\ndata: {\"held\":0}").await;
        hears(&mut follower, "event: released\n").await;
        let journal = &desk.door.front.journal;
        desk.door.front.service.lame_duck();
        journal.draining(1, Duration::ZERO, Duration::ZERO);
        hears(&mut follower, "{\"state\":\"draining\"}").await;
        journal.drained(Duration::ZERO, 0, true);
        hears(&mut follower, "event: drained\ndata: {\"open\":0,\"took_ms\":0}\n\n").await;
        // The last chunk: the stream is over, and not broken off.
        hears(&mut follower, "0\r\n\r\n").await;
    })
    .await;
}
