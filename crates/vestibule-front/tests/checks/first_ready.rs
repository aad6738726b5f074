//! Before the first ready: breaks it with evidence that comes before the checks, checks that pass before the
//! evidence, a service that goes while checks are missing, and a crowd.

use std::time::Duration;

use tokio::time::Instant;
use vestibule::check::Group;
use vestibule::gate::{Arrival, Kind};
use vestibule_front::service::Stage;

use crate::actors::door::Door;
use crate::actors::service::{Asleep, Line, Service};
use crate::actors::{handshake, request, until, watched};
use crate::desk::Desk;
use crate::scripted::{Dependency, hasty};

/// The service is there from the first moment; its database is not.
#[tokio::test]
async fn nobody_is_admitted_before_a_critical_check_has_passed() {
    watched(async {
        let (service, database) = (Service::that_takes_all(), Dependency::new(false));
        let door = Door::serving(service.port, vec![database.checked(hasty("database"))], |_| ());
        let mut client = door.client(handshake("/", "")).await;
        let stage = || door.front.service.stage();
        until("the service is found", || stage() == Stage::Found).await;
        until("it was asked again and again", || database.asked() > 4).await;
        assert_eq!((door.held(), service.requests()), (1, 0));
        assert_eq!(door.front.readiness.state().as_str(), "initializing");
        database.is_well(true);
        assert!(client.head().await.starts_with("HTTP/1.1 101 "));
        assert_eq!(stage(), Stage::Ready);
    })
    .await;
}

/// Each state is published as its group passes; phases follow where the service reports none.
#[tokio::test]
async fn groups_that_pass_are_published_and_evidence_is_still_awaited() {
    watched(async {
        let (database, pipeline) = (Dependency::new(false), Dependency::new(false));
        let checks = vec![
            database.checked(hasty("database")),
            pipeline.checked(hasty("pipeline").in_group(Group::Services)),
        ];
        let asleep = Asleep::new();
        let desk = Desk::beside(Door::serving(asleep.port, checks, |_| ()));
        let state = || desk.door.front.readiness.state().as_str();
        let phase = async || desk.health().await["startup"]["phase"].clone();
        until("it is asked", || database.asked() > 0).await;
        assert_eq!((state(), phase().await), ("initializing", "dependencies".into()));
        database.is_well(true);
        until("dependencies", || state() == "dependencies_ready").await;
        assert_eq!(phase().await, "services");
        pipeline.is_well(true);
        until("services", || state() == "services_ready").await;
        let mut client = desk.door.client(handshake("/", "")).await;
        desk.door.holds(1).await;
        let _service = asleep.wakes(async |mut line: Line| line.takes("").await);
        assert!(client.head().await.starts_with("HTTP/1.1 101 "));
        assert_eq!((state(), phase().await), ("websocket_ready", "complete".into()));
    })
    .await;
}

/// Would break if evidence were kept without anybody looking: those held would be handed to nobody.
#[tokio::test]
async fn a_service_that_goes_while_checks_are_missing_is_noticed_and_found_again() {
    watched(async {
        let (service, database) = (Service::that_takes_all(), Dependency::new(false));
        let door = Door::serving(service.port, vec![database.checked(hasty("database"))], |_| ());
        let stage = || door.front.service.stage();
        until("the service is found", || stage() == Stage::Found).await;
        let asleep = service.falls_asleep().await;
        until("it is missed", || stage() == Stage::Sought).await;
        let asked = database.asked();
        database.is_well(true);
        until("the check has passed", || database.asked() > asked + 1).await;
        assert!(!door.front.readiness.state().is_ready());
        let mut client = door.client(handshake("/", "")).await;
        door.holds(1).await;
        let _service = asleep.wakes(async |mut line: Line| line.takes("").await);
        assert!(client.head().await.starts_with("HTTP/1.1 101 "));
    })
    .await;
}

/// A crowd is no reason to ask a database more often.
#[tokio::test]
async fn one_pass_serves_five_thousand_held_clients() {
    watched(async {
        let (asleep, database) = (Asleep::new(), Dependency::new(true));
        let door =
            Door::serving(asleep.port, vec![database.checked(calm("database"))], |settings| {
                settings.limits.held_max = 5_000;
            });
        until("the check has passed", || database.asked() == 1).await;
        let deadline = Instant::now() + Duration::from_secs(15);
        let arrival = Arrival { kind: Kind::Plain, bytes: 1, client: None, deadline };
        let crowd = (0..5_000).map(|_| {
            let front = std::sync::Arc::clone(&door.front);
            tokio::spawn(async move {
                front.arrives(Instant::now());
                front.gate.admit(arrival).await.is_ok()
            })
        });
        let crowd: Vec<_> = crowd.collect();
        door.holds(5_000).await;
        let _service = asleep.wakes(async |mut line: Line| line.takes("").await);
        for client in crowd {
            assert!(client.await.unwrap(), "one of them was refused");
        }
        assert_eq!(database.asked(), 1);
        assert_eq!(door.front.validation.board().passes(), 1);
    })
    .await;
}

fn calm(name: &str) -> vestibule::check::Spec {
    vestibule::check::Spec { interval: Duration::from_secs(600), ..hasty(name) }
}

/// After the service was lost, what was seen before is history.
#[tokio::test]
async fn a_service_that_starts_anew_needs_its_checks_anew() {
    watched(async {
        let (service, database) = (Service::that_takes_all(), Dependency::new(true));
        let door = Door::serving(service.port, vec![database.checked(hasty("database"))], |_| ());
        until("ready", || door.front.readiness.state().is_ready()).await;
        database.is_well(false);
        let asked = database.asked();
        until("it is down", || database.asked() > asked + 2).await;
        // It reports, and gates no more.
        assert!(door.front.readiness.state().is_ready());
        let asleep = service.falls_asleep().await;
        let mut client = door.client(request("GET", "/", "")).await;
        until("lost", || !door.front.readiness.state().is_ready()).await;
        let service = asleep.wakes(async |mut line: Line| {
            line.answers_all(crate::actors::answer("200 OK", "well")).await;
        });
        until("found again", || door.front.service.stage() == Stage::Found).await;
        assert_eq!((door.held(), service.requests()), (1, 0));
        database.is_well(true);
        assert_eq!(client.answer().await.text(), "well");
    })
    .await;
}
