//! What all connections share.
//!
//! Owns the settings and the rooms' handles, put together once. Must never accept, serve or
//! decide: it is passed around.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::time::Instant;
use vestibule::check::{Criticality, Gating, Spec};
use vestibule::environment::{Name, Platform};
use vestibule::gate::{Gate, Limits};
use vestibule::readiness;
use vestibule::startup::Phases;
use vestibule::timeouts::{self, CLIENT_CLOCK_MARGIN, CLIENT_CLOCK_MARGIN_QUEUED, Factors};
use vestibule::validation::Validation;

use crate::drain::Drain;
use crate::farewell::Style;
use crate::head::HeadLimits;
use crate::head::forwarded::Trust;
use crate::journal::Journal;
use crate::service::Service;
use crate::stream::placed::Places;
use crate::tunnel::close::CloseCode;
use crate::upstream::ahead::Ahead;
use crate::upstream::dial::Dial;
use crate::upstream::pool::Pool;
use crate::upstream::requests::Requests;
use crate::upstream::settle::StatusRules;
use crate::upstream::shortage::Said;

/// Clients accepted this soon after the start of an instance were waiting for it.
const QUEUED_WITHIN: Duration = Duration::from_secs(1);
/// How much more of their own clock has passed than of those that come later.
const QUEUED_EXTRA: Duration = CLIENT_CLOCK_MARGIN_QUEUED.saturating_sub(CLIENT_CLOCK_MARGIN);

/// Everything about the front that a user can set. All of it is validated.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Bounds of a request's head.
    pub head: HeadLimits,
    /// From accept, or from a later head's first byte, to the head's end.
    pub head_timeout: Duration,
    /// How long a client's connection may stay idle between requests.
    pub client_idle: Duration,
    /// How long a client may be held.
    pub hold: Duration,
    /// After this long the platform ends a request, a WebSocket included.
    pub request_timeout: Option<Duration>,
    /// The platform queues clients before it routes them: those that arrive first have waited.
    pub platform_queues: bool,
    /// Bounds of the gate.
    pub limits: Limits,
    /// Connections dialled ahead at most.
    pub dial_ahead: usize,
    /// How many public connections may be open; more wait in the kernel.
    pub connections_max: usize,
    /// How long a first hand-over must survive.
    pub settle: Duration,
    /// The first try's time while the service is young.
    pub try_timeout: Duration,
    /// Which statuses count as "not now".
    pub status_rules: StatusRules,
    /// How handshakes are refused.
    pub refusal: Style,
    /// Path that we answer ourselves: 503 before readiness, 200 after.
    pub public_health: Option<String>,
    /// Path of the service's own readiness.
    pub ready_path: Option<String>,
    /// Whose forwarded fields are believed.
    pub trust: Trust,
    /// Close code of a drain.
    pub drain_code: CloseCode,
    /// Close reason of a drain.
    pub drain_reason: String,
    /// How long starting and leaving may take.
    pub patience: Patience,
    /// The phases that a start goes through.
    pub phases: Phases,
}

/// How long starting and leaving may take. Read when a start or a drain begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// From start to readiness.
    pub startup: Duration,
    /// From SIGTERM to the first refusal.
    pub lame_duck: Duration,
    /// From there to the child's end.
    pub drain: Duration,
    /// The part of `drain` that is the child's own.
    pub child_grace: Duration,
}

/// What all connections share.
pub struct Shared<D: Dial> {
    settings: ArcSwap<Settings>,
    /// The way to the upstream.
    pub dial: Ahead<D>,
    /// Holds, admits, refuses.
    pub gate: Gate,
    /// What the service behind is doing.
    pub service: Service,
    /// Its readiness, as anyone may follow it.
    pub readiness: readiness::Watch,
    /// The order of leaving.
    pub drain: Drain,
    /// Idle connections for plain requests.
    pub pool: Pool,
    /// Every request that was sent to the upstream, counted before its first byte.
    pub upstream_requests: Requests,
    /// What we lacked, and when that was said.
    pub shortages: Said,
    /// Who may be connected, and how many are.
    pub places: Places,
    /// What the service needs, and what was seen of it.
    pub validation: Validation,
    /// Whether a check may bar newcomers after the first ready.
    gates_always: bool,
    /// Where everything is told.
    pub journal: Arc<Journal>,
    /// When we began to listen.
    started: Instant,
}

impl<D: Dial> Shared<D> {
    /// A front before a service that is starting, and needs nothing.
    pub fn new(settings: Settings, dial: D) -> Arc<Self> {
        let factors = Factors::derive(Name::Local, Platform::LocalHost);
        Self::checked(settings, dial, Validation::new(Vec::new(), factors))
    }

    /// A front before a service that is starting, and is not ready before `validation` says so.
    pub fn checked(settings: Settings, dial: D, validation: Validation) -> Arc<Self> {
        let gate = Gate::new(settings.limits.clone());
        let (publisher, readiness) = readiness::channel("front");
        let journal = Arc::<Journal>::default();
        let (checks, phases) = (validation.clone(), settings.phases.clone());
        let service = Service::new(gate.clone(), publisher, Arc::clone(&journal), checks, phases);
        let gates_always = validation.board().standings().iter().any(|one| {
            let Spec { criticality, gating, .. } = *one.spec;
            (criticality, gating) == (Criticality::Critical, Gating::Always)
        });
        let (drain, pool) = (Drain::default(), Pool::default());
        let started = Instant::now();
        let dial = Ahead::new(dial, settings.dial_ahead);
        let places = Places::new(settings.connections_max);
        let settings = ArcSwap::from_pointee(settings);
        let upstream_requests = Requests::default();
        Arc::new(Self {
            settings,
            dial,
            gate,
            service,
            readiness,
            drain,
            pool,
            places,
            upstream_requests,
            shortages: Said::default(),
            validation,
            gates_always,
            journal,
            started,
        })
    }

    /// What the user set, as it is now. A picture: whoever must not be overtaken by a
    /// [`Self::reload`] halfway keeps the one it began with.
    pub fn settings(&self) -> Arc<Settings> {
        self.settings.load_full()
    }

    /// Lets other settings be in force for all that comes from now on. Those already held keep
    /// their places and deadlines, tunnels keep all. Three things stay as they were at the start: the
    /// number of connections, the path by which readiness is learnt, and the list of phases.
    pub fn reload(&self, settings: Settings) {
        self.gate.set_limits(settings.limits.clone());
        self.dial.set_most(settings.dial_ahead);
        let at_start = self.settings();
        self.settings.store(Arc::new(Settings {
            connections_max: at_start.connections_max,
            ready_path: at_start.ready_path.clone(),
            phases: at_start.phases.clone(),
            ..settings
        }));
    }

    /// A client is about to ask the gate: nobody is admitted on what was seen too long ago.
    pub fn arrives(&self, now: Instant) {
        if self.gates_always {
            self.validation.arrival(now);
            self.service.look(now);
        }
    }

    /// When we began.
    pub const fn started(&self) -> Instant {
        self.started
    }

    /// Until when a client that arrived at `arrived` may be held.
    pub fn hold_deadline(&self, arrived: Instant, client_clock: Option<Duration>) -> Instant {
        let Settings { hold, request_timeout, platform_queues, .. } =
            *self.settings.load().as_ref();
        let was_queued = platform_queues && arrived - self.started < QUEUED_WITHIN;
        let waited = if was_queued { QUEUED_EXTRA } else { Duration::ZERO };
        let client_clock = client_clock.map(|clock| clock.saturating_sub(waited));
        timeouts::hold_deadline(arrived, hold, request_timeout, client_clock)
    }
}
