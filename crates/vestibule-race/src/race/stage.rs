//! Where a race happens: the target if it is ours, the address that is dialled, the clock, and
//! the two ways to learn of readiness.
//!
//! Owns them and their end. Must never touch a client.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use tokio::{net::lookup_host, task::JoinHandle, time::Instant};

use crate::{
    clock::Clock,
    error::RaceError,
    evidence::{StampFile, probe_until_ready},
    free_port::free_port,
    platform::{CloudRun, Program, Router, Routing},
    scenario::{Address, Scenario, Target},
    target::{Exit, Ports, Prepared, Running},
};

/// What stands at the dialled address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The app itself.
    Bare,
    /// A front, with the app behind it.
    Door,
    /// Something that was running already.
    Address,
}

impl Role {
    /// How a report names it.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Door => "door",
            Self::Address => "address",
        }
    }
}

/// The set stage of one race.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) role: Role,
    pub(super) authority: String,
    pub(super) addresses: Vec<SocketAddr>,
    pub(super) clock: Clock,
    /// Where the target itself listens, if it is ours.
    pub(super) target_at: Option<SocketAddr>,
    owned: Owned,
    stamp: StampFile,
    probe: Option<Probe>,
}

/// What is ours, and ends with us.
#[derive(Debug)]
enum Owned {
    Nothing,
    Target(Running),
    Platform(Router),
}

/// A probe of the ready path. Dropping it ends the probing.
#[derive(Debug)]
struct Probe {
    probing: Option<JoinHandle<Instant>>,
    ready: Option<Instant>,
}

impl Stage {
    /// Finds the address, or starts the target; `start` is called as the last thing before it.
    pub(super) async fn set(
        scenario: &Scenario,
        start: impl FnOnce() -> Clock,
    ) -> Result<Self, RaceError> {
        let stamp = StampFile::create()?;
        let (role, prepared, ports) = match &scenario.target {
            Target::Address(address) => {
                return Self::at_address(scenario, address, stamp, start).await;
            }
            Target::Bare(launch) => {
                let port = free_port()?;
                let ports = Ports { dialled: port, app: port };
                (Role::Bare, Prepared::bare(launch, ports), ports)
            }
            Target::Door(door) => {
                let ports = Ports { dialled: free_port()?, app: free_port()? };
                let needs_app_port = scenario.ready_path.is_some();
                let prepared = Prepared::door(door, ports, needs_app_port);
                (Role::Door, prepared, ports)
            }
        };
        let loopback = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let target_at = loopback(ports.dialled);
        let (clock, owned, dialled) = match &scenario.platform {
            None => {
                let clock = start();
                let target = Running::start(&prepared, stamp.path(), scenario.output)?;
                (clock, Owned::Target(target), target_at)
            }
            Some(service) => {
                let program = Program {
                    prepared: prepared.on_a_platform(ports),
                    stamp: stamp.path().to_owned(),
                    output: scenario.output,
                    address: target_at,
                };
                let router = Router::open(CloudRun::clone(service), program).await?;
                let dialled = router.address();
                (start(), Owned::Platform(router), dialled)
            }
        };
        Ok(Self {
            role,
            authority: dialled.to_string(),
            addresses: vec![dialled],
            clock,
            target_at: Some(target_at),
            owned,
            stamp,
            probe: Probe::start(scenario, vec![loopback(ports.app)]),
        })
    }

    async fn at_address(
        scenario: &Scenario,
        address: &Address,
        stamp: StampFile,
        start: impl FnOnce() -> Clock,
    ) -> Result<Self, RaceError> {
        let resolve = |source| RaceError::Resolve { host: address.host.clone(), source };
        let found = lookup_host((address.host.as_str(), address.port)).await;
        let addresses: Vec<SocketAddr> = found.map_err(resolve)?.collect();
        Ok(Self {
            role: Role::Address,
            authority: address.to_string(),
            clock: start(),
            target_at: None,
            owned: Owned::Nothing,
            stamp,
            probe: Probe::start(scenario, addresses.clone()),
            addresses,
        })
    }

    /// The app's own word on its readiness.
    pub(super) fn stamp(&self) -> Option<Duration> {
        self.stamp.read(&self.clock)
    }

    /// The probe's word, which never waits.
    pub(super) async fn probed(&mut self) -> Option<Duration> {
        let ready = self.probe.as_mut()?.ready().await?;
        Some(self.clock.since_start(ready))
    }

    /// How the target ended, if it has.
    pub(super) fn exited(&self) -> Option<Exit> {
        match &self.owned {
            Owned::Nothing => None,
            Owned::Target(target) => target.exited(),
            Owned::Platform(router) => router.exited(),
        }
    }

    /// The last lines that the target wrote.
    pub(super) fn last_lines(&self) -> Vec<String> {
        match &self.owned {
            Owned::Nothing => Vec::new(),
            Owned::Target(target) => target.last_lines(),
            Owned::Platform(router) => router.last_lines(),
        }
    }

    /// Waits, within a bound, until what a target wrote before its end has been read.
    pub(super) async fn all_lines_read(&self) {
        match &self.owned {
            Owned::Nothing => {}
            Owned::Target(target) => target.all_lines_read().await,
            Owned::Platform(router) => router.all_lines_read().await,
        }
    }

    /// Why the platform could not start the target, told once.
    pub(super) fn not_started(&self) -> Option<RaceError> {
        match &self.owned {
            Owned::Platform(router) => router.not_started(),
            _ => None,
        }
    }

    /// What the platform did so far, if there is one.
    pub(super) fn routing(&self) -> Option<Routing> {
        match &self.owned {
            Owned::Platform(router) => Some(router.told(&self.clock)),
            _ => None,
        }
    }

    /// Ends what was started.
    pub(super) async fn end(self) {
        match self.owned {
            Owned::Nothing => {}
            Owned::Target(target) => target.stop().await,
            Owned::Platform(router) => router.stop().await,
        }
    }
}

impl Probe {
    fn start(scenario: &Scenario, addresses: Vec<SocketAddr>) -> Option<Self> {
        let path = scenario.ready_path.clone()?;
        Some(Self { probing: Some(tokio::spawn(probe_until_ready(addresses, path))), ready: None })
    }

    async fn ready(&mut self) -> Option<Instant> {
        if let Some(probing) = self.probing.take_if(|probing| probing.is_finished()) {
            self.ready = probing.await.ok();
        }
        self.ready
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        if let Some(probing) = &self.probing {
            probing.abort();
        }
    }
}
