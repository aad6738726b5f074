//! Single flight: five thousand clients wait, and each dependency is asked as if it were one.
//!
//! Breaks it by a crowd at a door whose PostgreSQL, Redis and NATS come late, beside a door with one client and
//! the same dependencies. Who asks is counted in front of the dependencies, where a door has no say.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::client::Client;
use crate::counted::Counted;
use crate::desk::Desk;
use crate::door::Door;
use crate::echo::Echo;
use crate::server::Server;
use crate::stage::{Stage, eventually};

/// The crowd.
const CROWD: usize = 5_000;
/// Descriptors of this process for each of the crowd: its own, and its tunnel's at the service.
const EACH: u64 = 2;
/// Tries of each check before the dependencies come.
const IN_VAIN: usize = 4;

/// One door, with a port of its own before each dependency.
struct Watched {
    door: Door,
    desk: Desk,
    ports: Vec<(&'static str, Counted)>,
}

impl Watched {
    async fn start(stage: &Stage, name: &str, echo: &Echo, servers: &[Server]) -> Self {
        let (mut ports, mut text) = (Vec::new(), String::new());
        for server in servers {
            let port = Counted::before(server.port()).await;
            text += &server.table_at(port.port(), "timeout = \"5s\"");
            ports.push((server.kind(), port));
        }
        let (file, upstream) = (stage.path(name), echo.address());
        std::fs::write(&file, text).unwrap();
        let flags = ["--config", &file, "--upstream", &upstream, "--admin", "127.0.0.1:0"];
        let bounds = ["--hold", "60s", "--max-held", "6000"];
        let door = stage.serve(&[&flags[..], &bounds].concat()).await;
        let desk = Desk::of(&door).await;
        Self { door, desk, ports }
    }

    /// Clients of whom each is held.
    async fn holds(&self, count: usize) -> Vec<Client> {
        let clients = self.door.clients(count).await;
        self.desk.shows("all are held", |health| health["now"]["held"] == count).await;
        clients
    }

    /// Waits until each dependency was asked in vain as often as that.
    async fn is_in_vain(&self) {
        for (kind, port) in &self.ports {
            eventually(kind, || port.accepted() >= IN_VAIN).await;
        }
    }

    /// How often each was asked; never twice at once, and never without a try of a pass.
    async fn asked(&self) -> Vec<usize> {
        let mut asked = Vec::new();
        for (kind, port) in &self.ports {
            let accepted = port.accepted();
            let tries = self.desk.tries(kind).await;
            assert!(accepted <= tries + 1, "{kind}: {accepted} connections for {tries} tries");
            assert_eq!(port.at_once_most(), 1, "{kind} was asked by two at once");
            asked.push(accepted);
        }
        asked
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_thousand_who_wait_ask_each_dependency_as_often_as_one() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
    let room = limit.maximum.map_or(CROWD, |most| usize::try_from(most / EACH).unwrap() - 200);
    let crowd = CROWD.min(room);
    if crowd < CROWD {
        println!("open files are limited: {crowd} clients instead of {CROWD}");
    }
    let mut servers = [Server::postgres().await, Server::redis(), Server::nats()];
    let (stage, echo) = (Stage::new(), Echo::start().await);
    let (alone, many) = tokio::join!(
        Watched::start(&stage, "alone.toml", &echo, &servers),
        Watched::start(&stage, "many.toml", &echo, &servers)
    );
    let (mut one, mut clients) = tokio::join!(alone.holds(1), many.holds(crowd));
    tokio::join!(alone.is_in_vain(), many.is_in_vain());
    let in_vain = (alone.asked().await, many.asked().await);
    assert!(clients[0].is_held().await && one[0].is_held().await, "answered before readiness");

    let [postgres, redis, nats] = &mut servers;
    tokio::join!(postgres.run(), redis.run(), nats.run());
    one[0].is_served().await;
    for client in &mut clients {
        assert_eq!(client.answer().await.status, 101);
    }
    clients[0].echoes("first").await;
    clients[crowd - 1].echoes("last").await;

    let (by_one, by_many) = (alone.asked().await, many.asked().await);
    println!("{crowd} clients: asked {by_many:?}, {:?} of them in vain", in_vain.1);
    println!("     1 client: asked {by_one:?}, {:?} of them in vain", in_vain.0);
    // Both waited for the same moment; pauses between tries have chance in them.
    for (by_one, by_many) in by_one.into_iter().zip(by_many) {
        assert!(by_many <= 2 * by_one + 5, "{by_many} by the crowd, {by_one} by one");
    }
}
