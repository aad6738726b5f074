//! What the library logs in this process.
//!
//! Owns the lines of one thread, while it is there.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry;

/// The lines of this thread from now on.
pub(crate) struct Listening {
    lines: Arc<Mutex<Vec<String>>>,
    _guard: DefaultGuard,
}

impl Listening {
    pub(crate) fn begin() -> Self {
        let lines = Arc::<Mutex<Vec<String>>>::default();
        let layer = Lines(Arc::clone(&lines));
        let guard = tracing::subscriber::set_default(registry().with(layer));
        Self { lines, _guard: guard }
    }

    /// The lines with these words in them.
    pub(crate) fn with(&self, words: &str) -> Vec<String> {
        let lines = self.lines.lock().unwrap();
        lines.iter().filter(|line| line.contains(words)).cloned().collect()
    }
}

struct Lines(Arc<Mutex<Vec<String>>>);

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}
