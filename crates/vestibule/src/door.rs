//! The guarantees inside a Rust service's own process.
//!
//! Owns the join of what this library has: where we run decides how patient to be, a startup decides
//! readiness together with the checks, readiness decides the gate's stance, and the gate holds in a layer. Must
//! never listen, and must never admit anybody before the startup is complete and every critical check has passed.

mod keeper;
mod run;
mod settings;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::watch;
use tokio::time::Instant;

use crate::check::{Gating, Group};
use crate::connection::Expectation;
use crate::environment::Process;
use crate::gate::{Gate, Refusal, Stance};
use crate::layer::{HoldLayer, Porter};
use crate::readiness::{self, State};
use crate::startup::{self, Phase};
use crate::validation::{Opinion, Validation};

use self::keeper::Keeper;

pub use self::settings::Settings;

/// Why a startup failed, in the service's own words. They go to the log and to whoever asks the door; no client
/// sees them.
pub type StartupError = Box<dyn std::error::Error + Send + Sync>;

/// The door of a service that starts behind it. Clones are handles to the same one.
///
/// ```
/// use vestibule::Door;
/// use vestibule::startup::Phase;
///
/// # async fn open_pool() -> Result<(), vestibule::StartupError> { Ok(()) }
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// let door = Door::start(async |startup| {
///     startup.enter(Phase::DATABASE)?;
///     open_pool().await?;
///     Ok(())
/// });
/// # let soon = tokio::time::Instant::now() + std::time::Duration::from_secs(1);
/// # door.readiness().wait_ready(soon).await.unwrap();
/// # assert!(door.timeline().is_complete());
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Door {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    settings: Settings,
    gate: Gate,
    /// Whether reads are cut at the end of a head: as long as the gate holds.
    expects: Expectation,
    startup: startup::Publisher,
    validation: Validation,
    /// The startup's work says that it is complete, before it ends.
    said_complete: watch::Sender<bool>,
    keeper: OnceLock<Keeper>,
    /// Whoever changes the state holds this lock until the gate has followed.
    readiness: Mutex<readiness::Publisher>,
}

/// What a startup does with its phases. Handed to the startup that [`Door::start`] runs.
#[derive(Debug)]
pub struct Startup {
    inner: Arc<Inner>,
}

/// A door recovers only from a failure.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nothing to recover from: the service is {state}")]
pub struct NothingFailed {
    /// What the service is.
    pub state: State,
}

impl Door {
    /// Begins to start the service, with the patience that this process's environment asks for.
    ///
    /// `startup` runs as a task of its own, beside the checks, and both at most for the startup budget. Its `Ok`
    /// completes the start once every critical check has passed, and its `Err`, a panic or the end of the budget
    /// fails it. Must be called inside a tokio runtime.
    pub fn start<F, Fut>(startup: F) -> Self
    where
        F: FnOnce(Startup) -> Fut,
        Fut: Future<Output = Result<(), StartupError>> + Send + 'static,
    {
        Self::start_with(Settings::detect(&Process), startup)
    }

    /// The same with settings of the service's own.
    pub fn start_with<F, Fut>(settings: Settings, startup: F) -> Self
    where
        F: FnOnce(Startup) -> Fut,
        Fut: Future<Output = Result<(), StartupError>> + Send + 'static,
    {
        let (publisher, _watch) = startup::channel("the startup", settings.phases.clone());
        let (readiness, _watch) = readiness::channel("the door");
        let inner = Arc::new(Inner {
            gate: Gate::new(settings.limits.clone()),
            expects: Expectation::default(),
            startup: publisher,
            validation: Validation::new(settings.checks.clone(), settings.factors.clone()),
            said_complete: watch::Sender::new(false),
            keeper: OnceLock::new(),
            readiness: Mutex::new(readiness),
            settings,
        });
        if !inner.settings.checks.is_empty() {
            // Ends with the door, which owns it.
            inner.keeper.get_or_init(|| Keeper(tokio::spawn(keeper::tend(&inner))));
        }
        let door = Self { inner };
        door.spawn(startup);
        door
    }

    /// The layer that holds handshakes until the startup is complete. It keeps the door alive.
    #[must_use]
    pub fn layer(&self) -> HoldLayer {
        let settings = &self.inner.settings;
        let layer = HoldLayer::new(self.inner.gate.clone(), settings.hold);
        let layer = match settings.request_timeout {
            Some(timeout) => layer.request_timeout(timeout),
            None => layer,
        };
        let porter: Arc<dyn Porter> = Arc::<Inner>::clone(&self.inner);
        layer.behind(porter, self.inner.expects.clone())
    }

    /// Follows whether new traffic may come: not while a check that gates always bars it.
    #[must_use]
    pub fn readiness(&self) -> readiness::Watch {
        self.inner.lock().watch()
    }

    /// Follows the phases of the start.
    #[must_use]
    pub fn startup(&self) -> startup::Watch {
        self.inner.startup.watch()
    }

    /// The phases of the start, as they are now.
    #[must_use]
    pub fn timeline(&self) -> startup::Timeline {
        self.inner.startup.timeline()
    }

    /// The checks, and what was seen of them: what of a ready service is degraded, for one.
    #[must_use]
    pub fn validation(&self) -> &Validation {
        &self.inner.validation
    }

    /// The gate behind the layer, for its counts.
    #[must_use]
    pub fn gate(&self) -> &Gate {
        &self.inner.gate
    }

    /// The service goes away: newcomers and those held are refused from now on, and nothing takes it back.
    /// What is served already is not touched.
    pub fn drain(&self) {
        self.inner.publish(State::Draining);
    }

    /// Starts again after a failure. Clients are held again meanwhile.
    ///
    /// # Errors
    ///
    /// [`NothingFailed`] while the service starts, is ready, or goes away.
    pub fn recover<F, Fut>(&self, startup: F) -> Result<(), NothingFailed>
    where
        F: FnOnce(Startup) -> Fut,
        Fut: Future<Output = Result<(), StartupError>> + Send + 'static,
    {
        self.inner.begin_again()?;
        self.spawn(startup);
        Ok(())
    }

    fn spawn<F, Fut>(&self, startup: F)
    where
        F: FnOnce(Startup) -> Fut,
        Fut: Future<Output = Result<(), StartupError>> + Send + 'static,
    {
        let work = startup(Startup { inner: Arc::clone(&self.inner) });
        // Ends by itself: at the end of the startup, or of its budget.
        tokio::spawn(run::run(Arc::clone(&self.inner), work));
    }
}

impl Startup {
    /// Goes on to `phase`: see [`startup::Publisher::enter`].
    ///
    /// # Errors
    ///
    /// [`startup::StepError`]: the phase lies behind, or is not in the list.
    ///
    /// With [`Phase::COMPLETE`] the startup says before its end that it is complete: the start is, once the
    /// checks have passed, too.
    pub fn enter(&self, phase: Phase) -> Result<(), startup::StepError> {
        let inner = &self.inner;
        if phase != Phase::COMPLETE || inner.validation.opinion(Instant::now()).is_ready() {
            return inner.startup.enter(phase);
        }
        inner.said_complete.send_replace(true);
        Ok(())
    }
}

impl Inner {
    /// What the start has come to, by its own phases and by what was seen of the checks.
    ///
    /// Where checks ask for a group, their passing is the word on it; else the startup's phases are.
    fn state(&self) -> State {
        let says = self.startup.timeline().readiness();
        if matches!(says, State::Failed(_) | State::WebsocketReady) {
            return says;
        }
        let board = self.validation.board();
        let passed = board.passed();
        let reached = |group, by_phase: bool| {
            if board.asks_for(group) { passed >= Some(group) } else { by_phase }
        };
        let phase = matches!(says, State::DependenciesReady | State::ServicesReady);
        if !reached(Group::Dependencies, phase) {
            State::Initializing
        } else if reached(Group::Services, says == State::ServicesReady) {
            State::ServicesReady
        } else {
            State::DependenciesReady
        }
    }

    /// Makes a state known, and lets the gate follow. A drain is the last word.
    fn publish(&self, state: State) {
        let readiness = self.lock();
        if readiness.state() == State::Draining {
            return;
        }
        if state.is_ready() {
            if !self.was_ready() {
                self.validation.ready();
            }
            self.weigh(&readiness);
            return;
        }
        self.lead(stance(&state));
        readiness.publish(state);
    }

    /// What is ready follows its checks.
    fn follow(&self) {
        let readiness = self.lock();
        if self.was_ready() && readiness.state() != State::Draining {
            self.weigh(&readiness);
        }
    }

    /// Ready, unless a check that gates always bars newcomers: then the state is the one below its group.
    fn weigh(&self, readiness: &readiness::Publisher) {
        let (stance, state) = match self.validation.opinion(Instant::now()) {
            Opinion::Ready { .. } => (Stance::Admit, State::WebsocketReady),
            Opinion::Refuse { by } => (Stance::Refuse(Refusal::BreakerOpen), self.below(&by)),
            Opinion::Hold { by } => (Stance::Hold, self.below(&by)),
            Opinion::Waiting { .. } => (Stance::Hold, State::Initializing),
        };
        self.lead(stance);
        readiness.publish(state);
    }

    /// The state of a start that has come to the group of this check, and not beyond.
    fn below(&self, check: &str) -> State {
        let mut checks = self.settings.checks.iter();
        match checks.find(|one| &*one.spec.name == check).map(|one| one.spec.group) {
            Some(Group::Integration) => State::ServicesReady,
            Some(Group::Services) => State::DependenciesReady,
            Some(Group::Dependencies) | None => State::Initializing,
        }
    }

    fn was_ready(&self) -> bool {
        self.validation.watch().borrow().was_ready()
    }

    /// A failure is published by the last act of a run, so that none goes on when the next begins.
    fn begin_again(&self) -> Result<(), NothingFailed> {
        let readiness = self.lock();
        let state = readiness.state();
        if !matches!(state, State::Failed(_)) {
            return Err(NothingFailed { state });
        }
        self.said_complete.send_replace(false);
        self.validation.begin_again();
        self.startup.restart();
        self.lead(Stance::Hold);
        readiness.publish(State::Initializing);
        Ok(())
    }

    fn lead(&self, stance: Stance) {
        self.expects.set(stance == Stance::Hold);
        self.gate.take_stance(stance);
    }

    fn gates_always(&self) -> bool {
        self.settings.checks.iter().any(|checked| checked.spec.gating == Gating::Always)
    }

    fn lock(&self) -> MutexGuard<'_, readiness::Publisher> {
        self.readiness.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What becomes of clients while the service is not ready. It is in this very process and says itself when it is:
/// nobody has to go ahead as scout.
fn stance(state: &State) -> Stance {
    match state {
        State::Failed(failure) => Stance::Refuse(Refusal::Failed(failure.clone())),
        State::Draining => Stance::Refuse(Refusal::Draining),
        _ => Stance::Hold,
    }
}

impl Porter for Inner {
    /// Whoever comes to a process that was suspended meets the outcomes of today.
    fn arrival(&self, now: Instant) {
        if self.gates_always() {
            self.validation.arrival(now);
            self.follow();
        }
    }
}

#[cfg(test)]
mod tests;
