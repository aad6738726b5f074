//! The runtime of `race` and `demo`, and what a signal does to them.
//!
//! Owns both. Must never end while a target runs: a race that is broken off is dropped first, and
//! that kills its target.

use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use vestibule_race::{Outcome, Scenario};

use super::explained;
use super::progress::Ticker;
use super::screen::Screen;
use crate::error::Error;

/// A runtime with threads for the clients.
pub(crate) struct Session {
    runtime: Runtime,
    live: bool,
}

impl Session {
    /// Starts the runtime.
    pub(crate) fn open(screen: &Screen) -> Result<Self, Error> {
        let runtime = Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(|error| Error::system(format!("cannot start the runtime: {error}")))?;
        Ok(Self { runtime, live: screen.live })
    }

    /// Runs one race to its end, or to a signal.
    pub(crate) fn run(&self, scenario: &Scenario) -> Result<Outcome, Error> {
        let mut ticker = Ticker::new(scenario, self.live);
        let result = self.runtime.block_on(async {
            // Before the target is started: a signal in between would leave it behind.
            let mut stop = Stop::listen()?;
            tokio::select! {
                result = vestibule_race::run(scenario, |progress| ticker.tell(progress)) => {
                    result.map_err(explained)
                }
                () = stop.told() => Err(Error::system("stopped; whatever was started is gone")),
            }
        });
        ticker.done();
        result
    }
}

/// The signals that end a race early.
struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    /// From here on, both signals are ours.
    fn listen() -> Result<Self, Error> {
        let listen = |kind| {
            signal(kind)
                .map_err(|error| Error::system(format!("cannot listen for signals: {error}")))
        };
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
        })
    }

    /// Waits for the first of them.
    async fn told(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
