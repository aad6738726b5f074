//! Questions that block.
//!
//! Owns the few threads on which the system is asked what can't be asked without blocking and can't be cancelled:
//! the resolver, a file system. A thread lives for one question, so that a runtime can end without it. Must
//! never have more of them than places, those that nobody waits for any more included.

use std::thread;

use tokio::sync::{Semaphore, oneshot};
use vestibule::check::{Reason, Trouble};

/// Places for threads of one sort.
#[derive(Debug)]
pub(crate) struct Aside {
    name: &'static str,
    places: Semaphore,
}

impl Aside {
    /// As many places; threads have this name.
    pub(crate) const fn new(name: &'static str, places: usize) -> Self {
        Self { name, places: Semaphore::const_new(places) }
    }

    /// Asks in a thread of its own, once there is a place for it. The place is free again when the thread ends,
    /// not when nobody waits for it any more.
    ///
    /// # Errors
    ///
    /// That there is no thread to be had, or that the question panicked.
    pub(crate) async fn ask<T: Send + 'static>(
        &'static self,
        question: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Trouble> {
        let broken = |_| Trouble::new(Reason::Panicked, "the question broke");
        let place = self.places.acquire().await.map_err(|_| broken(()))?;
        let (answer, answered) = oneshot::channel();
        let thread = thread::Builder::new().name(self.name.to_owned()).spawn(move || {
            let _place = place;
            let _ = answer.send(question());
        });
        thread.map_err(|error| Trouble::new(Reason::OutOfResources, error.to_string()))?;
        answered.await.map_err(|_| broken(()))
    }

    #[cfg(test)]
    pub(crate) fn free(&self) -> usize {
        self.places.available_permits()
    }
}
