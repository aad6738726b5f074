//! Leaving in order.
//!
//! Owns the sequence after SIGTERM: not ready, newcomers refused, tunnels closed one by one.
//! Must never signal the child: it goes last, and that is its owner's to do.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::process::signals::{Signal, Signals};
use crate::shared::Shared;
use crate::supervise::Patience;
use crate::upstream::dial::Dial;

/// Kept free at the end of the closing time, so that the last Close is out, and answered, in it.
const LAST_CLOSE_MARGIN: Duration = Duration::from_millis(500);
/// After a hurried end, how long answers and Closes may take to get out.
const HURRIED: Duration = Duration::from_millis(200);

/// How we left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// Through the whole drain.
    InOrder,
    /// We were asked a second time.
    InAHurry,
}

/// Goes through the drain. A second SIGTERM or SIGINT at any point ends it at once.
pub async fn leave<D: Dial>(
    front: &Arc<Shared<D>>,
    patience: &Patience,
    signals: &mut Signals,
) -> Left {
    let started = Instant::now();
    front.service.lame_duck();
    front.journal.draining(front.drain.open(), patience.lame_duck, patience.drain);
    let closing = patience.drain.saturating_sub(patience.child_grace);
    let in_order = async {
        tokio::time::sleep(patience.lame_duck).await;
        front.service.refuse_draining(Instant::now());
        let window = closing.saturating_sub(LAST_CLOSE_MARGIN);
        front.drain.begin(front.settings().drain_code, window, Instant::now());
        timeout(closing, front.drain.empty()).await.is_ok()
    };
    let (left, emptied) = tokio::select! {
        emptied = in_order => (Left::InOrder, emptied),
        () = second_word(signals) => (Left::InAHurry, hurry(front).await),
    };
    front.journal.drained(Instant::now() - started, front.drain.open(), emptied);
    left
}

async fn hurry<D: Dial>(front: &Arc<Shared<D>>) -> bool {
    tracing::warn!("asked to leave again: closing everything now");
    front.service.refuse_draining(Instant::now());
    // Overrules a plan that is under way.
    front.drain.begin(front.settings().drain_code, Duration::ZERO, Instant::now());
    timeout(HURRIED, front.drain.empty()).await.is_ok()
}

/// Resolves at the next SIGTERM or SIGINT.
pub async fn second_word(signals: &mut Signals) {
    while !matches!(signals.next().await, Signal::Terminate | Signal::Interrupt) {}
}

/// Lets answers that are on their way get out, before the process ends.
pub async fn flush<D: Dial>(front: &Arc<Shared<D>>, within: Duration) {
    if timeout(within, front.drain.empty()).await.is_err() {
        tracing::warn!(open = front.drain.open(), "ended with connections open");
    }
}
