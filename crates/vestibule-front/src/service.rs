//! What the service behind is doing, as far as we saw.
//!
//! Owns the one state from which the gate's stance and readiness follow. Must never probe,
//! dial or supervise: others see, and tell it here.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use vestibule::gate::{Gate, Permit, Refusal, Stance};
use vestibule::readiness::{Failure, Publisher, State};
use vestibule::startup::{Phase, Phases, Timeline};

use crate::journal::Journal;
use crate::upstream::probe::Evidence;
use crate::upstream::scout::{Fall, Youth};

/// The service's life, as the door sees it.
#[derive(Clone, Debug, PartialEq)]
enum Life {
    /// Not ready yet, or no more: clients are held.
    Starting,
    /// Ready.
    Ready(Youth),
    /// It will not get ready: clients are refused with this.
    Failed(Failure),
    /// We are on our way out: clients are refused.
    Draining,
}

/// The service's state, shared by all connections.
#[derive(Debug)]
pub struct Service {
    inner: Mutex<Inner>,
    gate: Gate,
    journal: Arc<Journal>,
    lost: Notify,
}

#[derive(Debug)]
struct Inner {
    life: Life,
    /// When it began to start; a failure on the way is a part of the start.
    starts: Instant,
    fall: Fall,
    publisher: Publisher,
    /// When the published state last changed.
    published: Instant,
    startup: Timeline,
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
    /// A service that is starting.
    pub fn new(gate: Gate, publisher: Publisher, journal: Arc<Journal>, now: Instant) -> Self {
        publisher.publish(State::Initializing);
        let inner = Inner {
            life: Life::Starting,
            starts: now,
            fall: Fall::default(),
            publisher,
            published: now,
            startup: Timeline::new(phases(), now),
            last_ready: None,
        };
        Self { inner: Mutex::new(inner), gate, journal, lost: Notify::new() }
    }

    /// It was started, or is about to be probed.
    pub fn started(&self, now: Instant) {
        self.lock().reach(Phase::SERVICES, now);
    }

    /// It was found ready: scouts go first.
    pub fn ready(&self, evidence: Evidence, now: Instant) {
        let mut inner = self.lock();
        if !matches!(inner.life, Life::Starting | Life::Failed(_)) {
            return;
        }
        let (after, held) = (now - inner.starts, self.gate.counts().held);
        inner.life = Life::Ready(Youth::Young(evidence));
        inner.last_ready = Some((evidence, now));
        inner.reach(if held > 0 { Phase::WEBSOCKET } else { Phase::COMPLETE }, now);
        self.journal.ready(after, held);
        self.publish(&mut inner, State::WebsocketReady, now);
        self.gate.take_stance(Stance::Scout);
    }

    /// A hand-over survived. If the gate released its queue for it, the service is grown: a
    /// survivor of an earlier life proves nothing of this one.
    pub fn survived(&self, permit: Permit, now: Instant) {
        let mut inner = self.lock();
        let held = self.gate.counts().held;
        if permit.settled() {
            inner.life = Life::Ready(Youth::Grown);
            inner.reach(Phase::COMPLETE, now);
            self.journal.survived(held);
        }
    }

    /// It does not take connections any more: clients are held until it is ready again.
    pub fn lost(&self, why: &str, now: Instant) {
        let mut inner = self.lock();
        if matches!(inner.life, Life::Ready(_)) {
            self.journal.lost(why);
            self.start_anew(&mut inner, now);
            self.gate.take_stance(Stance::Hold);
            self.lost.notify_one();
        }
    }

    /// It starts anew, after a failure or a restart.
    pub fn restarting(&self, now: Instant) {
        let mut inner = self.lock();
        if inner.life != Life::Draining {
            self.start_anew(&mut inner, now);
            self.gate.take_stance(Stance::Hold);
        }
    }

    /// It will not get ready: everyone is refused with the reason.
    pub fn failed(&self, failure: &Failure, now: Instant) {
        let mut inner = self.lock();
        if inner.life != Life::Draining {
            inner.life = Life::Failed(failure.clone());
            // What was complete stays so: then it is the service that failed, not its start.
            let _ = inner.startup.fail(failure.reason(), now);
            self.journal.failed(failure, self.gate.counts().held);
            self.publish(&mut inner, State::Failed(failure.clone()), now);
            self.gate.take_stance(Stance::Refuse(Refusal::Failed(failure.clone())));
        }
    }

    /// Readiness ends; newcomers are still admitted until [`Self::refuse_draining`].
    pub fn lame_duck(&self) {
        self.publish(&mut self.lock(), State::Draining, Instant::now());
    }

    /// Newcomers and held clients are refused from now on.
    pub fn refuse_draining(&self, now: Instant) {
        let mut inner = self.lock();
        inner.life = Life::Draining;
        self.publish(&mut inner, State::Draining, now);
        self.gate.take_stance(Stance::Refuse(Refusal::Draining));
    }

    /// Resolves when [`Self::lost`] took readiness away: probing must begin again. News of an
    /// earlier life does not count.
    pub async fn until_lost(&self) {
        while matches!(self.lock().life, Life::Ready(_)) {
            self.lost.notified().await;
        }
    }

    /// The window that the next hand-over must survive; `None` when it need not.
    pub fn settle(&self, settle: Duration) -> Option<Duration> {
        match self.lock().life {
            Life::Ready(youth) => youth.settle(settle),
            // Admitted just before readiness went: as careful as can be.
            Life::Starting | Life::Failed(_) | Life::Draining => Some(settle),
        }
    }

    /// How long ago it got ready, for a client that arrived before that.
    pub fn lag(&self, arrived: Instant, now: Instant) -> Option<Duration> {
        let (_, ready) = self.lock().last_ready?;
        (arrived < ready).then(|| now.saturating_duration_since(ready))
    }

    /// Whether it has ever been ready.
    pub fn has_been_ready(&self) -> bool {
        self.lock().last_ready.is_some()
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
            startup: inner.startup.clone(),
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
        let mut inner = self.lock();
        if inner.fall.ended(dropped) && inner.life == Life::Ready(Youth::Grown) {
            inner.life = Life::Ready(Youth::Young(Evidence::Connected));
            self.journal.fell();
            self.gate.take_stance(Stance::Scout);
        }
    }

    fn start_anew(&self, inner: &mut Inner, now: Instant) {
        inner.life = Life::Starting;
        inner.starts = now;
        inner.startup.restart(now);
        self.publish(inner, State::Initializing, now);
    }

    /// Behind the first word of our leaving comes no other: what happens to the service in the lame duck's time
    /// must not call clients back.
    fn publish(&self, inner: &mut Inner, state: State, now: Instant) {
        let known = inner.publisher.state();
        if known == state || known == State::Draining {
            return;
        }
        inner.published = now;
        self.journal.state(&state);
        inner.publisher.publish(state);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The phases of a start, as the front sees it: `init`, until the service is started or probed for the
/// first time; `services`, until it is ready by evidence; `websocket`, while scouts are out for those
/// held; `complete` once a hand-over survived, or at readiness if nobody was held. Were the last not
/// so, a platform that routes clients only after the start is complete would wait for ever.
fn phases() -> Phases {
    Phases::new([Phase::INIT, Phase::SERVICES, Phase::WEBSOCKET])
}

impl Inner {
    /// Goes forward; a start that failed and is seen to go on has recovered, which is another one.
    fn reach(&mut self, phase: Phase, now: Instant) {
        if self.startup.failure().is_some() {
            self.startup.restart(now);
        }
        // A phase that lies behind says nothing new.
        let _ = self.startup.enter(phase, now);
    }
}

#[cfg(test)]
mod tests;
