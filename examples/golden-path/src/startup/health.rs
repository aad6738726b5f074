//! What `/health` shows.
//!
//! Owns that document. Must never show an address, a name of a user or a secret: anybody may read it.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;
use vestibule::startup::Watch;

/// The state of this instance. Clones show the same one.
#[derive(Clone)]
pub(super) struct Health {
    instance: String,
    watch: Watch,
    began: Instant,
}

impl Health {
    pub(super) fn new(instance: &str, watch: Watch) -> Self {
        Self { instance: instance.to_owned(), watch, began: Instant::now() }
    }

    /// Whether the start is over.
    pub(super) fn is_complete(&self) -> bool {
        self.watch.timeline().is_complete()
    }

    /// The document.
    pub(super) fn document(&self) -> Value {
        let now = Instant::now();
        let timeline = self.watch.timeline();
        let status = if timeline.failure().is_some() {
            "failed"
        } else if timeline.is_complete() {
            "ready"
        } else {
            "starting"
        };
        let report = timeline.report(now);
        let phases = report.iter().map(|phase| {
            json!({
                "phase": phase.phase.as_str(),
                "state": phase.state.as_str(),
                "ms": phase.duration.map(millis),
            })
        });
        json!({
            "status": status,
            "instance": self.instance,
            "phase": timeline.current().as_str(),
            "uptime_ms": millis(now - self.began),
            "phases": phases.collect::<Vec<_>>(),
        })
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
