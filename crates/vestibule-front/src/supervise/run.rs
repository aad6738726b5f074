//! `run`: a front and the process behind it.
//!
//! Owns the child's life: started, found ready, started again, ended last. Must never let the
//! child's own end cut what the door should close first.

use std::ffi::OsString;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until, timeout_at};
use vestibule::readiness::Failure;

use crate::front::{Shared, accept};
use crate::journal::millis;
use crate::listener::Listener;
use crate::process::child::{Child, SpawnError};
use crate::process::exit::Exit;
use crate::process::foreign;
use crate::process::group::end_descendants;
use crate::process::guard::Guard;
use crate::process::listen::listening_ports;
use crate::process::notify::{Notification, NotifySocket};
use crate::process::signals::{Signal, Signals};
use crate::supervise::launch::launch;
use crate::supervise::leave::{Left, flush, leave, second_word};
use crate::supervise::restart::{Policy, Restarts};
use crate::supervise::serve::{never_ready, tell_never_ready};
use crate::supervise::{Outcome, Source};
use crate::upstream::dial::Dial;
use crate::upstream::probe::{Evidence, Readiness, until_ready};

/// After the child has ended by itself: how long refusals and Closes may take to get out.
const FLUSH: Duration = Duration::from_millis(2500);
/// When we first look where a child that does not answer listens; each further look waits twice as
/// long, up to [`LOOKS_APART_MAX`], since a look reads much of `/proc`.
const FIRST_LOOK: Duration = Duration::from_millis(250);
const LOOKS_APART_MAX: Duration = Duration::from_secs(1);
/// After a second SIGTERM, how long the child may still take.
const HURRIED_GRACE: Duration = Duration::from_millis(200);
/// Once nothing is left behind us, how long the last refusals may take.
const LAST_FLUSH: Duration = Duration::from_millis(200);
/// How long the kernel may take to end what was killed.
const KILLED_WITHIN: Duration = Duration::from_secs(2);

/// What to run, and how.
pub struct Plan {
    /// A path or a name.
    pub program: OsString,
    /// Where a bare name is looked up, as in `PATH`.
    pub search_path: OsString,
    /// Arguments, with `{port}` still in them.
    pub args: Vec<OsString>,
    /// The child's private port.
    pub port: u16,
    /// Our own, for the child's information.
    pub public_port: Option<u16>,
    /// How its readiness is learnt.
    pub source: Source,
    /// SIGHUP is somebody else's to answer: the child does not get it.
    pub keep_hangup: bool,
    /// What happens when it ends by itself.
    pub restart: Policy,
    /// The child gets its SIGTERM before the tunnels are closed, not after.
    pub child_term_first: bool,
    /// Where the child's word on its readiness arrives.
    pub notify: Option<NotifySocket>,
    /// Ends the child's group and family when we are killed.
    pub guard: Option<Guard>,
    /// Whose family we are ourselves, if a front started us.
    pub family_around: Option<OsString>,
}

/// The command's words may be secrets, and are not shown.
impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Plan");
        shown.field("port", &self.port).field("source", &self.source);
        shown.finish_non_exhaustive()
    }
}

/// How one run of the child went.
enum Lived {
    Ended(Exit),
    NeverReady,
    AskedToLeave,
}

/// Runs the child behind the front until one of them ends. Must be called on the main thread:
/// see [`Child::spawn`].
pub async fn run<L: Listener, D: Dial>(
    front: Arc<Shared<D>>,
    listener: L,
    plan: Plan,
    mut signals: Signals,
) -> Outcome {
    let accepting = tokio::spawn(accept(Arc::clone(&front), listener));
    let outcome = lives(&front, &plan, &mut signals).await;
    // Those that left the child's group are ours to end, too.
    let left = end_descendants(KILLED_WITHIN, plan.guard.as_ref()).await;
    // Who came while the child ended is on its way to a refusal.
    flush(&front, LAST_FLUSH).await;
    accepting.abort();
    if !left.is_empty() {
        tracing::error!(pids = ?left, "processes of the child could not be ended");
    }
    outcome
}

async fn lives<D: Dial>(front: &Arc<Shared<D>>, plan: &Plan, signals: &mut Signals) -> Outcome {
    let mut restarts = Restarts::new(plan.restart);
    // One budget for all lives until one of them gets ready: a crash loop must not renew it.
    let mut startup = front.settings().patience.startup;
    let mut deadline = Instant::now() + startup;
    loop {
        let mut child = match start(plan) {
            Ok(child) => child,
            Err(error) => return not_started(front, &error).await,
        };
        front.service.started(Instant::now());
        let (lived, was_ready) = live(front, plan, &mut child, signals, deadline).await;
        if was_ready {
            startup = front.settings().patience.startup;
            deadline = Instant::now() + startup;
        }
        let exit = match lived {
            Lived::AskedToLeave => return Outcome::Child(stop(front, plan, child, signals).await),
            Lived::NeverReady => {
                front.service.failed(&never_ready(startup), Instant::now());
                flush(front, FLUSH).await;
                child.signal_group(Signal::Terminate);
                let grace = front.settings().patience.child_grace;
                let _ = end_child(plan, &mut child, signals, grace).await;
                return Outcome::NeverReady;
            }
            Lived::Ended(exit) => exit,
        };
        bury(plan, &mut child).await;
        if !was_ready {
            name_foreign(plan, exit);
        }
        let Some(pause) = restarts.after(exit, Instant::now(), fastrand::f64()) else {
            let failure = Failure::new(format!("the service {exit}"));
            front.service.failed(&failure, Instant::now());
            flush(front, FLUSH).await;
            return Outcome::Child(exit);
        };
        tracing::warn!(%exit, pause_ms = millis(pause), "the child ended: starting it again");
        front.service.restarting(Instant::now());
        tokio::select! {
            () = sleep(pause) => {}
            () = second_word(signals) => {
                leave(front, &front.settings().patience, signals).await;
                return Outcome::Child(exit);
            }
        }
    }
}

/// Held clients are told that there is no service; why, which may name files, is the log's.
async fn not_started<D: Dial>(front: &Arc<Shared<D>>, error: &SpawnError) -> Outcome {
    tracing::error!(%error, hint = error.hint(), "the command could not be started");
    front.service.failed(&Failure::new("the service could not be started"), Instant::now());
    flush(front, FLUSH).await;
    Outcome::NotStarted(error.exit_code())
}

fn start(plan: &Plan) -> Result<Child, SpawnError> {
    if let Some(notify) = &plan.notify {
        // The last words of an earlier life say nothing of this one.
        notify.discard();
    }
    let notify = plan.notify.as_ref().map(NotifySocket::env);
    let around = plan.family_around.as_deref();
    let family = plan.guard.as_ref().map(|guard| guard.family(around));
    let launch = launch(&plan.program, &plan.args, plan.port, plan.public_port, notify, family);
    let child = Child::spawn(&launch)?;
    if let Some(guard) = &plan.guard {
        guard.watch(child.pid());
    }
    tracing::info!(pid = child.pid(), port = plan.port, "child started");
    Ok(child)
}

/// One run of the child, from its start to its end or ours.
struct Awaiting {
    readiness: Readiness,
    by_default: bool,
    ready: bool,
    /// It was ready at some time of this life.
    was_ready: bool,
    /// When the startup budget ends.
    deadline: Instant,
    /// Where it listens was said, or need not be.
    named_elsewhere: bool,
}

async fn live<D: Dial>(
    front: &Arc<Shared<D>>,
    plan: &Plan,
    child: &mut Child,
    signals: &mut Signals,
    deadline: Instant,
) -> (Lived, bool) {
    let mut awaiting = Awaiting {
        readiness: plan.source.readiness.clone(),
        by_default: plan.source.by_default,
        ready: false,
        was_ready: false,
        deadline,
        named_elsewhere: false,
    };
    let pid = child.pid();
    let mut probing = Box::pin(probe(front, awaiting.readiness.clone()));
    let mut elsewhere = Box::pin(name_elsewhere(pid, plan.port));
    let lived = loop {
        tokio::select! {
            exit = child.wait() => break Lived::Ended(exit),
            signal = signals.next() => match signal {
                Signal::Terminate | Signal::Interrupt => break Lived::AskedToLeave,
                Signal::Hangup if plan.keep_hangup => {}
                other => child.signal_group(other),
            },
            note = hear(plan.notify.as_ref(), pid) => {
                let before = awaiting.readiness.clone();
                awaiting.heard(front, &note);
                if awaiting.readiness != before {
                    probing = Box::pin(probe(front, awaiting.readiness.clone()));
                }
            }
            evidence = &mut probing, if !awaiting.ready => awaiting.found(front, evidence),
            () = front.service.until_lost(), if awaiting.ready => {
                awaiting.lost(front.settings().patience.startup);
                // Its word was given; whether its port is back only a dial can tell.
                let readiness = match awaiting.readiness.clone() {
                    Readiness::Notify => Readiness::Tcp,
                    other => other,
                };
                probing = Box::pin(probe(front, readiness));
            }
            () = sleep_until(awaiting.deadline), if !awaiting.ready => {
                tell_never_ready(&awaiting.readiness, &front.journal);
                break Lived::NeverReady;
            }
            () = &mut elsewhere, if !awaiting.ready && !awaiting.named_elsewhere => {
                awaiting.named_elsewhere = true;
            }
        }
    };
    (lived, awaiting.was_ready)
}

async fn probe<D: Dial>(front: &Arc<Shared<D>>, readiness: Readiness) -> Evidence {
    // What was dialled for an earlier life leads nowhere.
    front.dial.clear();
    let held = || front.gate.counts().held;
    front.journal.probing(&readiness);
    if readiness == Readiness::Notify {
        // The child says it by itself.
        front.dial.keep_growing(held).await;
    }
    let try_timeout = front.settings().try_timeout;
    let (requests, tell) = (&front.upstream_requests, |seen| front.journal.probed(seen));
    until_ready(&front.dial, held, &readiness, try_timeout, requests, tell).await
}

async fn hear(notify: Option<&NotifySocket>, pid: u32) -> Notification {
    if let Some(notify) = notify {
        match notify.recv(pid).await {
            Ok(note) => return note,
            Err(error) => tracing::warn!(%error, "the notify socket can't be read any more"),
        }
    }
    std::future::pending().await
}

impl Awaiting {
    fn heard<D: Dial>(&mut self, front: &Arc<Shared<D>>, note: &Notification) {
        if let Some(status) = &note.status {
            tracing::info!(status, "child says");
        }
        if let Some(more) = note.extend_timeout {
            self.deadline = self.deadline.max(Instant::now() + more);
        }
        if self.ready {
            return;
        }
        if self.by_default && self.readiness != Readiness::Notify {
            tracing::info!("the child speaks sd_notify: its READY=1 is awaited");
            self.readiness = Readiness::Notify;
        }
        if note.ready && self.readiness == Readiness::Notify {
            self.found(front, Evidence::Notified);
        }
    }

    fn found<D: Dial>(&mut self, front: &Arc<Shared<D>>, evidence: Evidence) {
        self.ready = true;
        self.was_ready = true;
        front.service.ready(evidence, Instant::now());
    }

    fn lost(&mut self, startup: Duration) {
        self.ready = false;
        self.deadline = Instant::now() + startup;
    }
}

/// Resolves once the child listens, but not where it was told to, and that has been said.
async fn name_elsewhere(pid: u32, port: u16) {
    let mut pause = FIRST_LOOK;
    // Ends with the startup budget.
    loop {
        sleep(pause).await;
        pause = LOOKS_APART_MAX.min(pause * 2);
        let looked = tokio::task::spawn_blocking(move || listening_ports(pid)).await;
        let listening = looked.unwrap_or_default();
        if listening.is_empty() || listening.iter().any(|address| address.port() == port) {
            continue;
        }
        let found: Vec<String> = listening.iter().map(ToString::to_string).collect();
        tracing::warn!(
            listens_on = found.join(", "),
            expected = port,
            "the child listens elsewhere: let it listen on $PORT or {{port}}, \
             or name its port with --child-port",
        );
        return;
    }
}

/// A program for another machine ends in a shell that cannot read it (sh(1), "exit status").
fn name_foreign(plan: &Plan, exit: Exit) {
    if !matches!(exit, Exit::Code(2 | 126 | 127)) {
        return;
    }
    if let Some(machine) = foreign::machine_of(&plan.program, &plan.search_path) {
        tracing::error!(
            built_for = machine,
            "the command is built for another machine: take an image for this one",
        );
    }
}

/// Leaves in order: tunnels first, the child last, unless it is to go first.
async fn stop<D: Dial>(
    front: &Arc<Shared<D>>,
    plan: &Plan,
    mut child: Child,
    signals: &mut Signals,
) -> Exit {
    if plan.child_term_first {
        front.service.lame_duck();
        child.signal_group(Signal::Terminate);
    }
    let patience = front.settings().patience;
    let grace = match leave(front, &patience, signals).await {
        Left::InOrder => patience.child_grace,
        Left::InAHurry => HURRIED_GRACE.min(patience.child_grace),
    };
    if !plan.child_term_first {
        // Many servers take a second SIGTERM for "now".
        child.signal_group(Signal::Terminate);
    }
    end_child(plan, &mut child, signals, grace).await
}

/// Gives the group, which has had its SIGTERM, its grace, and SIGKILL to what is left.
async fn end_child(plan: &Plan, child: &mut Child, signals: &mut Signals, grace: Duration) -> Exit {
    let deadline = Instant::now() + grace;
    let exit = tokio::select! {
        exit = timeout_at(deadline, child.wait()) => exit.ok(),
        () = second_word(signals) => None,
    };
    if exit.is_none() {
        tracing::warn!(pid = child.pid(), "the child did not end in time: killing it");
    }
    bury(plan, child).await;
    let exit = match exit {
        Some(exit) => exit,
        None => child.look().unwrap_or(Exit::Lost),
    };
    tracing::info!(%exit, "child ended");
    exit
}

/// Ends what is left of the child's group.
async fn bury(plan: &Plan, child: &mut Child) {
    let left = child.end_group(KILLED_WITHIN).await;
    if !left.is_empty() {
        tracing::error!(pids = ?left, "processes of the child's group could not be ended");
    }
    if let Some(guard) = &plan.guard {
        guard.unwatch();
    }
}
