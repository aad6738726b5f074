//! A dependency that is as well as the test says, and counts who asks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use vestibule::check::{Check, CheckFuture, Checked, Reason, Saw, Spec, Stage, Trouble};

/// What no client and no log line may show.
pub(crate) const SECRET: &str = "db-7f3a.internal";

/// One dependency.
#[derive(Debug, Default)]
pub(crate) struct Dependency {
    well: AtomicBool,
    asked: AtomicUsize,
}

impl Dependency {
    pub(crate) fn new(well: bool) -> Arc<Self> {
        Arc::new(Self { well: well.into(), asked: 0.into() })
    }

    pub(crate) fn is_well(&self, well: bool) {
        self.well.store(well, Ordering::SeqCst);
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// A check of it, asked in this way.
    pub(crate) fn checked(self: &Arc<Self>, spec: Spec) -> Checked {
        Checked::new(spec, Arc::<Self>::clone(self))
    }
}

impl Check for Dependency {
    fn kind(&self) -> &'static str {
        "scripted"
    }

    fn target(&self) -> String {
        SECRET.to_owned()
    }

    fn try_once<'a>(&'a self, _stage: &'a Stage) -> CheckFuture<'a, Result<Saw, Trouble>> {
        Box::pin(async {
            self.asked.fetch_add(1, Ordering::SeqCst);
            if self.well.load(Ordering::SeqCst) {
                Ok(Saw::new("version 1"))
            } else {
                Err(Trouble::new(Reason::Refused, format!("{SECRET} refuses")))
            }
        })
    }
}

/// Asked as often as may be, and believed at once.
pub(crate) fn hasty(name: &str) -> Spec {
    Spec { interval: Duration::from_millis(100), attempts: 1, fall: 1, rise: 1, ..Spec::new(name) }
}
