//! After the first ready: breaks it with what only degrades, with a check that gates always, and with its breaker,
//! while a tunnel is open.

use vestibule::breaker;

use crate::actors::client::Answer;
use crate::actors::door::Door;
use crate::actors::service::{Line, Service};
use crate::actors::{answer, handshake, request, text, until, watched};
use crate::desk::{Desk, hears};
use crate::schema;
use crate::scripted::{Dependency, SECRET, hasty};

/// Takes handshakes and says everything back that it hears.
async fn speaks_both(mut line: Line) {
    while let Some(head) = line.head().await {
        if head.contains("Upgrade: websocket") {
            line.say(crate::actors::switching("")).await;
            // One masked frame of two bytes at a time.
            while line.exactly(8).await.is_some() {
                line.say(text("hi")).await;
            }
            return;
        }
        line.say(answer("200 OK", "well")).await;
    }
}

const HI: &[u8] = &[0x81, 0x82, 0, 0, 0, 0, b'h', b'i'];

#[tokio::test]
async fn what_only_degrades_keeps_nobody_out_and_is_shown_everywhere() {
    watched(async {
        let (service, cache) = (Service::new(speaks_both), Dependency::new(true));
        let checks = vec![cache.checked(hasty("cache").degradable())];
        let desk = Desk::beside(Door::serving(service.port, checks, |_| ()));
        let mut follower = desk.follow().await;
        cache.is_well(false);
        hears(&mut follower, "event: degraded\ndata: {\"checks\":[\"cache\"]}\n\n").await;
        let mut client = desk.door.client(request("GET", "/", "")).await;
        assert_eq!(client.answer().await.status, 200);
        let ready = desk.get("/readyz").await;
        assert_eq!((ready.status, ready.text()), (200, "ready, degraded\n"));
        let document = desk.health().await;
        schema::follows(&document);
        assert_eq!(document["degraded"], serde_json::json!(["cache"]));
        assert_eq!(document["validation"]["opinion"], "degraded");
        let check = &document["checks"][0];
        assert_eq!(
            [&check["name"], &check["kind"], &check["outcome"], &check["reason"], &check["gate"]],
            ["cache", "scripted", "failed", "refused", "startup"]
        );
        assert_eq!((&check["critical"], &check["down"]), (&false.into(), &true.into()));
        assert_eq!(desk.metric("vestibule_degraded").await, 1.0);
        let failures =
            "vestibule_check_failures_total{check=\"cache\",kind=\"scripted\",reason=\"refused\"}";
        assert!(desk.metric(failures).await >= 1.0);
        cache.is_well(true);
        hears(&mut follower, "event: degraded\ndata: {\"checks\":[]}\n\n").await;
        assert_eq!(desk.get("/readyz").await.text(), "ready\n");
        assert_eq!(desk.metric("vestibule_degraded").await, 0.0);
        let series =
            "vestibule_check_attempts_total{check=\"cache\",kind=\"scripted\",outcome=\"passed\"}";
        assert!(desk.metric(series).await >= 1.0);
    })
    .await;
}

/// Down: newcomers wait. Its breaker open: they are refused at once, told when to come back, and nothing more. Well
/// again: they are admitted. The tunnel never notices.
#[tokio::test]
async fn a_check_that_gates_always_bars_newcomers_and_no_tunnel() {
    watched(async {
        let (service, cache) = (Service::new(speaks_both), Dependency::new(true));
        let checks = vec![cache.checked(hasty("cache").gating_always())];
        let desk = Desk::beside(Door::serving(service.port, checks, |_| ()));
        let mut tunnel = desk.door.client(handshake("/", "")).await;
        assert!(tunnel.head().await.starts_with("HTTP/1.1 101 "));
        let goes_on = async |tunnel: &mut crate::actors::client::Client| {
            tunnel.send(HI).await;
            assert_eq!(tunnel.frame().await, (0x81, b"hi".to_vec()));
        };
        goes_on(&mut tunnel).await;
        let mut follower = desk.follow().await;
        cache.is_well(false);
        until("not ready", || !desk.door.front.readiness.state().is_ready()).await;
        assert_eq!(desk.get("/readyz").await.status, 503);
        assert_eq!(desk.get("/startupz").await.status, 200);
        let mut held = desk.door.client(handshake("/", "")).await;
        goes_on(&mut tunnel).await;
        hears(
            &mut follower,
            "event: breaker\ndata: {\"breaker\":\"open\",\"check\":\"cache\"}\n\n",
        )
        .await;
        let refusal = held.answer().await;
        is_refusal(&refusal);
        let refused = async || desk.door.client(request("GET", "/", "")).await.answer().await;
        let is_open = || {
            let board = desk.door.front.validation.board();
            matches!(board.standings()[0].breaker.state(), breaker::State::Open { .. })
        };
        until("it is open", is_open).await;
        goes_on(&mut tunnel).await;
        cache.is_well(true);
        let mut answer = refused().await;
        until("ready again", || desk.door.front.readiness.state().is_ready()).await;
        if answer.status != 200 {
            is_refusal(&answer);
            answer = refused().await;
        }
        assert_eq!(answer.text(), "well");
        let mut late = desk.door.client(handshake("/", "")).await;
        assert!(late.head().await.starts_with("HTTP/1.1 101 "));
        goes_on(&mut tunnel).await;
        let trips =
            "vestibule_breaker_transitions_total{check=\"cache\",from=\"closed\",to=\"open\"}";
        assert_eq!(desk.metric(trips).await, 1.0);
        let closed = "vestibule_breaker_state{check=\"cache\",state=\"closed\"}";
        assert_eq!(desk.metric(closed).await, 1.0);
    })
    .await;
}

fn is_refusal(answer: &Answer) {
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(answer.field("retry-after").is_some_and(|seconds| seconds.parse::<u32>().is_ok()));
    assert!(answer.text().contains("\"breaker_open\""), "{answer:?}");
    assert!(!answer.text().contains("cache") && !answer.text().contains(SECRET), "{answer:?}");
}
