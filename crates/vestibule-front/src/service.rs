//! What the service behind is doing, as far as we saw.
//!
//! Owns the one state from which the gate's stance and readiness follow. Must never probe,
//! dial or supervise: others see, and tell it here.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use vestibule::gate::{Gate, Permit, Refusal, Stance};
use vestibule::readiness::{Failure, Publisher, State};

use crate::journal::millis;
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
    lost: Notify,
}

#[derive(Debug)]
struct Inner {
    life: Life,
    since: Instant,
    fall: Fall,
    publisher: Publisher,
}

impl Service {
    /// A service that is starting.
    pub fn new(gate: Gate, publisher: Publisher, now: Instant) -> Self {
        publisher.publish(State::Initializing);
        let inner = Inner { life: Life::Starting, since: now, fall: Fall::default(), publisher };
        Self { inner: Mutex::new(inner), gate, lost: Notify::new() }
    }

    /// It was found ready: scouts go first.
    pub fn ready(&self, evidence: Evidence, now: Instant) {
        let mut inner = self.lock();
        if !matches!(inner.life, Life::Starting | Life::Failed(_)) {
            return;
        }
        let after = now - inner.since;
        inner.become_(Life::Ready(Youth::Young(evidence)), now);
        inner.publisher.publish(State::WebsocketReady);
        tracing::info!(after_ms = millis(after), held = self.gate.counts().held, "ready");
        self.gate.take_stance(Stance::Scout);
    }

    /// A hand-over survived. If the gate released its queue for it, the service is grown: a
    /// survivor of an earlier life proves nothing of this one.
    pub fn survived(&self, permit: Permit, now: Instant) {
        let mut inner = self.lock();
        let held = self.gate.counts().held;
        if permit.settled() {
            inner.become_(Life::Ready(Youth::Grown), now);
            tracing::info!(held, "first hand-over settled: releasing");
        }
    }

    /// It does not take connections any more: clients are held until it is ready again.
    pub fn lost(&self, why: &str, now: Instant) {
        let mut inner = self.lock();
        if matches!(inner.life, Life::Ready(_)) {
            inner.become_(Life::Starting, now);
            inner.publisher.publish(State::Initializing);
            tracing::warn!(why, "not ready any more: holding");
            self.gate.take_stance(Stance::Hold);
            self.lost.notify_one();
        }
    }

    /// It starts anew, after a failure or a restart.
    pub fn restarting(&self, now: Instant) {
        let mut inner = self.lock();
        if inner.life != Life::Draining {
            inner.become_(Life::Starting, now);
            inner.publisher.publish(State::Initializing);
            self.gate.take_stance(Stance::Hold);
        }
    }

    /// It will not get ready: everyone is refused with the reason.
    pub fn failed(&self, failure: &Failure, now: Instant) {
        let mut inner = self.lock();
        if inner.life != Life::Draining {
            inner.become_(Life::Failed(failure.clone()), now);
            inner.publisher.publish(State::Failed(failure.clone()));
            tracing::error!(reason = %failure, held = self.gate.counts().held, "failed: refusing");
            self.gate.take_stance(Stance::Refuse(Refusal::Failed(failure.clone())));
        }
    }

    /// Readiness ends; newcomers are still admitted until [`Self::refuse_draining`].
    pub fn lame_duck(&self) {
        self.lock().publisher.publish(State::Draining);
    }

    /// Newcomers and held clients are refused from now on.
    pub fn refuse_draining(&self, now: Instant) {
        let mut inner = self.lock();
        inner.become_(Life::Draining, now);
        inner.publisher.publish(State::Draining);
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

    /// A tunnel began.
    pub fn tunnel_began(&self) {
        self.lock().fall.began();
    }

    /// A tunnel ended, and whether the upstream dropped it without a goodbye.
    pub fn tunnel_ended(&self, dropped: bool, now: Instant) {
        let mut inner = self.lock();
        if inner.fall.ended(dropped) && inner.life == Life::Ready(Youth::Grown) {
            inner.become_(Life::Ready(Youth::Young(Evidence::Connected)), now);
            tracing::warn!("the last tunnel was dropped by the service: scouts go first again");
            self.gate.take_stance(Stance::Scout);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn become_(&mut self, life: Life, now: Instant) {
        self.life = life;
        self.since = now;
    }
}
