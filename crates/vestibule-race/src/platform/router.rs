//! The platform on a loopback port.
//!
//! Owns the listener, the started instance and its end, and the tasks between. Must never outlive its owner:
//! dropping a [`Router`] ends its tasks and kills the instance.

use std::{
    future::pending,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    io,
    net::TcpListener,
    sync::{Notify, oneshot},
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};

use super::{
    CloudRun, Routing, asking,
    instance::{Fate, Model},
    route,
};
use crate::{
    clock::Clock,
    error::RaceError,
    scenario::Output,
    target::{Exit, Prepared, Running},
};

/// After an accept that failed, for want of descriptors as a rule.
const ACCEPT_AGAIN: Duration = Duration::from_millis(10);
/// Looks at the pipes of an ended instance, and the pause between two: 200 ms in all.
const LOOKS_MAX: u32 = 100;
const LOOK_PAUSE: Duration = Duration::from_millis(2);
/// Users come from addresses of their own: these are set aside for measurements (RFC 2544, appendix C.2.2).
const FIRST_CLIENT: u32 = u32::from_be_bytes([198, 18, 0, 0]);
/// How many there are.
const CLIENTS: u32 = 1 << 17;

/// What the instance runs.
#[derive(Debug)]
pub(crate) struct Program {
    /// The command line and its variables.
    pub(crate) prepared: Prepared,
    /// Where its stamp goes.
    pub(crate) stamp: PathBuf,
    /// What becomes of its output.
    pub(crate) output: Output,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

/// What a request is told.
#[derive(Debug)]
pub(super) enum Answer {
    /// It may go to the instance.
    Routed(Slot),
    /// It is answered with this status.
    Refused(u16),
}

/// One of the instance's concurrent requests. Dropping it makes room for another.
#[derive(Debug)]
pub(super) struct Slot {
    shared: Arc<Shared>,
}

impl Slot {
    /// Notes that nothing answered behind the port.
    pub(super) fn met_nobody(&self) {
        self.shared.model().unanswered();
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.shared.model().finished();
        self.shared.changed.notify_one();
    }
}

type Waiter = oneshot::Sender<Answer>;

/// What all connections share.
#[derive(Debug)]
pub(super) struct Shared {
    service: CloudRun,
    program: Program,
    model: Mutex<Model<Waiter>>,
    running: Mutex<Option<Running>>,
    not_started: Mutex<Option<RaceError>>,
    changed: Notify,
    launched: Notify,
}

impl Shared {
    pub(super) fn service(&self) -> &CloudRun {
        &self.service
    }

    pub(super) fn instance(&self) -> SocketAddr {
        self.program.address
    }

    /// Waits for what becomes of a request that has just come. Dropping it gives the place up.
    pub(super) async fn ask(&self) -> Result<Answer, oneshot::error::RecvError> {
        let (waiter, answer) = oneshot::channel();
        let must_start = self.model().arrive(waiter, Instant::now());
        if must_start {
            self.launch();
        }
        self.changed.notify_one();
        answer.await
    }

    /// Starts the instance. A program that can't be started ends the race.
    fn launch(&self) {
        let Program { prepared, stamp, output, .. } = &self.program;
        match Running::start(prepared, stamp, *output) {
            Ok(running) => {
                *lock(&self.running) = Some(running);
                self.model().launched(Instant::now());
            }
            Err(error) => {
                *lock(&self.not_started) = Some(error);
                self.model().gone();
            }
        }
        self.launched.notify_one();
    }

    fn model(&self) -> MutexGuard<'_, Model<Waiter>> {
        lock(&self.model)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The platform with one service on it.
#[derive(Debug)]
pub(crate) struct Router {
    shared: Arc<Shared>,
    address: SocketAddr,
    tasks: JoinSet<()>,
}

impl Router {
    /// Listens. Nothing is started before a request comes.
    pub(crate) async fn open(service: CloudRun, program: Program) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            model: Mutex::new(Model::new(service.clone())),
            service,
            program,
            running: Mutex::default(),
            not_started: Mutex::default(),
            changed: Notify::new(),
            launched: Notify::new(),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, Arc::clone(&shared)));
        tasks.spawn(settle(Arc::clone(&shared)));
        tasks.spawn(probe(Arc::clone(&shared)));
        Ok(Self { shared, address, tasks })
    }

    /// Where clients dial.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Why the instance could not be started, told once.
    pub(crate) fn not_started(&self) -> Option<RaceError> {
        lock(&self.shared.not_started).take()
    }

    /// How the instance ended, if it did so by itself.
    pub(crate) fn exited(&self) -> Option<Exit> {
        let exit = lock(&self.shared.running).as_ref()?.exited()?;
        self.shared.model().gone();
        self.shared.changed.notify_one();
        Some(exit)
    }

    /// The last lines that the instance wrote.
    pub(crate) fn last_lines(&self) -> Vec<String> {
        lock(&self.shared.running).as_ref().map(Running::last_lines).unwrap_or_default()
    }

    /// Waits, within a bound, until what the instance wrote before its end has been read.
    pub(crate) async fn all_lines_read(&self) {
        let is_read = || lock(&self.shared.running).as_ref().is_none_or(Running::is_all_read);
        for _ in 0..LOOKS_MAX {
            if is_read() {
                return;
            }
            sleep(LOOK_PAUSE).await;
        }
    }

    /// What the platform did so far.
    pub(crate) fn told(&self, clock: &Clock) -> Routing {
        let counted = self.shared.model().counted;
        let since_start = |at: Option<Instant>| at.map(|at| clock.since_start(at));
        Routing {
            service: self.shared.service.clone(),
            started: since_start(counted.started),
            routed_from: since_start(counted.routed_from),
            probe_failures: counted.probe_failures,
            gave_up: counted.gave_up,
            pending_peak: counted.pending_peak,
            crowded: counted.crowded,
            refused: counted.refused,
        }
    }

    /// SIGTERM to the instance, SIGKILL 10 s later.
    pub(crate) async fn stop(self) {
        let running = lock(&self.shared.running).take();
        if let Some(running) = running {
            running.stop().await;
        }
    }
}

impl Drop for Router {
    fn drop(&mut self) {
        self.tasks.abort_all();
        // An aborted task lets go of what is shared only when it is next scheduled.
        drop(lock(&self.shared.running).take());
    }
}

/// Accepts for as long as it is polled; its connections end with it.
async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    let mut came = 0;
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((client, _)) => {
                    let address = IpAddr::V4(Ipv4Addr::from_bits(FIRST_CLIENT + came % CLIENTS));
                    came = came.wrapping_add(1);
                    connections.spawn(route::serve(client, address, Arc::clone(&shared)));
                }
                Err(_) => sleep(ACCEPT_AGAIN).await,
            },
            // What a connection met is its client's to tell.
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Tells those whose wait is over, whenever something changed or somebody's time is up.
async fn settle(shared: Arc<Shared>) {
    loop {
        let (over, deadline) = {
            let mut model = shared.model();
            (model.settle(Instant::now()), model.next_deadline())
        };
        for (waiter, fate) in over {
            let answer = match fate {
                Fate::Routed => Answer::Routed(Slot { shared: Arc::clone(&shared) }),
                Fate::NoInstance => Answer::Refused(429),
                Fate::Unavailable => Answer::Refused(503),
            };
            // Whoever left meanwhile drops its slot here.
            let _ = waiter.send(answer);
        }
        let until_deadline = async {
            match deadline {
                Some(at) => sleep_until(at).await,
                None => pending().await,
            }
        };
        tokio::select! {
            () = shared.changed.notified() => {}
            () = until_deadline => {}
        }
    }
}

/// Probes the started instance until the probe's verdict.
async fn probe(shared: Arc<Shared>) {
    shared.launched.notified().await;
    loop {
        // In a statement of its own, so that the lock is not held over the wait.
        let next = shared.model().next_probe();
        let Some(at) = next else { return };
        sleep_until(at).await;
        let began = Instant::now();
        let succeeded = asking::attempt(&shared.service.probe, shared.instance()).await;
        let must_end = shared.model().probed(began, succeeded, Instant::now());
        shared.changed.notify_one();
        let running = if must_end { lock(&shared.running).take() } else { None };
        if let Some(running) = running {
            running.stop().await;
        }
    }
}
