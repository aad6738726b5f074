//! May the service take new traffic?
//!
//! Owns the one answer that everybody reads: a [`State`], published by whoever watches the service and
//! followed by gate, health and drain. Must never admit or refuse by itself, and must never call a service
//! ready because nobody spoke: a [`Publisher`] that is dropped without deciding means failed.

use std::fmt;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::follow::{self, Stopped};

/// How often one [`Watch::wait_ready`] may wake before it calls its publisher wild.
pub const WAKE_UPS_MAX: u32 = follow::WAKE_UPS_MAX;

/// A new channel that begins in [`State::Unknown`].
///
/// `publisher_name` is what a failure names if the publisher is dropped without deciding.
pub fn channel(publisher_name: &'static str) -> (Publisher, Watch) {
    let (states, seen) = watch::channel(State::Unknown);
    let publisher = Publisher { name: publisher_name, states, finished: false };
    (publisher, Watch { seen })
}

/// How far the service has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Nobody has said anything yet.
    Unknown,
    /// The service is starting.
    Initializing,
    /// What the service depends on answers: database, cache, keys.
    DependenciesReady,
    /// The service's own parts are up.
    ServicesReady,
    /// The whole way of a WebSocket is up: new traffic may come. The only ready state.
    WebsocketReady,
    /// The service will not become ready without a restart or an explicit recovery.
    Failed(Failure),
    /// The service is going away: no new traffic, what runs may end.
    Draining,
}

impl State {
    /// Every word that [`State::as_str`] may return, in the order of the variants.
    pub const WORDS: [&'static str; 7] = [
        "unknown",
        "initializing",
        "dependencies_ready",
        "services_ready",
        "websocket_ready",
        "failed",
        "draining",
    ];

    /// Whether new traffic may come.
    #[must_use]
    pub const fn is_ready(&self) -> bool {
        matches!(self, Self::WebsocketReady)
    }

    /// The state's name in logs, metrics and health documents.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Initializing => "initializing",
            Self::DependenciesReady => "dependencies_ready",
            Self::ServicesReady => "services_ready",
            Self::WebsocketReady => "websocket_ready",
            Self::Failed(_) => "failed",
            Self::Draining => "draining",
        }
    }

    /// Whether a publisher that stops here has decided.
    const fn is_final(&self) -> bool {
        matches!(self, Self::Failed(_) | Self::Draining)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(failure) => write!(f, "failed: {failure}"),
            other => f.write_str(other.as_str()),
        }
    }
}

/// Why the service is not ready, in words for an operator.
///
/// The reason goes to logs and to the admin address; no client ever sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    reason: Arc<str>,
    retryable: bool,
}

impl Failure {
    /// A failure which only a restart or an explicit recovery cures.
    pub fn new(reason: impl Into<Arc<str>>) -> Self {
        Self { reason: reason.into(), retryable: false }
    }

    /// A failure which may pass by itself, as under `serve`, where probes go on.
    pub fn retryable(reason: impl Into<Arc<str>>) -> Self {
        Self { reason: reason.into(), retryable: true }
    }

    /// The reason, for an operator.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Whether it may pass by itself.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        self.retryable
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

/// The one that decides. Not `Clone`: two that decide would contradict each other.
#[derive(Debug)]
#[must_use = "a publisher that is dropped without deciding means failed"]
pub struct Publisher {
    name: &'static str,
    states: watch::Sender<State>,
    finished: bool,
}

impl Publisher {
    /// Makes `state` known to every watch; the same state twice wakes nobody.
    pub fn publish(&self, state: State) {
        self.states.send_if_modified(|known| {
            let changes = *known != state;
            *known = state;
            changes
        });
    }

    /// The state published last.
    #[must_use]
    pub fn state(&self) -> State {
        self.states.borrow().clone()
    }

    /// A further watch on this publisher.
    #[must_use]
    pub fn watch(&self) -> Watch {
        Watch { seen: self.states.subscribe() }
    }

    /// Ends publishing on purpose: the last state stands.
    pub fn finish(mut self) {
        self.finished = true;
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        let name = self.name;
        self.states.send_if_modified(|state| {
            let undecided = !state.is_final();
            if undecided {
                *state =
                    State::Failed(Failure::new(format!("{name} was dropped without deciding")));
            }
            undecided
        });
    }
}

/// One follower of the state.
#[derive(Clone, Debug)]
pub struct Watch {
    seen: watch::Receiver<State>,
}

impl Watch {
    /// The state now.
    #[must_use]
    pub fn state(&self) -> State {
        self.seen.borrow().clone()
    }

    /// Waits for the next state that this watch has not returned yet.
    ///
    /// States that come faster than they are read are merged: only the newest is seen. Once the publisher has
    /// finished there is no next state, and this never resolves: select it against what else may end the wait.
    pub async fn changed(&mut self) -> State {
        if self.seen.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
        self.seen.borrow_and_update().clone()
    }

    /// Waits until the service is ready, at most until `deadline`.
    ///
    /// # Errors
    ///
    /// [`NotReady`] says why: the deadline, a failure, a drain, a publisher that finished short of ready, or
    /// one that published more than [`WAKE_UPS_MAX`] states without deciding.
    pub async fn wait_ready(&mut self, deadline: Instant) -> Result<(), NotReady> {
        let decide = |state: &State| match state {
            State::WebsocketReady => Some(Ok(())),
            State::Failed(failure) => Some(Err(NotReady::Failed(failure.clone()))),
            State::Draining => Some(Err(NotReady::Draining)),
            _ => None,
        };
        let stopped = match follow::until(&mut self.seen, deadline, decide).await {
            Ok(decided) => return decided,
            Err(stopped) => stopped,
        };
        let last = self.state();
        let Stopped::Wild { wake_ups, elapsed } = stopped else {
            let gone = stopped == Stopped::Gone;
            return Err(if gone {
                NotReady::Finished { last }
            } else {
                NotReady::Deadline { last }
            });
        };
        tracing::warn!(
            state = last.as_str(),
            wake_ups,
            elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
            "gave up a wait for readiness: the publisher changes its mind without end"
        );
        Err(NotReady::Wild { last })
    }
}

/// Why a wait for readiness ended without it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotReady {
    /// The deadline came first.
    #[error("not ready in time; the last state was {last}")]
    Deadline {
        /// How far the service had come.
        last: State,
    },
    /// The service failed.
    #[error("failed: {0}")]
    Failed(Failure),
    /// The service is going away.
    #[error("draining")]
    Draining,
    /// The publisher finished in a state that is not ready.
    #[error("nobody decides any more; the last state was {last}")]
    Finished {
        /// The state that it left.
        last: State,
    },
    /// The publisher published without end and without deciding.
    #[error("states changed {WAKE_UPS_MAX} times without a decision; the last was {last}")]
    Wild {
        /// The state seen last.
        last: State,
    },
}

#[cfg(test)]
mod tests;
