//! The end of the startup budget under `serve`: breaks it with a check that never passes, and then does.

use std::time::Duration;

use crate::actors::door::Door;
use crate::actors::ears::Ears;
use crate::actors::service::Service;
use crate::actors::{handshake, watched};
use crate::desk::Desk;
use crate::scripted::{Dependency, SECRET, hasty};

/// The operator hears which check is missing, and why; clients hear that the service is not ready; and it recovers
/// without anybody's help.
#[tokio::test]
async fn a_check_that_is_missing_at_the_end_of_the_budget_is_named_to_the_operator_alone() {
    let _second = tracing::Dispatch::new(Ears::default());
    let (ears, _listening) = Ears::open();
    watched(async {
        let (service, database) = (Service::that_takes_all(), Dependency::new(false));
        let checks = vec![database.checked(hasty("database"))];
        let desk = Desk::beside(Door::serving(service.port, checks, |settings| {
            settings.patience.startup = Duration::from_millis(400);
        }));
        let mut client = desk.door.client(handshake("/", "")).await;
        let refusal = client.answer().await;
        assert_eq!(refusal.status, 503);
        assert!(refusal.text().contains("\"failed\""), "{refusal:?}");
        for secret in ["database", "refused", SECRET] {
            assert!(!refusal.text().contains(secret), "{refusal:?}");
        }
        let document = desk.health().await;
        assert_eq!(document["state"], "failed");
        let failure = document["failure"].as_str().unwrap();
        assert!(failure.ends_with("within 0.4 s: check database: refused"), "{failure}");
        database.is_well(true);
        let mut readiness = desk.door.front.readiness.clone();
        let soon = tokio::time::Instant::now() + Duration::from_secs(10);
        while !readiness.state().is_ready() {
            let next = tokio::time::timeout_at(soon, readiness.changed()).await;
            next.expect("it recovers by itself");
        }
        let mut client = desk.door.client(handshake("/", "")).await;
        assert!(client.head().await.starts_with("HTTP/1.1 101 "));
        assert_eq!(desk.health().await["startup"]["starts"], 2);
    })
    .await;
    let heard = ears.heard();
    let line = heard.lines().find(|line| line.contains("not ready in time")).unwrap();
    assert!(line.contains("check database: refused"), "{line}");
}
