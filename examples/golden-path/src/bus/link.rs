//! The task that keeps a bus outside connected.
//!
//! Owns what waits to be said, and that nothing is missed without a word: whoever could not say something says so as
//! soon as it can, and whoever could not hear tells its own subscribers of a gap.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use uuid::Uuid;
use vestibule::backoff::Backoff;

use super::hub::Hub;
use super::wire::{Address, BATCH, Envelope, Receiver, Sender};
use super::{BusError, Signal};

/// How many signals wait to be said. What comes when so many wait is not said, and subscribers elsewhere are told.
const WAITING_MAX: usize = 4096;
/// Between two tries to connect.
const AGAIN: Backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(2))
    .with_floor(Duration::from_millis(50));

/// A bus outside. Dropping it ends the connection.
#[derive(Debug)]
pub(super) struct Link {
    waiting: mpsc::Sender<Arc<Signal>>,
    unsaid: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

/// What the task works with.
struct Carrier {
    address: Address,
    hub: Hub,
    instance: Uuid,
    waiting: mpsc::Receiver<Arc<Signal>>,
    /// Whether something could not be said.
    unsaid: Arc<AtomicBool>,
    /// How much we have said.
    said: u64,
    /// How much we have heard of each instance.
    heard: HashMap<Uuid, u64>,
}

/// Of so many instances it is known how much they have said; then all are forgotten.
const INSTANCES_MAX: usize = 1024;

impl Link {
    /// Connects for the first time, and stays connected from then on.
    pub(super) async fn open(url: &str, hub: Hub) -> Result<Self, BusError> {
        let address = Address::read(url)?;
        let wires = address.connect().await?;
        let (waiting, to_say) = mpsc::channel(WAITING_MAX);
        let unsaid = Arc::new(AtomicBool::new(false));
        let carrier = Carrier {
            address,
            hub,
            instance: Uuid::new_v4(),
            waiting: to_say,
            unsaid: Arc::clone(&unsaid),
            said: 0,
            heard: HashMap::new(),
        };
        let task = tokio::spawn(carrier.carry(wires));
        Ok(Self { waiting, unsaid, task })
    }

    /// Says it elsewhere, when there is time.
    pub(super) fn say(&self, signal: Arc<Signal>) {
        if self.waiting.try_send(signal).is_err() {
            self.unsaid.store(true, Ordering::Release);
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Carrier {
    async fn carry(mut self, mut wires: (Sender, Receiver)) {
        loop {
            let (sender, receiver) = wires;
            let error = self.exchange(sender, receiver).await;
            tracing::warn!(reason = %error, "the bus is away: sockets read the database");
            wires = self.connect_again().await;
            tracing::info!("the bus is back");
            self.unsaid.store(true, Ordering::Release);
            self.hub.tell_gap();
        }
    }

    /// Says and hears until either fails.
    async fn exchange(&mut self, sender: Sender, receiver: Receiver) -> BusError {
        let Self { hub, instance, waiting, unsaid, said, heard, .. } = self;
        tokio::select! {
            error = say_all(sender, waiting, unsaid, (*instance, said)) => error,
            error = hear_all(receiver, hub, *instance, heard) => error,
        }
    }

    /// Tries for as long as there is an instance: there is nothing else to be done, and sockets go on without the bus.
    async fn connect_again(&mut self) -> (Sender, Receiver) {
        let mut tries = 0;
        loop {
            sleep(AGAIN.delay(tries, fastrand::f64())).await;
            match self.address.connect().await {
                Ok(wires) => {
                    // What waits is old: whoever hears of the gap reads it in the store.
                    while self.waiting.try_recv().is_ok() {}
                    return wires;
                }
                Err(error) => tracing::debug!(reason = %error, tries, "the bus is still away"),
            }
            tries = tries.saturating_add(1);
        }
    }
}

async fn say_all(
    mut sender: Sender,
    waiting: &mut mpsc::Receiver<Arc<Signal>>,
    unsaid: &AtomicBool,
    (from, said): (Uuid, &mut u64),
) -> BusError {
    let mut next = |signal| {
        *said += 1;
        Envelope { from, number: *said, signal }
    };
    let mut signals = Vec::new();
    loop {
        let mut envelopes = Vec::with_capacity(signals.len() + 1);
        if unsaid.swap(false, Ordering::AcqRel) {
            envelopes.push(next(None));
        }
        envelopes
            .extend(signals.drain(..).map(|signal: Arc<Signal>| next(Some((*signal).clone()))));
        if !envelopes.is_empty()
            && let Err(error) = sender.send(&envelopes).await
        {
            return error;
        }
        if waiting.recv_many(&mut signals, BATCH).await == 0 {
            return BusError::Unavailable("nobody uses it any more".into());
        }
    }
}

async fn hear_all(
    mut receiver: Receiver,
    hub: &Hub,
    own: Uuid,
    heard: &mut HashMap<Uuid, u64>,
) -> BusError {
    loop {
        let envelopes = match receiver.receive().await {
            Ok(envelopes) => envelopes,
            Err(error) => return error,
        };
        for Envelope { from, number, signal } in envelopes {
            if heard.len() >= INSTANCES_MAX {
                heard.clear();
            }
            let last = heard.insert(from, number);
            if from != own && last.is_some_and(|last| number > last + 1) {
                hub.tell_gap();
            }
            match signal {
                // Our own were told here when they were said; but an echo has to come back this way.
                Some(signal) if from != own || matches!(signal, Signal::Echo { .. }) => {
                    hub.tell(Arc::new(signal));
                }
                None if from != own => hub.tell_gap(),
                _ => {}
            }
        }
    }
}
