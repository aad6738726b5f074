//! The race itself: starts the target, lets the clients come, gathers the evidence, ends the
//! target.
//!
//! Owns the order of events and their bounds in time. Must never judge: that is the tally's.

mod stage;

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use rustix::process::{Resource, getrlimit};
use tokio::{
    net::TcpStream,
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, sleep, sleep_until},
};

use crate::{
    client::Visit,
    clock::Clock,
    error::RaceError,
    evidence::{Readiness, Source},
    listening::watch,
    platform::Routing,
    scenario::Scenario,
    seen::{Client, Seen},
    target::Exit,
    trace::{Recorder, Trace},
};
pub use stage::Role;
use stage::Stage;

/// How often the target is looked at and progress is told.
const TICK: Duration = Duration::from_millis(50);
/// How long a target whose port is open may take to show that it is ready, once every client is
/// gone. An app that neither stamps nor answers a ready path never shows it.
const AFTERMATH: Duration = Duration::from_secs(5);
/// Descriptors for everything that is not a client.
const DESCRIPTORS_SPARE: u64 = 64;

/// How far a race is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Since the start.
    pub elapsed: Duration,
    /// All clients.
    pub clients: usize,
    /// Those that have come.
    pub arrived: usize,
    /// Those that have their 101 and stay a moment to see whether it holds.
    pub talking: usize,
    /// Those that were ok.
    pub ok: usize,
    /// Those that were lost.
    pub lost: usize,
    /// When the app said or showed that it is ready.
    pub ready: Option<Duration>,
}

impl Progress {
    /// Those that have come and have no answer yet.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.arrived.saturating_sub(self.talking + self.ok + self.lost)
    }
}

/// What a race showed.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What stood at the dialled address.
    pub role: Role,
    /// The dialled address, as `HOST:PORT`.
    pub address: String,
    /// Every client, in order of arrival.
    pub clients: Vec<Client>,
    /// The end of the window over which they came.
    pub last_arrival: Duration,
    /// The first moment that somebody listened on the dialled port, or a connection to it
    /// succeeded.
    pub port_open: Option<Duration>,
    /// When the app was ready, by the best evidence there is.
    pub ready: Option<Readiness>,
    /// How and when the target ended, if it did so before it was told to.
    pub exit: Option<(Exit, Duration)>,
    /// The last lines of a target that ended early.
    pub last_lines: Vec<String>,
    /// What the platform did, where clients dialled one. The port of `port_open` is then the instance's.
    pub routing: Option<Routing>,
    /// The recording that the scenario asked for.
    pub trace: Option<Trace>,
}

/// Runs one race to its end.
///
/// The clients do not wait for anything: they begin to come as soon as the target is started. At
/// the end, or when the returned future is dropped, the target is gone with its process group.
///
/// # Errors
/// See [`RaceError`]. Lost clients are no error.
pub async fn run(
    scenario: &Scenario,
    mut progress: impl FnMut(&Progress),
) -> Result<Outcome, RaceError> {
    check_descriptors(scenario)?;
    let port_open = Arc::default();
    let stage = Stage::set(scenario, Clock::start).await?;
    // That a platform takes connections says nothing of the instance behind it.
    let port_dialled = match scenario.platform {
        None => Arc::clone(&port_open),
        Some(_) => Arc::default(),
    };
    let visit = Arc::new(Visit::new(
        scenario,
        &stage.authority,
        stage.addresses.clone(),
        stage.clock,
        port_dialled,
    )?);
    let mut listening = JoinSet::new();
    if let Some(at) = stage.target_at {
        listening.spawn(watch(at.port(), Arc::clone(&port_open)));
    }
    let recorder = scenario.trace.map(|_| Recorder::new(stage.clock));
    let mut watch = Watch {
        scenario,
        visit: Arc::clone(&visit),
        stage,
        port_open,
        ready: None,
        exit: None,
        done: Vec::with_capacity(scenario.clients),
    };
    let coming = send_clients(scenario, &watch.stage.clock, &visit, recorder.as_ref());
    watch.until_all_left(coming, &mut progress).await?;
    watch.aftermath().await?;
    Ok(watch.finish(recorder.map(|recorder| recorder.trace())).await)
}

/// One descriptor for each client, since all may be held at once; on a platform its side and the instance's
/// as well.
fn check_descriptors(scenario: &Scenario) -> Result<(), RaceError> {
    let clients = scenario.clients;
    let each = if scenario.platform.is_some() { 3 } else { 1 };
    let needed = (clients as u64).saturating_mul(each).saturating_add(DESCRIPTORS_SPARE);
    match getrlimit(Resource::Nofile).current {
        Some(limit) if limit < needed => Err(RaceError::TooManyClients { clients, limit, needed }),
        _ => Ok(()),
    }
}

/// Starts a task for each client, which sleeps until its arrival. Dropping the set ends them all.
fn send_clients(
    scenario: &Scenario,
    clock: &Clock,
    visit: &Arc<Visit>,
    recorder: Option<&Recorder>,
) -> JoinSet<Client> {
    let mut coming = JoinSet::new();
    let times = scenario.arrivals();
    for (number, at) in times.into_iter().enumerate() {
        let arrival = clock.origin() + at;
        let visit = Arc::clone(visit);
        let traced = scenario.trace == Some(number);
        let recorder = recorder.filter(|_| traced).cloned();
        coming.spawn(async move {
            sleep_until(arrival).await;
            visit.make(number, recorder).await
        });
    }
    coming
}

/// The race's view of target and clients while it goes on.
struct Watch<'a> {
    scenario: &'a Scenario,
    visit: Arc<Visit>,
    stage: Stage,
    port_open: Arc<OnceLock<Instant>>,
    ready: Option<Readiness>,
    exit: Option<(Exit, Duration)>,
    done: Vec<Client>,
}

impl Watch<'_> {
    /// Collects the clients. Each is bounded by its own timeout, and so is this.
    async fn until_all_left(
        &mut self,
        mut coming: JoinSet<Client>,
        progress: &mut impl FnMut(&Progress),
    ) -> Result<(), RaceError> {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let times = self.scenario.arrivals();
        loop {
            tokio::select! {
                joined = coming.join_next() => match joined {
                    None => break,
                    Some(Ok(client)) => self.done.push(client),
                    Some(Err(error)) => {
                        if let Ok(panic) = error.try_into_panic() {
                            std::panic::resume_unwind(panic);
                        }
                    }
                },
                _ = tick.tick() => {
                    self.look().await;
                    self.check_start().await?;
                    progress(&self.progress(&times));
                }
            }
        }
        self.look().await;
        progress(&self.progress(&times));
        Ok(())
    }

    /// Waits, within bounds, for a target that no client saw ready, so that the report can say
    /// when it would have been.
    async fn aftermath(&mut self) -> Result<(), RaceError> {
        let deadline = self.stage.clock.origin() + self.scenario.timeout;
        let mut settled_since = None;
        while self.stage.target_at.is_some() && self.ready.is_none() && !self.somebody_was_ok() {
            let now = Instant::now();
            if self.port_open.get().is_some() {
                settled_since.get_or_insert(now);
            }
            let enough = settled_since.is_some_and(|since| now >= since + AFTERMATH);
            let given_up = self.stage.routing().is_some_and(|routing| routing.gave_up);
            if enough || now >= deadline || self.exit.is_some() || given_up {
                break;
            }
            self.try_port().await;
            sleep(TICK).await;
            self.look().await;
        }
        self.check_start().await?;
        if self.port_open.get().is_none() && !self.was_decided() {
            return Err(RaceError::PortNeverOpened {
                address: self.stage.authority.clone(),
                within: self.stage.clock.since_start(Instant::now()),
                last_lines: self.stage.last_lines(),
            });
        }
        Ok(())
    }

    /// Ends the target and puts the evidence together.
    async fn finish(mut self, trace: Option<Trace>) -> Outcome {
        let last_lines = match self.exit {
            Some(_) => self.stage.last_lines(),
            None => Vec::new(),
        };
        self.done.sort_unstable_by_key(|client| client.number);
        let ready = self.ready.or_else(|| first_ok(&self.done));
        let clock = self.stage.clock;
        let port_open = self.port_open.get().map(|&at| clock.since_start(at));
        // The watch looks every few milliseconds; what was routed to was open.
        let routing = self.stage.routing();
        let routed_from = routing.as_ref().and_then(|routing| routing.routed_from);
        let outcome = Outcome {
            role: self.stage.role,
            address: self.stage.authority.clone(),
            last_arrival: self.scenario.head_start + self.scenario.spread,
            port_open: port_open.or(routed_from).map(|at| at.min(routed_from.unwrap_or(at))),
            clients: self.done,
            ready,
            exit: self.exit,
            last_lines,
            routing,
            trace,
        };
        self.stage.end().await;
        outcome
    }

    /// Takes in what the target shows.
    async fn look(&mut self) {
        let stamped = |source| move |at| Readiness { at, source };
        // A stamp outranks a probe that came first.
        if self.ready.is_none_or(|ready| ready.source != Source::Stamp) {
            let stamp = self.stage.stamp().map(stamped(Source::Stamp));
            let probe = self.stage.probed().await.map(stamped(Source::Probe));
            self.ready = stamp.or(self.ready).or(probe);
        }
        if self.exit.is_none() {
            let now = self.stage.clock.since_start(Instant::now());
            self.exit = self.stage.exited().map(|exit| (exit, now));
        }
    }

    /// A target that ends before its port opens is a broken command.
    async fn check_start(&self) -> Result<(), RaceError> {
        if let Some(error) = self.stage.not_started() {
            return Err(error);
        }
        match self.exit {
            Some((exit, after)) if self.port_open.get().is_none() => {
                self.stage.all_lines_read().await;
                Err(RaceError::ExitedEarly { exit, after, last_lines: self.stage.last_lines() })
            }
            _ => Ok(()),
        }
    }

    async fn try_port(&self) {
        let at = self.stage.target_at.as_slice();
        if self.port_open.get().is_none() && TcpStream::connect(at).await.is_ok() {
            self.port_open.get_or_init(Instant::now);
        }
    }

    /// Whether the platform has seen the target's port open, or has ended it before.
    fn was_decided(&self) -> bool {
        let routing = self.stage.routing();
        routing.is_some_and(|routing| routing.gave_up || routing.routed_from.is_some())
    }

    fn somebody_was_ok(&self) -> bool {
        self.done.iter().any(|client| client.seen == Seen::Ok)
    }

    fn progress(&self, times: &[Duration]) -> Progress {
        let elapsed = self.stage.clock.since_start(Instant::now());
        let ok = self.done.iter().filter(|c| c.seen == Seen::Ok).count();
        Progress {
            elapsed,
            clients: times.len(),
            arrived: times.partition_point(|&at| at <= elapsed),
            talking: self.visit.talking(),
            ok,
            lost: self.done.len() - ok,
            ready: self.ready.map(|ready| ready.at),
        }
    }
}

/// The earliest 101 of a client that was ok.
fn first_ok(clients: &[Client]) -> Option<Readiness> {
    let ok = clients.iter().filter(|client| client.seen == Seen::Ok);
    ok.filter_map(|client| client.at_101).min().map(|at| Readiness { at, source: Source::FirstOk })
}

#[cfg(test)]
mod tests;
