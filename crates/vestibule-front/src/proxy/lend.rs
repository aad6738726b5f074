//! A connection for one plain request.
//!
//! Owns waiting for one while nobody listens. Must never send anything.

use std::io;
use std::sync::Arc;

use tokio::time::{Instant, timeout_at};
use vestibule::gate::{Arrival, GiveUp, Permit};

use crate::farewell::Reason;
use crate::shared::Shared;
use crate::upstream::dial::{Dial, is_busy, nobody_listens};
use crate::upstream::pool::Lent;
use crate::upstream::shortage::Shortage;

/// What a request needs of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    /// It asks how the service is: it learns at once that nobody listens, and never waits.
    pub(super) never_held: bool,
    /// A pooled one may be as dead as the last.
    pub(super) fresh: bool,
}

/// A connection to send on; while nobody listens, the request waits in the queue again.
pub(super) async fn lend<D: Dial>(
    front: &Arc<Shared<D>>,
    mut permit: Permit,
    wanted: Wanted,
) -> Result<Lent, Reason> {
    loop {
        let idle = if wanted.fresh { None } else { front.pool.idle(Instant::now()).await };
        if let Some(lent) = idle {
            permit.answered();
            return Ok(lent);
        }
        match connect(front, permit.deadline()).await {
            Ok(lent) => {
                permit.answered();
                return Ok(lent);
            }
            Err(error) => missed(front, &error, wanted)?,
        }
        permit = permit.retry().await.map_err(|given_up| match given_up {
            GiveUp::Refused(refusal) => Reason::Gate(refusal),
            GiveUp::LastAnswer => Reason::Unreachable,
        })?;
    }
}

/// A fresh connection for a request that met a dead one; it may have to be held once more.
pub(super) async fn lend_again<D: Dial>(
    front: &Arc<Shared<D>>,
    arrival: Arrival,
    wanted: Wanted,
) -> Result<Lent, Reason> {
    match connect(front, arrival.deadline).await {
        Ok(lent) => return Ok(lent),
        Err(error) => missed(front, &error, wanted)?,
    }
    let permit = front.gate.admit(arrival).await.map_err(Reason::Gate)?;
    lend(front, permit, Wanted { fresh: true, ..wanted }).await
}

async fn connect<D: Dial>(front: &Arc<Shared<D>>, deadline: Instant) -> io::Result<Lent> {
    timeout_at(deadline, front.pool.connect(&front.dial))
        .await
        .unwrap_or_else(|_elapsed| Err(io::ErrorKind::TimedOut.into()))
}

/// What a dial that failed means. Ok: the request may wait until somebody listens again.
fn missed<D: Dial>(
    front: &Arc<Shared<D>>,
    error: &io::Error,
    wanted: Wanted,
) -> Result<(), Reason> {
    if is_busy(error) {
        return Ok(());
    }
    if let Some(shortage) = Shortage::of(error) {
        front.shortages.tell(shortage, Instant::now());
        return Err(Reason::Short(shortage));
    }
    if !nobody_listens(error) {
        tracing::warn!(%error, "could not reach the service");
        return Err(Reason::Unreachable);
    }
    front.service.lost("it refuses connections", Instant::now());
    if wanted.never_held { Err(Reason::NotReady) } else { Ok(()) }
}
