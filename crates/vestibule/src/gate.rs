//! The gate holds, admits, refuses.
//!
//! Owns the one place where a client waits for the service, and the bounds on how many may wait and how many
//! may be handed over at a time. Must never know HTTP, open a socket, or judge readiness: somebody else takes
//! the [`Stance`]. Every decision is made by the pure `queue`; this shell adds the lock, the clock and the
//! wake-ups. The lock is never held over an await, and wake-ups go out after it is released.

mod budget;
mod client;
mod counts;
mod grant;
mod outcome;
mod permit;
mod places;
mod queue;
mod refusal;
mod release;
mod scouts;
mod waiting;

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use self::grant::Grant;
use self::outcome::{Effects, Entered};
use self::permit::Waiter;
use self::queue::Queue;

pub use self::client::ClientKey;
pub use self::counts::{Counts, Refused, Release, Releases};
pub use self::permit::{GiveUp, Permit};
pub use self::refusal::Refusal;

/// The bounds of a gate.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// How many may be held, those that rest before a retry and the scouts that are out included.
    pub held_max: usize,
    /// How many bytes all of them together may declare.
    pub held_bytes_max: usize,
    /// How many one client may have of them; `None`: as many as there are.
    pub held_per_client_max: Option<NonZeroUsize>,
    /// How many handshakes may be handed over at a time; 0 counts as 1.
    pub handovers_max: usize,
    /// How many scouts may be out at a time; 0 counts as 1, and never more than `handovers_max`.
    pub scouts_max: usize,
    /// How many tries one client has while others survive; 0 counts as 1.
    pub tries_max: u32,
    /// Retries while others survive, as a share of admissions from 0 to 1, above a floor of ten.
    pub retry_share: f64,
}

impl Default for Limits {
    /// A thousand clients or 16 MiB held, without shares; the rest as DESIGN names it.
    fn default() -> Self {
        Self {
            held_max: 1_000,
            held_bytes_max: 16 * 1024 * 1024,
            held_per_client_max: None,
            handovers_max: 32,
            scouts_max: 4,
            tries_max: 3,
            retry_share: 0.2,
        }
    }
}

/// A client that wants in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// What it wants.
    pub kind: Kind,
    /// The memory that holding it costs.
    pub bytes: usize,
    /// Who it is, where that is known and counts; `None` is nobody's share.
    pub client: Option<ClientKey>,
    /// When it must have its answer.
    pub deadline: Instant,
}

/// What a client wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A WebSocket: handed over with a settle window, paced, scouted.
    Handshake {
        /// An opaque hash of what decides who serves it, as the path: equal routes stand or fall together.
        route: u64,
    },
    /// A plain request: held while the gate holds, and passed on without a slot afterwards.
    Plain,
}

/// What the gate does with newcomers and with those that it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stance {
    /// Everybody waits.
    Hold,
    /// The upstream is young: a few handshakes go ahead, and the first survivor turns the stance to
    /// [`Stance::Admit`].
    Scout,
    /// Everybody goes, in order of arrival, paced.
    Admit,
    /// Everybody is refused, those that are held at once.
    Refuse(Refusal),
}

/// The gate. Clones are handles to the same one.
#[derive(Clone, Debug)]
pub struct Gate {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    queue: Mutex<Queue<Answer>>,
    releases: watch::Sender<Releases>,
}

/// Where a held client's answer goes.
type Answer = oneshot::Sender<Result<Permit, Refusal>>;

impl Gate {
    /// A gate that holds.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let shared =
            Shared { queue: Mutex::new(Queue::new(limits)), releases: watch::Sender::default() };
        Self { shared: Arc::new(shared) }
    }

    /// Other bounds from now on. Whoever is held stays, also where fewer may be held than are.
    pub fn set_limits(&self, limits: Limits) {
        self.with_queue(|queue, now| queue.set_limits(limits, now));
    }

    /// Takes a stance. The one it has already changes nothing; [`Stance::Refuse`] answers all that are held.
    pub fn take_stance(&self, stance: Stance) {
        self.with_queue(|queue, now| queue.take_stance(stance, now));
    }

    /// The stance now; it may have been a survivor that took it.
    #[must_use]
    pub fn stance(&self) -> Stance {
        self.lock().stance().clone()
    }

    /// Waits for the client's turn. Resolves exactly once, not later than `arrival.deadline`; dropping the
    /// future frees the place at once.
    ///
    /// While the gate admits and a slot is free this neither sets a timer nor allocates.
    ///
    /// # Errors
    ///
    /// The [`Refusal`] says why the client cannot go.
    pub async fn admit(&self, arrival: Arrival) -> Result<Permit, Refusal> {
        let mut answer = None;
        let entered = self.with_queue(|queue, now| {
            queue.enter(arrival, now, || {
                let (sender, receiver) = oneshot::channel();
                answer = Some(receiver);
                sender
            })
        });
        match (entered, answer) {
            (Entered::Admitted(grant), _) => Ok(Permit::new(self.clone(), grant)),
            (Entered::Refused(refusal), _) => Err(refusal),
            (Entered::Held(id), Some(answer)) => {
                let waiter = Waiter::new(self.clone(), id, answer);
                waiter.until(arrival.deadline).await
            }
            // Unreachable: who is held has left a waiter. If not, it must not wait for ever.
            (Entered::Held(id), None) => {
                self.with_queue(|queue, now| queue.expire(id, now));
                Err(Refusal::Deadline)
            }
        }
    }

    /// A picture of the gate.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.lock().counts()
    }

    /// Follows the releases of the queue: what it takes to log "released N in T".
    #[must_use]
    pub fn on_release(&self) -> watch::Receiver<Releases> {
        self.shared.releases.subscribe()
    }

    /// Acts on the queue under the lock, then delivers what follows from it.
    fn with_queue<T>(&self, act: impl FnOnce(&mut Queue<Answer>, Instant) -> T) -> T {
        let (outcome, effects) = {
            let mut queue = self.lock();
            let outcome = act(&mut queue, Instant::now());
            (outcome, queue.take_effects())
        };
        self.deliver(effects);
        outcome
    }

    /// A client that left meanwhile gives its permit back by the permit's own drop, which takes the lock again:
    /// hence only after the lock is released.
    fn deliver(&self, effects: Effects<Answer>) {
        for (answer, outcome) in effects.answers {
            let outcome = outcome.map(|grant| Permit::new(self.clone(), grant));
            drop(answer.send(outcome));
        }
        if let Some(release) = effects.release {
            self.shared.releases.send_modify(|releases| {
                releases.total += 1;
                releases.last = Some(release);
            });
        }
    }

    /// A panic of a thread that held the lock leaves whole books behind: the queue calls nothing that panics
    /// between two of its steps.
    fn lock(&self) -> MutexGuard<'_, Queue<Answer>> {
        let lock = self.shared.queue.lock();
        lock.unwrap_or_else(PoisonError::into_inner)
    }

    fn give_back(&self, grant: &Grant) {
        self.with_queue(|queue, now| queue.give_back(grant, now));
    }
}

#[cfg(test)]
mod tests;
