//! The right to one hand-over, and the wait for it.
//!
//! Owns what a permit's holder may say about its try: settled, answered, retry. Must never be a flag: each
//! word consumes the permit, and a permit dropped without a word frees its slot and proves nothing.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{self, Instant};

use crate::backoff::Backoff;

use super::grant::{Grant, Seat};
use super::outcome::Retried;
use super::{Arrival, Gate, Refusal};

/// The rest between two tries: 25 to 100 ms, jittered, so that a crowd that failed together does not return
/// together.
const REST: Backoff = Backoff::new(Duration::from_millis(50), Duration::from_millis(100))
    .with_floor(Duration::from_millis(25));

/// One hand-over in flight.
#[derive(Debug)]
#[must_use = "a permit dropped without a word frees its slot and is never a survivor"]
pub struct Permit {
    gate: Gate,
    /// `None` once it has been given back.
    grant: Option<Grant>,
    of: Holder,
}

/// What the permit says of its holder.
#[derive(Clone, Copy, Debug)]
struct Holder {
    arrival: Arrival,
    arrived: Instant,
    tries: u32,
    is_scout: bool,
}

/// Why there is no further try.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GiveUp {
    /// The client is refused: its deadline came, or the gate refuses now.
    #[error(transparent)]
    Refused(Refusal),
    /// No more tries: relay the answer that you have.
    #[error("no more tries")]
    LastAnswer,
}

impl Permit {
    pub(super) const fn new(gate: Gate, grant: Grant) -> Self {
        let of = Holder {
            arrival: grant.entrant.arrival(),
            arrived: grant.entrant.arrived,
            tries: grant.entrant.tries,
            is_scout: matches!(grant.seat, Seat::Scout),
        };
        Self { gate, grant: Some(grant), of }
    }

    /// The hand-over survived its settle window. If a scout says so while the upstream is young, the stance
    /// becomes [`super::Stance::Admit`] and the queue is released.
    /// Answers whether it was this one that did.
    pub fn settled(mut self) -> bool {
        let grant = self.grant.take();
        grant.is_some_and(|grant| self.gate.with_queue(|queue, now| queue.settle(&grant, now)))
    }

    /// The hand-over ended with a final answer that proves nothing, as a relayed 401: frees the slot, and the
    /// stance stays.
    pub fn answered(self) {
        drop(self);
    }

    /// The upstream has the request and is silent: the next in line gets the slot, so that a route that hangs
    /// never holds the clients of another. A scout keeps its slot and makes room for another scout, if not too
    /// many have. False if it has a slot still, and is to be asked again.
    pub fn give_way(&mut self) -> bool {
        let Some(grant) = &mut self.grant else { return true };
        self.gate.with_queue(|queue, now| queue.give_way(grant, now))
    }

    /// The try did not settle: rests 25 to 100 ms, goes to the back and waits for another permit, at most until
    /// the deadline.
    ///
    /// # Errors
    ///
    /// [`GiveUp::Refused`] if the client's deadline comes or the gate refuses, [`GiveUp::LastAnswer`] if there is
    /// no further try for it.
    pub async fn retry(mut self) -> Result<Self, GiveUp> {
        let Some(grant) = self.grant.take() else {
            return Err(GiveUp::LastAnswer);
        };
        let (answer, receiver) = oneshot::channel();
        let retried = self.gate.with_queue(|queue, now| queue.retry(grant, now, || answer));
        let (id, attempt) = match retried {
            Retried::GivenUp(give_up) => return Err(give_up),
            Retried::Rests { id, attempt } => (id, attempt),
        };
        let waiter = Waiter::new(self.gate.clone(), id, receiver);
        let rest = REST.delay(attempt, fastrand::f64());
        let answered = waiter.after(rest, self.of.arrival.deadline).await;
        answered.map_err(GiveUp::Refused)
    }

    /// How many tries the client has had, this one included.
    #[must_use]
    pub const fn tries(&self) -> u32 {
        self.of.tries
    }

    /// Whether this hand-over goes ahead of others to a young upstream.
    #[must_use]
    pub const fn is_scout(&self) -> bool {
        self.of.is_scout
    }

    /// What the client declared when it came: with it, it can be held once more.
    #[must_use]
    pub const fn arrival(&self) -> Arrival {
        self.of.arrival
    }

    /// When the client must have its answer.
    #[must_use]
    pub const fn deadline(&self) -> Instant {
        self.of.arrival.deadline
    }

    /// How long ago the client arrived.
    #[must_use]
    pub fn waited(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.of.arrived)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(grant) = self.grant.take() {
            self.gate.give_back(&grant);
        }
    }
}

/// One held client's end of the wait. Dropping it frees the place at once.
#[derive(Debug)]
pub(super) struct Waiter {
    gate: Gate,
    id: u64,
    /// `None` once the answer is there.
    answer: Option<oneshot::Receiver<Result<Permit, Refusal>>>,
}

impl Waiter {
    pub(super) const fn new(
        gate: Gate,
        id: u64,
        answer: oneshot::Receiver<Result<Permit, Refusal>>,
    ) -> Self {
        Self { gate, id, answer: Some(answer) }
    }

    /// Waits for the answer, at most until `deadline`.
    pub(super) async fn until(mut self, deadline: Instant) -> Result<Permit, Refusal> {
        if let Some(answer) = self.answer_before(deadline).await {
            return answer;
        }
        let id = self.id;
        if self.gate.with_queue(|queue, now| queue.expire(id, now)) {
            self.answer = None;
            return Err(Refusal::Deadline);
        }
        // The answer was given in this very moment, and is on its way from another thread.
        match self.answer.as_mut() {
            Some(answer) => answer.await.unwrap_or(Err(Refusal::Deadline)),
            None => Err(Refusal::Deadline),
        }
    }

    /// Rests, then gets in line and waits, at most until `deadline`. A refusal ends the rest.
    async fn after(mut self, rest: Duration, deadline: Instant) -> Result<Permit, Refusal> {
        let now = Instant::now();
        let rested = now.checked_add(rest).map_or(deadline, |at| at.min(deadline));
        if let Some(answer) = self.answer_before(rested).await {
            return answer;
        }
        let id = self.id;
        if rested < deadline {
            self.gate.with_queue(|queue, now| queue.rise(id, now));
        }
        self.until(deadline).await
    }

    /// The answer, or `None` if the time comes first.
    async fn answer_before(&mut self, at: Instant) -> Option<Result<Permit, Refusal>> {
        let answer = self.answer.as_mut()?;
        let answer = time::timeout_at(at, answer).await.ok()?;
        self.answer = None;
        Some(answer.unwrap_or(Err(Refusal::Deadline)))
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        if self.answer.is_some() {
            let id = self.id;
            self.gate.with_queue(|queue, now| queue.leave(id, now));
        }
    }
}
