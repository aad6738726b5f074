//! One set of promises for all three buses: in process, Redis Streams, NATS JetStream; and servers that die and freeze.
//!
//! Breaks the bus between two instances. Whoever misses something must hear of a gap, and nobody may wait.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    dead_code,
    reason = "tests say what they expect by unwrapping; the servers are those of other plays, too"
)]

#[path = "../../../crates/vestibule-checks/tests/servers/daemon.rs"]
mod daemon;
#[path = "../../../crates/vestibule-checks/tests/servers/nats_server.rs"]
mod nats_server;
#[path = "../../../crates/vestibule-checks/tests/servers/redis_server.rs"]
mod redis_server;

use std::time::Duration;

use daemon::Daemon;
use golden_path::bus::{Bus, BusError, Heard, Signal, Subscription};
use golden_path::event::{Event, UserId, What};
use nats_server::{JETSTREAM, Nats};
use redis_server::Redis;
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

const WITHIN: Duration = Duration::from_secs(20);
const USER: UserId = Uuid::from_u128(1);

/// A bus's server, whichever it is.
enum Server {
    Redis(Redis),
    Nats(Nats),
}

impl Server {
    async fn redis() -> Self {
        Self::Redis(Redis::start("").await)
    }

    async fn nats() -> Self {
        Self::Nats(Nats::start(JETSTREAM).await)
    }

    fn url(&self) -> String {
        match self {
            Self::Redis(server) => {
                format!("redis://:{}@127.0.0.1:{}", redis_server::PASSWORD_IN_URL, server.port())
            }
            Self::Nats(server) => format!("nats://127.0.0.1:{}", server.port()),
        }
    }

    async fn bus(&self) -> Bus {
        Bus::open(Some(&self.url())).await.unwrap()
    }

    fn kill(&mut self) {
        match self {
            Self::Redis(server) => server.kill(),
            Self::Nats(server) => server.kill(),
        }
    }

    async fn run(&mut self) {
        match self {
            Self::Redis(server) => server.run().await,
            Self::Nats(server) => server.run().await,
        }
    }

    fn daemon(&mut self) -> &mut Daemon {
        match self {
            Self::Redis(server) => server.daemon(),
            Self::Nats(server) => server.daemon(),
        }
    }
}

fn word(number: i64) -> Signal {
    let what = What::AgentThinking { text: format!("word {number}") };
    let event = Event { id: number, thread: Uuid::nil(), run: None, at_ms: 0, what };
    Signal::Event { user: USER, event, correlation: "c".into() }
}

async fn hear(subscription: &mut Subscription) -> Heard {
    timeout(WITHIN, subscription.next()).await.expect("something to hear")
}

/// Hears until this; how many gaps came before it.
async fn hear_until(subscription: &mut Subscription, wanted: &Signal) -> usize {
    let mut gaps = 0;
    loop {
        match hear(subscription).await {
            Heard::Signal(signal) if *signal == *wanted => return gaps,
            Heard::Signal(_) => {}
            Heard::Gap => gaps += 1,
        }
    }
}

async fn all_is_heard_once_and_in_order(says: &Bus, hears: &Bus) {
    let (mut here, mut there) = (says.subscribe_to(USER), hears.subscribe_to(USER));
    let mut others = hears.subscribe_to(Uuid::from_u128(2));
    for number in 1..=100 {
        says.publish(word(number));
    }
    let revoked = Signal::Revoked { session: Uuid::nil() };
    says.publish(revoked.clone());
    for subscription in [&mut here, &mut there] {
        for number in 1..=100 {
            assert_eq!(hear(subscription).await, Heard::Signal(word(number).into()));
        }
        assert_eq!(hear(subscription).await, Heard::Signal(revoked.clone().into()));
    }
    assert_eq!(hear(&mut others).await, Heard::Signal(revoked.into()), "another user's words");
    let mut service = hears.subscribe();
    let cancel = Signal::Cancel { run: Uuid::nil() };
    says.publish(cancel.clone());
    assert_eq!(hear_until(&mut service, &cancel).await, 0);
    says.echo(WITHIN).await.unwrap();
    // Nothing came twice.
    let rest = timeout(Duration::from_millis(50), here.next()).await;
    assert!(rest.is_err(), "{rest:?}");
}

#[tokio::test]
async fn in_process_all_is_heard_once_and_in_order() {
    let bus = Bus::open(None).await.unwrap();
    all_is_heard_once_and_in_order(&bus, &bus.clone()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_redis_all_is_heard_once_and_in_order() {
    let server = Server::redis().await;
    all_is_heard_once_and_in_order(&server.bus().await, &server.bus().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_nats_all_is_heard_once_and_in_order() {
    let server = Server::nats().await;
    all_is_heard_once_and_in_order(&server.bus().await, &server.bus().await).await;
}

/// A slow subscriber costs a bounded number of signals, and is told.
#[tokio::test]
async fn who_does_not_listen_hears_of_a_gap() {
    let bus = Bus::open(None).await.unwrap();
    let mut slow = bus.subscribe_to(USER);
    for number in 1..=100_000 {
        bus.publish(word(number));
    }
    assert_eq!(hear(&mut slow).await, Heard::Gap);
    let mut left = 0;
    while hear(&mut slow).await != Heard::Signal(word(100_000).into()) {
        left += 1;
    }
    assert!(left < 1000, "{left} were kept");
}

async fn a_bus_that_dies_is_missed_by_nobody(mut server: Server) {
    let (one, two) = (server.bus().await, server.bus().await);
    let (mut here, mut there) = (one.subscribe_to(USER), two.subscribe_to(USER));
    one.publish(word(1));
    assert_eq!(hear_until(&mut there, &word(1)).await, 0);
    server.kill();
    let began = Instant::now();
    for number in 2..=20_000 {
        one.publish(word(number));
    }
    // Debug builds on a busy machine included: nothing here may wait for a server.
    assert!(began.elapsed() < Duration::from_secs(2), "publishing waited: {:?}", began.elapsed());
    hear_until(&mut here, &word(20_000)).await;
    assert!(matches!(one.echo(Duration::from_millis(300)).await, Err(BusError::Unavailable(_))));
    server.run().await;
    // Both are told, whatever they missed, and all goes on.
    for subscription in [&mut here, &mut there] {
        while hear(subscription).await != Heard::Gap {}
    }
    comes_back(&one).await;
    comes_back(&two).await;
    one.publish(word(20_001));
    hear_until(&mut there, &word(20_001)).await;
}

async fn comes_back(bus: &Bus) {
    let deadline = Instant::now() + WITHIN;
    while let Err(error) = bus.echo(Duration::from_millis(500)).await {
        assert!(Instant::now() < deadline, "{error}");
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_dies_is_missed_by_nobody() {
    a_bus_that_dies_is_missed_by_nobody(Server::redis().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_nats_that_dies_is_missed_by_nobody() {
    a_bus_that_dies_is_missed_by_nobody(Server::nats().await).await;
}

/// What one instance could not say, the others are told of, although their own connection was whole.
async fn a_bus_that_freezes_holds_up_nobody(mut server: Server) {
    let bus = server.bus().await;
    let mut here = bus.subscribe_to(USER);
    server.daemon().freeze();
    let opened = timeout(WITHIN, Bus::open(Some(&server.url()))).await.expect("an end");
    assert!(matches!(opened, Err(BusError::Unavailable(_))), "{opened:?}");
    assert!(bus.echo(Duration::from_millis(300)).await.is_err());
    bus.publish(word(1));
    assert_eq!(hear(&mut here).await, Heard::Signal(word(1).into()), "locally at once");
    server.daemon().signal(rustix::process::Signal::CONT);
    comes_back(&bus).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_freezes_holds_up_nobody() {
    a_bus_that_freezes_holds_up_nobody(Server::redis().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_nats_that_freezes_holds_up_nobody() {
    a_bus_that_freezes_holds_up_nobody(Server::nats().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_not_in_is_told_without_the_password() {
    let server = Server::redis().await;
    let wrong = server.url().replace(redis_server::PASSWORD_IN_URL, "canary-wrong-word");
    let nobody = "redis://:canary-wrong-word@127.0.0.1:1".to_owned();
    let no_nats = "nats://canary:canary-wrong-word@127.0.0.1:1".to_owned();
    for url in [wrong, nobody, no_nats] {
        let error =
            timeout(WITHIN, Bus::open(Some(&url))).await.expect("an end").expect_err("wrong");
        assert!(matches!(error, BusError::Unavailable(_)), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    }
}
