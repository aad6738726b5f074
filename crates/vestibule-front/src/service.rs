//! What the service behind is doing, as far as we saw.
//!
//! Owns the one state from which the gate's stance and readiness follow. It is made of two things: the upstream's
//! evidence, and the opinion of the checks; ready is who has both. Must never probe, dial, check or supervise: others
//! see, and tell it here.

mod report;
mod stage;
mod start;
mod weigh;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use vestibule::check::Group;
use vestibule::gate::{Gate, Permit};
use vestibule::readiness::{Failure, Publisher, State};
use vestibule::startup::{Phase, Phases, Timeline};
use vestibule::validation::Validation;

use crate::journal::Journal;
use crate::upstream::probe::Evidence;
use crate::upstream::scout::{Fall, Youth};

pub use self::report::{NotTaken, Report};
pub use self::stage::Stage;
use self::stage::Stages;
use self::start::Start;

/// The service's life, as the door sees it.
#[derive(Clone, Debug, PartialEq)]
enum Life {
    /// Not ready yet, or no more: clients are held.
    Starting,
    /// Ready, unless the checks bar newcomers.
    Ready(Youth, Bar),
    /// It will not get ready: clients are refused.
    Failed(Failed),
    /// We are on our way out: clients are refused.
    Draining,
}

/// What the checks do with newcomers while the service is ready.
#[derive(Clone, Debug, PartialEq)]
enum Bar {
    /// Nothing.
    None,
    /// A check that gates always is down, or was not seen for too long; below this group all is well.
    Hold(Option<Group>),
    /// Its breaker is open.
    Refuse(Option<Group>),
}

/// A failure.
#[derive(Clone, Debug, PartialEq)]
struct Failed {
    /// What clients hear of it: nothing that names a dependency.
    to_clients: Failure,
    /// The service said so itself: only a new start ends it.
    is_reported: bool,
}

/// The service's state, shared by all connections.
#[derive(Debug)]
pub struct Service {
    inner: Mutex<Inner>,
    gate: Gate,
    validation: Validation,
    journal: Arc<Journal>,
    stages: Stages,
}

#[derive(Debug)]
struct Inner {
    life: Life,
    /// What the upstream was found by; kept while checks are missing.
    found: Option<Evidence>,
    /// When it began to start; a failure on the way is a part of the start.
    starts: Instant,
    fall: Fall,
    publisher: Publisher,
    /// When the published state last changed.
    published: Instant,
    start: Start,
    /// The evidence of the last readiness, and when it was.
    last_ready: Option<(Evidence, Instant)>,
}

/// What can be told of the service at one moment.
#[derive(Clone, Debug)]
pub struct Picture {
    /// How long its state has been what it is.
    pub unchanged_for: Duration,
    /// How its start went.
    pub startup: Timeline,
    /// The evidence by which it was ready last.
    pub evidence: Option<Evidence>,
    /// Open tunnels.
    pub tunnels: usize,
}

impl Service {
    /// A service that is starting, goes through these phases, and needs what `validation` checks.
    pub fn new(
        gate: Gate,
        publisher: Publisher,
        journal: Arc<Journal>,
        validation: Validation,
        phases: Phases,
    ) -> Self {
        let now = Instant::now();
        publisher.publish(State::Initializing);
        let inner = Inner {
            life: Life::Starting,
            found: None,
            starts: now,
            fall: Fall::default(),
            publisher,
            published: now,
            start: Start::new(phases, now),
            last_ready: None,
        };
        Self { inner: Mutex::new(inner), gate, validation, journal, stages: Stages::default() }
    }

    /// It was started, or is about to be probed.
    pub fn started(&self, now: Instant) {
        self.change(|inner| {
            inner.start.begins();
            self.weigh(inner, now);
        });
    }

    /// It was found by this evidence: ready, if no check is missing.
    pub fn found(&self, evidence: Evidence, now: Instant) {
        self.change(|inner| {
            let is_news = inner.found.is_none();
            if !inner.may_get_ready() {
                return;
            }
            inner.found = Some(evidence);
            inner.start.begins();
            self.weigh(inner, now);
            if is_news && inner.may_get_ready() {
                self.journal.awaits_checks(&self.validation.board());
            }
        });
    }

    /// It was found, but it is not there any more, and checks were still missing.
    pub fn unfound(&self, why: &str) {
        self.change(|inner| {
            if inner.may_get_ready() && inner.found.take().is_some() {
                self.journal.went(why);
            }
        });
    }

    /// Checks may have changed their opinion, by a try or by time.
    pub fn look(&self, now: Instant) {
        self.change(|inner| self.weigh(inner, now));
    }

    /// A hand-over survived. If the gate released its queue for it, the service is grown: a
    /// survivor of an earlier life proves nothing of this one.
    pub fn survived(&self, permit: Permit, now: Instant) {
        self.change(|inner| {
            let held = self.gate.counts().held;
            if permit.settled()
                && let Life::Ready(youth, _) = &mut inner.life
            {
                *youth = Youth::Grown;
                inner.start.comes_to(Phase::COMPLETE, now);
                self.journal.survived(held);
            }
        });
    }

    /// It does not take connections any more: clients are held until it is ready again.
    pub fn lost(&self, why: &str, now: Instant) {
        self.change(|inner| {
            if matches!(inner.life, Life::Ready(..)) {
                self.journal.lost(why);
                self.start_anew(inner, now);
            }
        });
    }

    /// It starts anew, after a failure or a restart.
    pub fn restarting(&self, now: Instant) {
        self.change(|inner| {
            if inner.life != Life::Draining {
                self.start_anew(inner, now);
            }
        });
    }

    /// It will not get ready: everyone is refused with the reason.
    pub fn failed(&self, failure: &Failure, now: Instant) {
        let failed = Failed { to_clients: failure.clone(), is_reported: false };
        self.change(|inner| self.fails(inner, failure, failed, now));
    }

    /// It was not ready in time: everyone is refused, but hears less of the reason than an operator. If it got
    /// ready at the last moment, that stands.
    pub fn failed_quietly(&self, failure: &Failure, to_clients: &Failure, now: Instant) {
        let failed = Failed { to_clients: to_clients.clone(), is_reported: false };
        self.change(|inner| {
            if inner.may_get_ready() {
                self.fails(inner, failure, failed, now);
            }
        });
    }

    /// The service says this of its start.
    ///
    /// # Errors
    ///
    /// Why it changes nothing; the log has said it, once for each report of a start.
    pub fn reports(&self, report: &Report, now: Instant) -> Result<(), NotTaken> {
        self.change(|inner| {
            let taken = self.takes(inner, report, now);
            let (Report::Phase(said) | Report::Failed(said)) = report;
            if let Err(why) = taken
                && inner.start.is_news(said)
            {
                self.journal.report_not_taken(report, why);
            }
            taken
        })
    }

    /// Readiness ends; newcomers are still admitted until [`Self::refuse_draining`].
    pub fn lame_duck(&self) {
        self.change(|inner| self.publish(inner, State::Draining, Instant::now()));
    }

    /// Newcomers and held clients are refused from now on.
    pub fn refuse_draining(&self, now: Instant) {
        self.change(|inner| {
            inner.life = Life::Draining;
            self.publish(inner, State::Draining, now);
            self.take_stance(inner);
        });
    }

    /// How far evidence and checks have come.
    pub fn stage(&self) -> Stage {
        self.stages.now()
    }

    /// Resolves with the next stage that is not `past`, which may be the present one.
    pub async fn beyond(&self, past: Stage) -> Stage {
        self.stages.beyond(past).await
    }

    /// Resolves when it is not ready, or no more: probing must begin again.
    pub async fn until_lost(&self) {
        self.stages.beyond(Stage::Ready).await;
    }

    /// The window that the next hand-over must survive; `None` when it need not.
    pub fn settle(&self, settle: Duration) -> Option<Duration> {
        match self.lock().life {
            Life::Ready(youth, _) => youth.settle(settle),
            // Admitted just before readiness went: as careful as can be.
            Life::Starting | Life::Failed(_) | Life::Draining => Some(settle),
        }
    }

    /// How long ago it got ready, for a client that arrived before that.
    pub fn lag(&self, arrived: Instant, now: Instant) -> Option<Duration> {
        let (_, ready) = self.lock().last_ready?;
        (arrived < ready).then(|| now.saturating_duration_since(ready))
    }

    /// When it got ready last.
    pub fn last_ready(&self) -> Option<Instant> {
        self.lock().last_ready.map(|(_, at)| at)
    }

    /// Whether it has ever been ready.
    pub fn has_been_ready(&self) -> bool {
        self.last_ready().is_some()
    }

    /// Open tunnels.
    pub fn tunnels(&self) -> usize {
        self.lock().fall.open()
    }

    /// What can be told of it now.
    pub fn picture(&self, now: Instant) -> Picture {
        let inner = self.lock();
        Picture {
            unchanged_for: now.saturating_duration_since(inner.published),
            startup: inner.start.timeline().clone(),
            evidence: inner.last_ready.map(|(evidence, _)| evidence),
            tunnels: inner.fall.open(),
        }
    }

    /// A tunnel began.
    pub fn tunnel_began(&self) {
        self.lock().fall.began();
    }

    /// A tunnel ended, and whether the upstream dropped it without a goodbye.
    pub fn tunnel_ended(&self, dropped: bool) {
        self.change(|inner| {
            if inner.fall.ended(dropped)
                && let Life::Ready(youth @ Youth::Grown, _) = &mut inner.life
            {
                *youth = Youth::Young(Evidence::Connected);
                self.journal.fell();
                self.take_stance(inner);
            }
        });
    }

    fn change<T>(&self, act: impl FnOnce(&mut Inner) -> T) -> T {
        let mut inner = self.lock();
        let done = act(&mut inner);
        self.stages.tell(inner.stage());
        done
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
