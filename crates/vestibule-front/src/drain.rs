//! The order of leaving.
//!
//! Owns when each tunnel is told to close, and the count of what is still open. Must never
//! close a socket: a tunnel closes itself, at a frame boundary, when its turn has come.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::tunnel::close::CloseCode;

/// Closes are this far apart when there is time: a hundred tunnels take a second, one takes none.
const SPACING: Duration = Duration::from_millis(10);

/// What a tunnel tells its client when it closes for us, by default.
pub const REASON: &str = "the service is restarting; please reconnect";

/// The switch that begins a drain, and the count of open connections.
#[derive(Clone, Debug)]
pub struct Drain {
    plan: watch::Sender<Option<Arc<Plan>>>,
    open: watch::Sender<usize>,
}

/// How the tunnels' closes are spread.
#[derive(Debug)]
struct Plan {
    start: Instant,
    window: Duration,
    tunnels: usize,
    told: AtomicUsize,
    code: CloseCode,
}

/// One open connection's part in a drain. Dropping it says that the connection is over.
#[derive(Debug)]
pub struct Seat {
    /// Tells when its turn to close has come.
    pub leaving: Leaving,
    open: watch::Sender<usize>,
}

/// Tells a connection of a drain, without being waited for.
#[derive(Clone, Debug)]
pub struct Leaving {
    plan: watch::Receiver<Option<Arc<Plan>>>,
}

impl Default for Drain {
    fn default() -> Self {
        Self { plan: watch::Sender::new(None), open: watch::Sender::new(0) }
    }
}

impl Drain {
    /// A seat for a connection that must be waited for.
    pub fn seat(&self) -> Seat {
        self.open.send_modify(|open| *open += 1);
        Seat { leaving: self.leaving(), open: self.open.clone() }
    }

    /// Hears of a drain without being waited for.
    pub fn leaving(&self) -> Leaving {
        Leaving { plan: self.plan.subscribe() }
    }

    /// Whether a drain has begun.
    pub fn has_begun(&self) -> bool {
        self.plan.borrow().is_some()
    }

    /// How many connections are open.
    pub fn open(&self) -> usize {
        *self.open.borrow()
    }

    /// Begins to close tunnels with `code`, evenly spread so that the last is told within
    /// `window`. Beginning again closes all that are left at once.
    pub fn begin(&self, code: CloseCode, window: Duration, now: Instant) {
        let tunnels = self.open();
        let spacing = u32::try_from(tunnels).map_or(window, |count| SPACING * count);
        let window = spacing.min(window);
        self.plan.send_modify(|plan| {
            let window = if plan.is_some() { Duration::ZERO } else { window };
            let told = AtomicUsize::new(0);
            *plan = Some(Arc::new(Plan { start: now, window, tunnels, told, code }));
        });
    }

    /// Resolves once no connection is open. Bounded by the caller.
    pub async fn empty(&self) {
        let mut open = self.open.subscribe();
        // The sender lives in `self`: it can't be gone.
        let _ = open.wait_for(|open| *open == 0).await;
    }
}

impl Leaving {
    /// Resolves when it is this tunnel's turn to close, with the code to use.
    pub async fn turn(&mut self) -> CloseCode {
        loop {
            let plan = self.plan.wait_for(Option::is_some).await.map(|plan| plan.clone());
            let Ok(Some(plan)) = plan else { return std::future::pending().await };
            let rank = plan.told.fetch_add(1, Ordering::Relaxed);
            tokio::select! {
                () = sleep_until(plan.slot(rank)) => return plan.code,
                // A second plan overrules the first.
                changed = self.plan.changed() => if changed.is_err() { return plan.code },
            }
        }
    }

    /// Resolves when a drain begins: what is idle should leave at once.
    pub async fn begun(&mut self) {
        if self.plan.wait_for(Option::is_some).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.open.send_modify(|open| *open -= 1);
    }
}

impl Plan {
    /// When the tunnel of this rank is told. The first at once, the last before the window ends.
    fn slot(&self, rank: usize) -> Instant {
        let share = rank.min(self.tunnels) as f64 / self.tunnels.max(1) as f64;
        self.start + self.window.mul_f64(share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two hundred closes in two seconds: no tenth of a second gets more than its share.
    #[tokio::test(start_paused = true)]
    async fn closes_are_evenly_paced_and_in_time() {
        let drain = Drain::default();
        let start = Instant::now();
        let turns: Vec<_> = (0..200)
            .map(|_| {
                let mut seat = drain.seat();
                tokio::spawn(async move {
                    seat.leaving.turn().await;
                    Instant::now()
                })
            })
            .collect();
        drain.begin(CloseCode::RESTARTING, Duration::from_secs(6), start);
        let mut buckets = [0; 21];
        for turn in turns {
            let at = turn.await.unwrap() - start;
            buckets[(at.as_millis() / 100) as usize] += 1;
        }
        drain.empty().await;
        assert_eq!(buckets.iter().sum::<i32>(), 200);
        assert!(buckets.iter().all(|count| *count <= 13), "{buckets:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn one_tunnel_is_not_made_to_wait_and_a_second_plan_ends_all_at_once() {
        let drain = Drain::default();
        let start = Instant::now();
        let mut seats: Vec<_> = (0..1000).map(|_| drain.seat()).collect();
        drain.begin(CloseCode::RESTARTING, Duration::from_secs(6), start);
        seats[0].leaving.turn().await;
        assert_eq!(Instant::now(), start);
        let last = async { seats[1].leaving.turn().await };
        let again = async { drain.begin(CloseCode::RESTARTING, Duration::from_secs(6), start) };
        tokio::join!(last, again);
        assert!(Instant::now() - start < Duration::from_millis(20));
    }

    #[tokio::test(start_paused = true)]
    async fn empty_waits_for_every_seat() {
        let drain = Drain::default();
        let seat = drain.seat();
        let waited = tokio::time::timeout(Duration::from_secs(1), drain.empty()).await;
        assert!(waited.is_err());
        drop(seat);
        drain.empty().await;
    }
}
