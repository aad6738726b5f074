//! Log lines on stderr.
//!
//! Owns their two forms and the way out. Must never block a connection: when stderr's reader is
//! slow, lines are dropped and counted.

pub mod form;

use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tracing::level_filters::LevelFilter;
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::reload::{self, Handle};
use tracing_subscriber::{Layer, Registry};

use crate::settings::Log;

/// Lines that wait for a slow reader.
const LINES_WAITING_MAX: usize = 4096;
/// How long the end of the process waits for a reader.
const FLUSH_MAX: Duration = Duration::from_millis(500);

/// The name of the thread that writes.
pub(crate) const THREAD: &str = "log";

/// Keeps the log going; dropping it lets the last lines out.
pub(crate) struct Running {
    lines: Arc<Mutex<Option<SyncSender<String>>>>,
    dropped: Arc<AtomicU64>,
    done: Receiver<()>,
    writer: Option<JoinHandle<()>>,
    verbosity: Verbosity,
}

/// How much is logged; may be changed while it runs.
#[derive(Clone)]
pub(crate) struct Verbosity(Handle<LevelFilter, Registry>);

/// Begins to log. Only the first call in a process has an effect.
pub(crate) fn start(log: &Log) -> Running {
    let (sender, receiver) = sync_channel(LINES_WAITING_MAX);
    let (finished, done) = sync_channel(1);
    let dropped = Arc::new(AtomicU64::new(0));
    let lines = Arc::new(Mutex::new(Some(sender)));
    let out =
        ToWriter { log: log.clone(), lines: Arc::clone(&lines), dropped: Arc::clone(&dropped) };
    let (filter, handle) = reload::Layer::new(level(log.verbose));
    let json = log.json;
    let counted = Arc::clone(&dropped);
    let writer = std::thread::Builder::new()
        .name(THREAD.into())
        .spawn(move || {
            write_lines(&receiver, &counted, json);
            let _ = finished.send(());
        })
        .ok();
    let subscriber = tracing_subscriber::registry().with(out.with_filter(filter));
    let _ = tracing::subscriber::set_global_default(subscriber);
    Running { lines, dropped, done, writer, verbosity: Verbosity(handle) }
}

impl Running {
    /// A handle on how much is logged.
    pub(crate) fn verbosity(&self) -> Verbosity {
        self.verbosity.clone()
    }

    /// How many lines were dropped so far; it goes on counting.
    pub(crate) fn dropped(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.dropped)
    }
}

impl Verbosity {
    /// Also logs, or logs no more, what only someone who looks for a fault wants.
    pub(crate) fn set(&self, verbose: bool) {
        // Fails only when nothing is logged any more.
        let _ = self.0.modify(|filter| *filter = level(verbose));
    }
}

fn level(verbose: bool) -> LevelFilter {
    if verbose { LevelFilter::DEBUG } else { LevelFilter::INFO }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Without a sender the writer ends after its last line.
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).take();
        let stuck = matches!(self.done.recv_timeout(FLUSH_MAX), Err(RecvTimeoutError::Timeout));
        if let Some(writer) = self.writer.take().filter(|_| !stuck) {
            let _ = writer.join();
        }
    }
}

struct ToWriter {
    log: Log,
    lines: Arc<Mutex<Option<SyncSender<String>>>>,
    dropped: Arc<AtomicU64>,
}

impl<S: Subscriber> Layer<S> for ToWriter {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let line = if self.log.json {
            form::json(event, self.log.project.as_deref())
        } else {
            form::text(event)
        };
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Err(TrySendError::Full(_))) = lines.as_ref().map(|lines| lines.try_send(line)) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn write_lines(lines: &Receiver<String>, dropped: &AtomicU64, json: bool) {
    let mut said = 0;
    while let Ok(line) = lines.recv() {
        let mut stderr = std::io::stderr().lock();
        // One write a line, so that lines of ours and the child's never mix.
        let _ = stderr.write_all(line.as_bytes());
        let lost = dropped.load(Ordering::Relaxed);
        if lost > said {
            let _ = stderr.write_all(form::lost(lost - said, json).as_bytes());
            said = lost;
        }
    }
}
