//! One run of the child, from its start to its end or ours.
//!
//! Owns what is heard meanwhile: its exit, its word, signals, the end of its budget. Must never start or end it.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::front::Shared;
use crate::process::child::Child;
use crate::process::exit::Exit;
use crate::process::listen::listening_ports;
use crate::process::notify::{Notification, NotifySocket};
use crate::process::signals::{Signal, Signals};
use crate::service::{Report, Stage};
use crate::supervise::budget::{NeverReady, never_ready};
use crate::supervise::learn::learn;
use crate::upstream::dial::Dial;
use crate::upstream::probe::{Evidence, Readiness};

use super::Plan;

/// When we first look where a child that does not answer listens; each further look waits twice as
/// long, up to [`LOOKS_APART_MAX`], since a look reads much of `/proc`.
const FIRST_LOOK: Duration = Duration::from_millis(250);
const LOOKS_APART_MAX: Duration = Duration::from_secs(1);
/// How long it takes to hear what a child said before its end, which waits in the socket; and how much of it counts.
const LAST_WORDS: Duration = Duration::from_millis(10);
const LAST_WORDS_MAX: u32 = 32;
/// The phase whose report is a word on readiness, too.
const COMPLETE: &str = "complete";

/// How one run of the child went.
pub(super) enum Lived {
    Ended(Exit),
    /// With the reason, if it has not been told yet.
    NeverReady(Option<NeverReady>),
    AskedToLeave,
}

/// What is awaited of the child.
struct Awaiting {
    readiness: Readiness,
    by_default: bool,
    began: Instant,
    stage: Stage,
    /// The budget, and when it ends.
    budget: Duration,
    deadline: Instant,
    /// Where it listens was said, or need not be.
    named_elsewhere: bool,
}

/// Lives through one run of the child, whose budget ends at `deadline`. Answers whether it was ever ready, too.
pub(super) async fn live<D: Dial>(
    front: &Arc<Shared<D>>,
    plan: &Plan,
    child: &mut Child,
    signals: &mut Signals,
    (budget, deadline): (Duration, Instant),
) -> (Lived, bool) {
    let mut awaiting = Awaiting {
        readiness: plan.source.readiness.clone(),
        by_default: plan.source.by_default,
        began: Instant::now(),
        stage: Stage::Sought,
        budget,
        deadline,
        named_elsewhere: false,
    };
    let pid = child.pid();
    let mut learning = Box::pin(learn(front, awaiting.readiness.clone()));
    let mut elsewhere = Box::pin(name_elsewhere(pid, plan.port));
    let lived = loop {
        tokio::select! {
            exit = child.wait() => {
                hear_last_words(front, plan.notify.as_ref(), pid).await;
                break match front.service.stage() {
                    Stage::Broken => Lived::NeverReady(None),
                    _ => Lived::Ended(exit),
                };
            }
            signal = signals.next() => match signal {
                Signal::Terminate | Signal::Interrupt => break Lived::AskedToLeave,
                Signal::Hangup if plan.keep_hangup => {}
                other => child.signal_group(other),
            },
            note = hear(plan.notify.as_ref(), pid) => {
                let before = awaiting.readiness.clone();
                awaiting.heard(front, &note);
                if awaiting.readiness != before {
                    learning = Box::pin(learn(front, awaiting.readiness.clone()));
                }
            }
            never = &mut learning => match never {},
            stage = front.service.beyond(awaiting.stage) => match stage {
                // It has been told, to clients, too.
                Stage::Broken => break Lived::NeverReady(None),
                _ => awaiting.comes_to(front, stage),
            },
            () = sleep_until(awaiting.deadline), if awaiting.stage != Stage::Ready => {
                // At the last moment is in time: a stage that we have not heard of yet comes first.
                if front.service.stage() == Stage::Ready {
                    continue;
                }
                let why = never_ready(front, &awaiting.readiness, awaiting.budget);
                break Lived::NeverReady(Some(why));
            }
            () = &mut elsewhere, if awaiting.is_sought() && !awaiting.named_elsewhere => {
                awaiting.named_elsewhere = true;
            }
        }
    };
    let was_ready = front.service.last_ready().is_some_and(|at| at >= awaiting.began);
    (lived, was_ready)
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

/// Who says why it fails and ends at once is believed: that is another end than a crash.
async fn hear_last_words<D: Dial>(front: &Shared<D>, notify: Option<&NotifySocket>, pid: u32) {
    for _ in 0..LAST_WORDS_MAX {
        let Ok(note) = timeout(LAST_WORDS, hear(notify, pid)).await else { return };
        let report = note.status.as_deref().and_then(Report::of_status);
        if let Some(report @ Report::Failed(_)) = report {
            // Why it changes nothing, if so, has been said.
            let _ = front.service.reports(&report, Instant::now());
        }
    }
}

impl Awaiting {
    fn is_sought(&self) -> bool {
        self.stage == Stage::Sought
    }

    /// What was ready and is no more has a budget again.
    fn comes_to<D: Dial>(&mut self, front: &Shared<D>, stage: Stage) {
        if self.stage == Stage::Ready {
            self.budget = front.settings().patience.startup;
            self.deadline = Instant::now() + self.budget;
        }
        self.stage = stage;
    }

    fn heard<D: Dial>(&mut self, front: &Shared<D>, note: &Notification) {
        let mut is_ready = note.ready;
        let report = note.status.as_deref().and_then(Report::of_status);
        match (&report, &note.status) {
            (Some(report), _) => {
                let taken = front.service.reports(report, Instant::now());
                let is_complete = matches!(report, Report::Phase(name) if name == COMPLETE);
                is_ready |= is_complete && taken.is_ok();
            }
            (None, Some(status)) => tracing::info!(status, "child says"),
            (None, None) => {}
        }
        if let Some(more) = note.extend_timeout {
            self.deadline = self.deadline.max(Instant::now() + more);
        }
        if !self.is_sought() {
            return;
        }
        if self.by_default && self.readiness != Readiness::Notify {
            tracing::info!("the child speaks sd_notify: its READY=1 is awaited");
            self.readiness = Readiness::Notify;
        }
        if is_ready && self.readiness == Readiness::Notify {
            front.service.found(Evidence::Notified, Instant::now());
        }
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
