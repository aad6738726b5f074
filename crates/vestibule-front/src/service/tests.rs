//! Breaks what is published with news that come late, and the time of a start with a failure on the way.

use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use tokio::sync::broadcast::Receiver;
use vestibule::environment::{Name, Platform};
use vestibule::gate::Limits;
use vestibule::readiness::{self, Watch};
use vestibule::timeouts::Factors;

use super::*;
use crate::journal::event::Event;

struct Scene {
    service: Service,
    readiness: Watch,
    journal: Arc<Journal>,
    events: Receiver<Event>,
}

impl Scene {
    fn new() -> Self {
        let journal = Arc::<Journal>::default();
        let (publisher, readiness) = readiness::channel("front");
        let gate = Gate::new(Limits::default());
        let factors = Factors::derive(Name::Local, Platform::LocalHost);
        let nothing = Validation::new(Vec::new(), factors);
        let service =
            Service::new(gate, publisher, Arc::clone(&journal), nothing, Phases::default());
        let events = journal.hear();
        Self { service, readiness, journal, events }
    }

    fn heard(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.events.try_recv().ok()).collect()
    }
}

/// `serve` says that a service failed, and goes on: when it is ready in the end, it has taken all that time.
#[tokio::test(start_paused = true)]
async fn a_start_that_was_given_up_on_the_way_is_measured_from_its_beginning() {
    let scene = Scene::new();
    let (begun, minute) = (Instant::now(), Duration::from_secs(60));
    scene.service.failed(&Failure::retryable("it takes long"), begun + minute);
    scene.service.found(Evidence::Connected, begun + minute + Duration::from_secs(10));
    let (mut registry, mut text) = (Registry::default(), String::new());
    scene.journal.meters.register(&mut registry);
    encode(&mut text, &registry).unwrap();
    assert!(text.contains("\ntime_to_ready_seconds_sum 70.0\n"), "{text}");
}

/// The budget ends and the service gets ready in the same moment, on two threads.
#[tokio::test(start_paused = true)]
async fn who_got_ready_at_the_last_moment_is_not_called_too_late() {
    let (scene, now) = (Scene::new(), Instant::now());
    let late = Failure::retryable("not ready within 60 s");
    scene.service.found(Evidence::Connected, now);
    scene.service.failed_quietly(&late, &late, now);
    assert_eq!(scene.readiness.state(), State::WebsocketReady);
    scene.service.lost("it refuses connections", now);
    scene.service.failed_quietly(&late, &late, now);
    assert_eq!(scene.readiness.state(), State::Failed(late));
}

/// Would break if a child that ends first, or one that starts anew, called clients back to a door that leaves.
#[tokio::test(start_paused = true)]
async fn behind_the_first_word_of_our_leaving_comes_no_other() {
    let (mut scene, now) = (Scene::new(), Instant::now());
    scene.service.found(Evidence::Connected, now);
    scene.service.found(Evidence::Connected, now);
    scene.service.lame_duck();
    scene.service.lost("it refuses connections", now);
    scene.service.found(Evidence::Connected, now);
    scene.service.failed(&Failure::new("no"), now);
    scene.service.refuse_draining(now);
    assert_eq!(scene.readiness.state(), State::Draining);
    assert_eq!(scene.heard(), [Event::State("websocket_ready"), Event::State("draining")]);
}
