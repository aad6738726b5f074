//! The runtime of `race` and `demo`, and what a signal does to them.
//!
//! Owns both. Must never end while a target runs: a race that is broken off is dropped first, and
//! that kills its target.

use std::cell::RefCell;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use vestibule_race::{Outcome, Scenario};

use super::explained;
use super::progress::Ticker;
use super::screen::Screen;
use crate::error::Error;
use crate::runtime;
use crate::stdout::{self, Reader};

/// How long its threads may take to let go of their work.
const ENDS_WITHIN: Duration = Duration::from_millis(250);

/// A runtime with threads for the clients.
pub(crate) struct Session {
    /// Gone once it is being dropped.
    runtime: Option<Runtime>,
    stop: RefCell<Stop>,
    live: bool,
}

impl Session {
    /// Starts the runtime.
    pub(crate) fn open(screen: &Screen) -> Result<Self, Error> {
        let runtime = runtime::start()?;
        // Before any target is started: a signal in between would leave it behind.
        let stop = runtime.block_on(async { Stop::listen() })?;
        Ok(Self { runtime: Some(runtime), stop: RefCell::new(stop), live: screen.live })
    }

    /// Runs one race to its end, or to a signal.
    pub(crate) fn run(&self, scenario: &Scenario) -> Result<Outcome, Error> {
        let mut ticker = Ticker::new(scenario, self.live);
        let racing = vestibule_race::run(scenario, |progress| ticker.tell(progress));
        let result = self.unless_stopped(async { racing.await.map_err(explained) });
        ticker.done();
        result
    }

    /// Writes a page to stdout, or is told to stop meanwhile: a reader may never read.
    pub(crate) fn show(&self, page: String) -> Result<Reader, Error> {
        self.unless_stopped(written(page))
    }

    /// Acts to the end, or to a signal.
    pub(crate) fn unless_stopped<T>(
        &self,
        act: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let Some(runtime) = &self.runtime else { return Err(stopped(SignalKind::terminate())) };
        let mut stop = self.stop.borrow_mut();
        runtime.block_on(async {
            tokio::select! {
                result = act => result,
                signal = stop.told() => Err(stopped(signal)),
            }
        })
    }
}

/// Writes a page to stdout without keeping others from their work.
pub(crate) async fn written(page: String) -> Result<Reader, Error> {
    let written = tokio::task::spawn_blocking(move || stdout::write(&page)).await;
    written.map_err(|error| Error::system(format!("cannot write to stdout: {error}")))?
}

impl Session {
    /// Ends it, and with it all that was started, before another program takes our place: what is dropped behind
    /// us would be dropped never.
    pub(crate) fn end(mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(ENDS_WITHIN);
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // A thread that writes to a reader who does not read would be waited for.
            runtime.shutdown_background();
        }
    }
}

fn stopped(signal: SignalKind) -> Error {
    let number = u8::try_from(signal.as_raw_value()).unwrap_or_default();
    Error::stopped(number, "stopped; whatever was started is gone")
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
    async fn told(&mut self) -> SignalKind {
        tokio::select! {
            _ = self.interrupt.recv() => SignalKind::interrupt(),
            _ = self.terminate.recv() => SignalKind::terminate(),
        }
    }
}
