//! `run`: a front and the process behind it.
//!
//! Owns the child's life: started, found ready, started again, ended last. Must never let the
//! child's own end cut what the door should close first.

mod live;

use std::ffi::OsString;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};
use vestibule::readiness::Failure;

use crate::front::{Shared, accept, shut};
use crate::journal::millis;
use crate::listener::Listener;
use crate::process::child::{Child, SpawnError};
use crate::process::exit::Exit;
use crate::process::foreign;
use crate::process::group::end_descendants;
use crate::process::guard::Guard;
use crate::process::notify::NotifySocket;
use crate::process::signals::{Signal, Signals};
use crate::supervise::budget::NeverReady;
use crate::supervise::launch::{Reports, Told, launch};
use crate::supervise::leave::{Left, flush, leave, second_word};
use crate::supervise::restart::{Policy, Restarts};
use crate::supervise::validate::validate;
use crate::supervise::{Outcome, Source};
use crate::upstream::dial::Dial;

use self::live::{Lived, live};

/// After the child has ended by itself: how long refusals and Closes may take to get out.
const FLUSH: Duration = Duration::from_millis(2500);
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
    /// Where the child may report how far its start has come, if it does not speak `sd_notify`.
    pub reports: Option<Reports>,
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

/// Runs the child behind the front until one of them ends. Must be called on the main thread:
/// see [`Child::spawn`].
pub async fn run<L: Listener, D: Dial>(
    front: Arc<Shared<D>>,
    listener: L,
    plan: Plan,
    mut signals: Signals,
) -> Outcome {
    let accepting = tokio::spawn(accept(Arc::clone(&front), listener));
    let outcome = tokio::select! {
        outcome = lives(&front, &plan, &mut signals) => outcome,
        never = validate(&front) => match never {},
    };
    // Those that left the child's group are ours to end, too.
    let left = end_descendants(KILLED_WITHIN, plan.guard.as_ref()).await;
    // Who came while the child ended is on its way to a refusal.
    flush(&front, LAST_FLUSH).await;
    shut(accepting).await;
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
        let (lived, was_ready) = live(front, plan, &mut child, signals, (startup, deadline)).await;
        if was_ready {
            startup = front.settings().patience.startup;
            deadline = Instant::now() + startup;
        }
        let exit = match lived {
            Lived::AskedToLeave => return Outcome::Child(stop(front, plan, child, signals).await),
            Lived::NeverReady(why) => {
                if let Some(NeverReady { failure, to_clients }) = why {
                    front.service.failed_quietly(&failure, &to_clients, Instant::now());
                }
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
    let around = plan.family_around.as_deref();
    let told = Told {
        public_port: plan.public_port,
        notify_socket: plan.notify.as_ref().map(NotifySocket::env),
        reports: plan.reports.clone(),
        family: plan.guard.as_ref().map(|guard| guard.family(around)),
    };
    let launch = launch(&plan.program, &plan.args, plan.port, told);
    let child = Child::spawn(&launch)?;
    if let Some(guard) = &plan.guard {
        guard.watch(child.pid());
    }
    tracing::info!(pid = child.pid(), port = plan.port, "child started");
    Ok(child)
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
