//! What the service reports of its own start: breaks it with failures, recoveries, and reports of nothing.

use tokio::time::Instant;
use vestibule_front::service::{NotTaken, Report, Stage};
use vestibule_front::upstream::probe::Seen;

use crate::actors::door::Door;
use crate::actors::service::{Asleep, Line, Service};
use crate::actors::{handshake, until, watched};
use crate::desk::{Desk, STARTUP_TOKEN};
use crate::schema;

async fn posts(desk: &Desk, body: &str, token: &str) -> (u16, String) {
    let (length, path) = (body.len(), "/startup/phase");
    let answer = desk
        .says(&format!(
            "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        ))
        .await;
    (answer.status, answer.text().to_owned())
}

#[tokio::test]
async fn reports_move_the_phases_and_nothing_else_does_while_there_are_any() {
    watched(async {
        let asleep = Asleep::new();
        let desk = Desk::beside(Door::serving(asleep.port, Vec::new(), |_| ()));
        let report = async |body: &str| posts(&desk, body, STARTUP_TOKEN).await;
        let taken = (200, "taken\n".to_owned());
        let mut follower = desk.follow().await;
        assert_eq!(report("{\"phase\":\"database\"}").await, taken);
        assert_eq!(report("websocket").await, taken);
        assert_eq!(report("cache").await, (409, "not taken: behind\n".to_owned()));
        assert_eq!(report("{\"phase\":\"nonsense\"}").await.0, 409);
        assert_eq!(report("{\"phase\":3}").await.0, 400);
        assert_eq!(report(&format!("{{\"failed\":\"{}\"}}", "x".repeat(2_000))).await.0, 413);
        assert_eq!(posts(&desk, "websocket", "another-token-of-length").await.0, 401);
        let document = desk.health().await;
        schema::follows(&document);
        assert_eq!(document["startup"]["phase"], "websocket");
        let phase = desk.metric("vestibule_phase_seconds{phase=\"websocket\"}").await;
        assert!(phase >= 0.0);
        crate::desk::hears(&mut follower, "event: phase\ndata: {\"phase\":\"websocket\"}\n\n")
            .await;
        let mut client = desk.door.client(handshake("/", "")).await;
        desk.door.holds(1).await;
        let _service = asleep.wakes(async |mut line: Line| line.takes("").await);
        assert!(client.head().await.starts_with("HTTP/1.1 101 "));
        until("it is complete", || {
            desk.door.front.service.picture(Instant::now()).startup.is_complete()
        })
        .await;
        assert_eq!(
            report("{\"failed\":\"too late\"}").await,
            (409, "not taken: over\n".to_owned())
        );
        assert!(desk.door.front.readiness.state().is_ready());
    })
    .await;
}

/// A failure that the service reports latches: its port alone does not make it ready again. A new start does,
/// which is seen by its port, or reported by its first phase.
#[tokio::test]
async fn a_failure_that_the_service_reports_latches_until_it_starts_anew() {
    watched(async {
        for says_so in [true, false] {
            let asleep = Asleep::new();
            let desk = Desk::beside(Door::serving(asleep.port, Vec::new(), |_| ()));
            let front = &desk.door.front;
            let reason = "{\"failed\":\"no licence at https://me:pw@db-7f3a/\"}";
            assert_eq!(posts(&desk, reason, STARTUP_TOKEN).await.0, 200);
            let refusal = desk.door.client(handshake("/", "")).await.answer().await;
            assert_eq!(refusal.status, 503);
            assert!(!refusal.text().contains("licence"), "{refusal:?}");
            let failure = desk.health().await["failure"].clone();
            assert_eq!(failure, "the service says: no licence at https://db-7f3a/");
            if says_so {
                let _service = asleep.wakes(async |mut line: Line| line.takes("").await);
                let now = Instant::now();
                let report = |name: &str| front.service.reports(&Report::Phase(name.into()), now);
                assert_eq!(report("database"), Err(NotTaken::Latched));
                assert_eq!(report("init"), Ok(()));
                until("ready", || front.readiness.state().is_ready()).await;
            } else {
                // Nobody listens there now.
                let probes = || front.journal.how_probed().last_seen;
                until("it is seen", || probes() == Seen::NobodyListens).await;
                assert_eq!(front.service.stage(), Stage::Broken);
                let _service = asleep.wakes(async |mut line: Line| line.takes("").await);
                until("ready", || front.readiness.state().is_ready()).await;
            }
        }
    })
    .await;
}

/// While it listens, nobody takes a port for a new start.
#[tokio::test]
async fn a_port_that_stays_open_is_no_new_start() {
    watched(async {
        let service = Service::that_takes_all();
        let door = Door::serving(service.port, Vec::new(), |_| ());
        until("ready", || door.front.readiness.state().is_ready()).await;
        let now = Instant::now();
        door.front.service.restarting(now);
        let failed = door.front.service.reports(&Report::Failed("no licence".into()), now);
        assert_eq!(failed, Ok(()));
        assert_eq!(door.front.service.stage(), Stage::Broken);
        service.is_dialled(3).await;
        assert_eq!(door.front.service.stage(), Stage::Broken);
    })
    .await;
}
