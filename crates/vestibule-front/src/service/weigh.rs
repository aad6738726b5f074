//! What follows from evidence, checks and reports together.
//!
//! Owns the steps between the lives of a service. Must never ask a clock or a check.

use tokio::time::Instant;
use vestibule::check::Group;
use vestibule::gate::{Refusal, Stance};
use vestibule::readiness::{Failure, State};
use vestibule::startup::Phase;
use vestibule::validation::{Board, Opinion};

use super::{Bar, Failed, Inner, Life, NotTaken, Report, Service, Stage};
use crate::upstream::probe::Evidence;
use crate::upstream::scout::Youth;

impl Service {
    /// Lets follow what follows from the checks as they are now.
    pub(super) fn weigh(&self, inner: &mut Inner, now: Instant) {
        match (&inner.life, inner.found) {
            (Life::Starting | Life::Failed(Failed { is_reported: false, .. }), found) => {
                match (self.validation.opinion(now), found) {
                    (Opinion::Ready { .. }, Some(evidence)) => {
                        self.gets_ready(inner, evidence, now);
                    }
                    (Opinion::Waiting { passed }, _) => self.comes_nearer(inner, passed, now),
                    (_, _) => self.comes_nearer(inner, Group::ALL.last().copied(), now),
                }
            }
            (Life::Ready(..), _) => self.bars(inner, now),
            (Life::Failed(_) | Life::Draining, _) => {}
        }
    }

    /// The way of a report.
    pub(super) fn takes(
        &self,
        inner: &mut Inner,
        report: &Report,
        now: Instant,
    ) -> Result<(), NotTaken> {
        let has_failed = matches!(inner.life, Life::Failed(Failed { is_reported: true, .. }));
        match report {
            Report::Phase(name) if has_failed && inner.start.is_first(name) => {
                self.start_anew(inner, now);
                inner.start.is_told(name, now).map(drop)
            }
            _ if has_failed => Err(NotTaken::Latched),
            Report::Phase(name) => {
                if inner.start.is_told(name, now)? {
                    self.journal.phase(inner.start.timeline().current());
                }
                Ok(())
            }
            Report::Failed(reason) if inner.may_get_ready() => {
                let failure = Failure::new(format!("the service says: {reason}"));
                let to_clients = Failure::new("the service says that its start failed");
                let failed = Failed { to_clients, is_reported: true };
                self.fails(inner, &failure, failed, now);
                Ok(())
            }
            Report::Failed(_) => Err(NotTaken::Over),
        }
    }

    pub(super) fn fails(&self, inner: &mut Inner, failure: &Failure, failed: Failed, now: Instant) {
        if inner.life != Life::Draining {
            inner.life = Life::Failed(failed);
            inner.start.fails(failure.reason(), now);
            self.journal.failed(failure, self.gate.counts().held);
            self.publish(inner, State::Failed(failure.clone()), now);
            self.take_stance(inner);
        }
    }

    pub(super) fn start_anew(&self, inner: &mut Inner, now: Instant) {
        (inner.life, inner.found, inner.starts) = (Life::Starting, None, now);
        inner.start.anew(now);
        self.validation.begin_again();
        self.publish(inner, State::Initializing, now);
        self.take_stance(inner);
    }

    /// Evidence and checks are there: scouts go first.
    fn gets_ready(&self, inner: &mut Inner, evidence: Evidence, now: Instant) {
        let (after, held) = (now - inner.starts, self.gate.counts().held);
        inner.life = Life::Ready(Youth::Young(evidence), Bar::None);
        inner.last_ready = Some((evidence, now));
        // Were it not complete with nobody held, a platform that routes clients only after that would wait for ever.
        inner.start.comes_to(if held > 0 { Phase::WEBSOCKET } else { Phase::COMPLETE }, now);
        self.validation.ready();
        self.journal.ready(after, held);
        self.publish(inner, State::WebsocketReady, now);
        self.take_stance(inner);
        self.bars(inner, now);
    }

    /// Something is missing; the checks up to `passed` are not.
    fn comes_nearer(&self, inner: &mut Inner, passed: Option<Group>, now: Instant) {
        let dependencies_passed = passed >= Some(Group::Dependencies);
        let phase = if dependencies_passed { Phase::SERVICES } else { Phase::DEPENDENCIES };
        if inner.life == Life::Starting {
            inner.start.comes_to(phase, now);
            self.publish(inner, rung(&self.validation.board(), passed), now);
        }
    }

    /// Ready: the checks that gate always may still bar newcomers, and let them go again.
    fn bars(&self, inner: &mut Inner, now: Instant) {
        let opinion = self.validation.opinion(now);
        let group = |by: &str| {
            below(
                self.validation
                    .board()
                    .standings()
                    .iter()
                    .find(|one| &*one.spec.name == by)?
                    .spec
                    .group,
            )
        };
        let bar = match &opinion {
            Opinion::Hold { by } => Bar::Hold(group(by)),
            Opinion::Refuse { by } => Bar::Refuse(group(by)),
            Opinion::Ready { .. } | Opinion::Waiting { .. } => Bar::None,
        };
        let Life::Ready(_, known) = &mut inner.life else { return };
        if *known == bar {
            return;
        }
        *known = bar.clone();
        self.journal.barred(&opinion, self.gate.counts().held);
        let state = match bar {
            Bar::None => State::WebsocketReady,
            Bar::Hold(passed) | Bar::Refuse(passed) => rung(&self.validation.board(), passed),
        };
        self.publish(inner, state, now);
        self.take_stance(inner);
    }

    pub(super) fn take_stance(&self, inner: &Inner) {
        self.gate.take_stance(match &inner.life {
            Life::Starting | Life::Ready(_, Bar::Hold(_)) => Stance::Hold,
            Life::Ready(_, Bar::Refuse(_)) => Stance::Refuse(Refusal::BreakerOpen),
            Life::Ready(Youth::Young(_), Bar::None) => Stance::Scout,
            Life::Ready(Youth::Grown, Bar::None) => Stance::Admit,
            Life::Failed(failed) => Stance::Refuse(Refusal::Failed(failed.to_clients.clone())),
            Life::Draining => Stance::Refuse(Refusal::Draining),
        });
    }

    /// Behind the first word of our leaving comes no other: what happens to the service in the lame duck's time
    /// must not call clients back.
    pub(super) fn publish(&self, inner: &mut Inner, state: State, now: Instant) {
        let known = inner.publisher.state();
        if known == state || known == State::Draining {
            return;
        }
        inner.published = now;
        self.journal.state(&state);
        inner.publisher.publish(state);
    }
}

impl Inner {
    /// Whether evidence and checks make it ready.
    pub(super) const fn may_get_ready(&self) -> bool {
        matches!(self.life, Life::Starting | Life::Failed(Failed { is_reported: false, .. }))
    }

    pub(super) const fn stage(&self) -> Stage {
        match &self.life {
            Life::Draining => Stage::Leaving,
            Life::Ready(..) => Stage::Ready,
            Life::Failed(Failed { is_reported: true, .. }) => Stage::Broken,
            Life::Starting | Life::Failed(_) if self.found.is_some() => Stage::Found,
            Life::Starting | Life::Failed(_) => Stage::Sought,
        }
    }
}

/// The state short of ready, where the checks up to `passed` are well: what nobody checks is not said to be.
fn rung(board: &Board, passed: Option<Group>) -> State {
    let checks = |group| board.asks_for(group);
    if passed >= Some(Group::Services) && (checks(Group::Services) || checks(Group::Integration)) {
        State::ServicesReady
    } else if passed >= Some(Group::Dependencies) && checks(Group::Dependencies) {
        State::DependenciesReady
    } else {
        State::Initializing
    }
}

/// The group before this one.
fn below(group: Group) -> Option<Group> {
    Group::ALL.into_iter().take_while(|one| *one < group).last()
}
