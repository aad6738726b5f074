//! The start, phase by phase, as it really goes, and the end.
//!
//! Owns the order and its report to the door. Must never report a phase that has not been reached, and must never try
//! for ever: what is not there within the budget ends the process, with its reason.

mod checks;
mod early;
mod health;
mod report;
mod serve;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};
use uuid::Uuid;
use vestibule::backoff::Backoff;
use vestibule::startup::{Phase, StepError};

use self::report::Report;
pub use self::serve::run;
use crate::agent;
use crate::api::App;
use crate::auth::Auth;
use crate::bus::{Bus, BusError};
use crate::chat::{Chat, ChatParts};
use crate::settings::Settings;
use crate::socket::Sockets;
use crate::store::{Store, StoreError};

/// Between two tries of a phase.
const AGAIN: Backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(5))
    .with_floor(Duration::from_millis(50));
/// How long a signal may take to come back over the bus.
const ECHO_WITHIN: Duration = Duration::from_secs(2);

/// Why a start failed.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Whoever set up the service must change something.
    #[error("{0}")]
    Setup(String),
    /// Something was not there for as long as the start may try.
    #[error("{phase}: {reason}; gave up after {} s", .within.as_secs())]
    Unavailable {
        /// Where it stands.
        phase: Phase,
        /// What was said last.
        reason: String,
        /// How long it was tried.
        within: Duration,
    },
    /// The list of phases and the start do not agree: our mistake.
    #[error(transparent)]
    Step(#[from] StepError),
    /// The port.
    #[error("can't listen on {0}: {1}")]
    Listen(std::net::SocketAddr, #[source] std::io::Error),
}

/// Why one try of a phase failed.
enum Trouble {
    /// Trying again makes no difference.
    Setup(String),
    /// It may be there soon.
    NotYet(String),
}

/// What a start works with.
struct Start {
    settings: Arc<Settings>,
    report: Report,
    until: Instant,
}

impl Start {
    /// Goes through all phases.
    async fn go(&self, instance: &str, health: health::Health) -> Result<App, StartError> {
        let settings = &self.settings;
        let model = self
            .phase(Phase::DEPENDENCIES, async || {
                let endpoint = settings.model.clone();
                agent::model(endpoint, settings.pace)
                    .map_err(|error| Trouble::Setup(error.to_string()))
            })
            .await?;
        let store = self.phase(Phase::DATABASE, async || open_store(settings).await).await?;
        let bus = self
            .phase(Phase::CACHE, async || Ok(Bus::open(settings.bus.as_deref()).await?))
            .await?;
        let sockets = Sockets::new(instance);
        let (auth, chat) = self
            .phase(Phase::SERVICES, async || {
                let auth = Auth::open(store.clone(), settings.auth.clone()).await?;
                // Its own registry for each try: a second one must not trip over the first's tools.
                let tools =
                    agent::tools::registry().map_err(|error| Trouble::Setup(error.to_string()))?;
                let (health, bus) = (health.clone(), bus.clone());
                let chat = Chat::begin(ChatParts {
                    store: store.clone(),
                    bus,
                    model: Arc::clone(&model),
                    tools,
                    service: Arc::new(move || health.document()),
                    instance: instance.to_owned(),
                    lease: settings.lease,
                });
                chat.supervisor().map_err(Trouble::NotYet)?;
                Ok((auth, chat))
            })
            .await?;
        self.phase(Phase::WEBSOCKET, async || Ok(bus.echo(ECHO_WITHIN).await?)).await?;
        self.phase(Phase::FINALIZE, async || Ok(store.ping().await?)).await?;
        Ok(App { auth, store, bus, chat, sockets, settings: Arc::clone(settings) })
    }

    /// One phase: tried until it is done or the budget is spent, and at least as long as it is made to last.
    async fn phase<T>(
        &self,
        phase: Phase,
        attempt: impl AsyncFn() -> Result<T, Trouble>,
    ) -> Result<T, StartError> {
        self.report.enter(phase)?;
        let cold = self.settings.cold_start.iter().filter(|(cold, _)| *cold == phase);
        sleep(cold.map(|(_, lasts)| *lasts).sum()).await;
        let mut reason = "no answer in time".to_owned();
        for tries in 0.. {
            match timeout_at(self.until, attempt()).await {
                Ok(Ok(done)) => return Ok(done),
                Ok(Err(Trouble::Setup(why))) => return Err(StartError::Setup(why)),
                Ok(Err(Trouble::NotYet(why))) => reason = why,
                Err(_late) => break,
            }
            tracing::warn!(%phase, tries, reason, "not there yet: the start tries again");
            let pause = sleep(AGAIN.delay(tries, fastrand::f64()));
            if timeout_at(self.until, pause).await.is_err() {
                break;
            }
        }
        Err(StartError::Unavailable { phase, reason, within: self.settings.start_within })
    }
}

async fn open_store(settings: &Settings) -> Result<Store, Trouble> {
    let store = Store::open(&settings.database).await?;
    store.ping().await?;
    Ok(store)
}

/// A name that no other instance has, in this life or another.
fn instance_name() -> String {
    let id = Uuid::new_v4().simple().to_string();
    id.get(..12).unwrap_or(&id).to_owned()
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::NotYet(error.to_string()),
            StoreError::Address(_) | StoreError::Misunderstood(_) => Self::Setup(error.to_string()),
        }
    }
}

impl From<BusError> for Trouble {
    fn from(error: BusError) -> Self {
        match error {
            BusError::Unavailable(_) => Self::NotYet(error.to_string()),
            BusError::Address(_) => Self::Setup(error.to_string()),
        }
    }
}
