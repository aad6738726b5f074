//! What the front says in its log.

use std::fmt;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Metadata, Subscriber};

/// Collects every field of every event and span of this thread.
#[derive(Clone, Default)]
pub(crate) struct Ears(Arc<Mutex<String>>);

impl Ears {
    /// Listens to the thread that this is called on, until the guard is dropped.
    pub(crate) fn open() -> (Self, DefaultGuard) {
        let ears = Self::default();
        (ears.clone(), tracing::subscriber::set_default(ears))
    }

    /// One line for each event.
    pub(crate) fn heard(&self) -> String {
        self.0.lock().unwrap().clone()
    }
}

impl Visit for Ears {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.lock().unwrap().push_str(&format!("{}={value:?} ", field.name()));
    }
}

impl Subscriber for Ears {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        span.record(&mut self.clone());
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut self.clone());
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
        self.0.lock().unwrap().push('\n');
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}
