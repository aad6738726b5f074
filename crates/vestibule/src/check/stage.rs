//! What a try is waiting for.
//!
//! Owns the one word that is left of a try which is cut off at its timeout. Must never keep time.

use std::sync::{Mutex, PoisonError};

use super::{Reason, Trouble};

/// What a try is waiting for, so that its timeout can be told from another.
#[derive(Debug)]
pub struct Stage {
    now: Mutex<(Reason, &'static str)>,
}

impl Stage {
    /// A try goes on to wait for `what`; if its time ends before the next stage, that is the trouble.
    pub fn waits(&self, reason: Reason, what: &'static str) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = (reason, what);
    }

    /// The trouble of a try that was cut off here.
    #[must_use]
    pub fn cut_off(&self) -> Trouble {
        let (reason, what) = *self.now.lock().unwrap_or_else(PoisonError::into_inner);
        Trouble::new(reason, format!("no more time while waiting for {what}"))
    }
}

impl Default for Stage {
    fn default() -> Self {
        Self { now: Mutex::new((Reason::TimedOut, "its end")) }
    }
}
