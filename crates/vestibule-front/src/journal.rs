//! Everything that happens, told once.
//!
//! Owns the telling: one call here becomes the log line, the count or measure, and the event for
//! `/events`, so that the three can't disagree. Must never carry anything of a request but the trace
//! identifiers that were parsed from it: labels and events are words of our own enums, and numbers.

pub mod checks;
pub mod event;
pub mod meters;
pub mod refusals;
pub mod reloads;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::broadcast;
use tokio::time::Instant;
use vestibule::gate::Release;
use vestibule::readiness::{Failure, State};

use crate::ending::Ending;
use crate::farewell::Reason;
use crate::head::TraceContext;
use crate::stream::placed::Occupancy;
use crate::tunnel::Ended;
use crate::upstream::probe::{Readiness, Seen};

use self::event::Event;
use self::meters::Meters;
use self::refusals::{LastRefusals, Refused};
use self::reloads::{Outcome, Reload};

/// Events that a slow reader may be behind before it loses some.
const EVENTS_KEPT: usize = 64;

/// Where everything is told.
#[derive(Debug)]
pub struct Journal {
    /// What is counted and measured.
    pub meters: Meters,
    events: broadcast::Sender<Event>,
    last_refusals: Mutex<LastRefusals>,
    probing: Mutex<Probing>,
    last_reload: Mutex<Option<Reload>>,
    exhausted: OnceLock<Arc<AtomicU64>>,
}

/// How readiness is being learnt.
#[derive(Clone, Copy, Debug)]
pub struct Probing {
    /// The word of its source; none before anybody looked.
    pub source: Option<&'static str>,
    /// What the last probe saw.
    pub last_seen: Seen,
}

/// What a client came for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A WebSocket.
    Handshake,
    /// Anything else.
    Plain,
}

/// What is told of a client beside what happened to it.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// What it came for; unknown if its head could not be read.
    kind: Option<Kind>,
    arrived: Instant,
    trace: Option<TraceContext>,
}

impl About {
    /// A client whose head could not be read.
    pub fn unread() -> Self {
        Self { kind: None, arrived: Instant::now(), trace: None }
    }

    /// A handshake, and the trace that it belongs to.
    pub const fn handshake(arrived: Instant, trace: Option<TraceContext>) -> Self {
        Self { kind: Some(Kind::Handshake), arrived, trace }
    }

    /// A plain request, and the trace that it belongs to.
    pub const fn plain(arrived: Instant, trace: Option<TraceContext>) -> Self {
        Self { kind: Some(Kind::Plain), arrived, trace }
    }

    /// How long ago it arrived.
    fn waited(&self) -> Duration {
        self.arrived.elapsed()
    }
}

/// The fields by which a log viewer joins a line to its trace.
struct Trace {
    id: Option<String>,
    span: Option<String>,
    sampled: Option<bool>,
}

impl From<Option<TraceContext>> for Trace {
    fn from(trace: Option<TraceContext>) -> Self {
        Self {
            id: trace.map(|trace| format!("{:032x}", trace.trace_id)),
            span: trace.map(|trace| format!("{:016x}", trace.span_id)),
            sampled: trace.map(|trace| trace.sampled),
        }
    }
}

impl Default for Journal {
    fn default() -> Self {
        Self {
            meters: Meters::default(),
            events: broadcast::Sender::new(EVENTS_KEPT),
            last_refusals: Mutex::default(),
            probing: Mutex::new(Probing { source: None, last_seen: Seen::Nothing }),
            last_reload: Mutex::default(),
            exhausted: OnceLock::new(),
        }
    }
}

/// Connections and their clients.
impl Journal {
    /// A public connection was accepted.
    pub fn accepted(&self) {
        self.meters.accepted.inc();
    }

    /// Accepting pauses, since as many connections as may be are open. The places count that.
    pub fn full(&self, full: Occupancy, pauses: u64) {
        tracing::warn!(
            open = full.open,
            limit = full.limit,
            pauses,
            "accepting paused: as many connections as may be are open, and newcomers wait in the kernel",
        );
    }

    /// Accepting has gone on for a while.
    pub fn has_room(&self, lasted: Duration, pauses: u64) {
        let lasted_ms = millis(lasted);
        tracing::info!(lasted_ms, pauses, "accepting goes on: there is room again");
    }

    /// Where the public listener counts its pauses for want of descriptors or memory. The first is
    /// the one.
    pub fn watch_pauses(&self, exhausted: Arc<AtomicU64>) {
        let _ = self.exhausted.set(exhausted);
    }

    /// How often accepting paused for want of descriptors or memory.
    pub fn exhausted_total(&self) -> u64 {
        self.exhausted.get().map_or(0, |count| count.load(Ordering::Relaxed))
    }

    /// A handshake became a tunnel. `lag` is the time since readiness, for a client that was held
    /// by then.
    pub fn admitted(&self, about: About, tries: u32, lag: Option<Duration>) {
        let waited = about.waited();
        self.meters.held(Kind::Handshake, "admitted", waited);
        if let Some(lag) = lag {
            self.meters.lag.observe(lag.as_secs_f64());
        }
        let Trace { id, span, sampled } = about.trace.into();
        let waited_ms = millis(waited);
        tracing::info!(waited_ms, tries, trace = id, span, sampled, "admitted");
    }

    /// A plain request goes on to the service. Too many for a line each.
    pub fn plain_admitted(&self, waited: Duration) {
        self.meters.held(Kind::Plain, "admitted", waited);
    }

    /// Everyone who waited for a release has gone.
    pub fn released(&self, release: Release) {
        let took_ms = millis(release.took);
        tracing::info!(admitted = release.admitted, took_ms, "released");
        self.tell(Event::Released { admitted: release.admitted, took_ms });
    }

    /// A tunnel is over.
    pub fn tunnel_ended(&self, ended: &Ended, about: About) {
        self.meters.ended(ended.ending);
        let lasted = about.waited();
        self.meters.tunnel_ended(ended, lasted);
        let Trace { id, span, sampled } = about.trace.into();
        tracing::info!(
            ending = %ended.ending,
            how = ended.detail.as_str(),
            to_client = ended.to_client,
            to_upstream = ended.to_upstream,
            close_sent = ended.close_sent,
            lasted_ms = millis(lasted),
            trace = id,
            span,
            sampled,
            "tunnel ended",
        );
    }

    /// A client was refused.
    pub fn refused(&self, reason: &Reason, ending: Ending, about: About) {
        self.meters.ended(ending);
        self.meters.refused(reason);
        self.meters.hold_ended(about, ending, "refused");
        let refused = Refused { code: reason.code(), ending, at: Instant::now() };
        self.last_refusals.lock().unwrap_or_else(PoisonError::into_inner).add(refused);
        let Trace { id, span, sampled } = about.trace.into();
        let waited_ms = millis(about.waited());
        tracing::info!(%reason, %ending, waited_ms, trace = id, span, sampled, "refused");
    }

    /// A client left before it was answered.
    pub fn left(&self, ending: Ending, about: About) {
        self.meters.ended(ending);
        self.meters.hold_ended(about, ending, "left");
        let Trace { id, span, sampled } = about.trace.into();
        let waited_ms = millis(about.waited());
        tracing::info!(%ending, waited_ms, trace = id, span, sampled, "client left");
    }

    /// The service broke off in the middle of an answer.
    pub fn broke_off(&self, ending: Ending, about: About) {
        self.meters.ended(ending);
        tracing::warn!(%ending, lasted_ms = millis(about.waited()), "an answer broke off");
    }

    /// A connection ended as connections do: it had its answers, or never asked. Not worth a line.
    pub fn over(&self, ending: Ending) {
        self.meters.ended(ending);
    }

    /// The service answered a handshake with something other than 101; the connection ends with it.
    pub fn answered(&self, status: u16, ending: Ending, about: About) {
        self.meters.ended(ending);
        self.meters.hold_ended(about, ending, "answered");
        self.meters.answered(Kind::Handshake, status);
        let waited_ms = millis(about.waited());
        tracing::info!(status, waited_ms, "the service answered a handshake itself");
    }

    /// The service answered a plain request. Too many for a line each.
    pub fn plain_answered(&self, status: u16) {
        self.meters.answered(Kind::Plain, status);
    }
}

/// The service behind.
impl Journal {
    /// Readiness is being learnt from this source; nothing has been seen yet.
    pub fn probing(&self, readiness: &Readiness) {
        *self.lock_probing() =
            Probing { source: Some(readiness.as_str()), last_seen: Seen::Nothing };
    }

    /// A probe saw this.
    pub fn probed(&self, seen: Seen) {
        self.lock_probing().last_seen = seen;
    }

    /// The published state is another one now. What it means for the clients has a line of its own.
    pub fn state(&self, state: &State) {
        self.tell(Event::State(state.as_str()));
    }

    /// It was found ready, so long after its start.
    pub fn ready(&self, after: Duration, held: usize) {
        self.meters.time_to_ready.observe(after.as_secs_f64());
        tracing::info!(after_ms = millis(after), held, "ready");
    }

    /// A first hand-over survived.
    pub fn survived(&self, held: usize) {
        tracing::info!(held, "first hand-over settled: releasing");
        self.tell(Event::Settled { held });
    }

    /// It does not take connections any more.
    pub fn lost(&self, why: &str) {
        tracing::warn!(why, "not ready any more: holding");
    }

    /// It will not get ready.
    pub fn failed(&self, failure: &Failure, held: usize) {
        tracing::error!(reason = %failure, held, "failed: refusing");
    }

    /// Its last tunnel was dropped without a goodbye.
    pub fn fell(&self) {
        tracing::warn!("the last tunnel was dropped by the service: scouts go first again");
    }
}

/// Our own settings.
impl Journal {
    /// `file` was read again and is in force; of these keys `changed` is new, and `waiting` waits
    /// for a restart.
    pub fn reload_taken(&self, file: &str, changed: &str, waiting: &str) {
        tracing::info!(file, changed, "configuration reloaded");
        if !waiting.is_empty() {
            let keys = waiting;
            tracing::warn!(keys, "these settings wait for a restart: they stay as they were");
        }
        self.reloaded(Outcome::Taken);
    }

    /// `file` was read again, and has these mistakes.
    pub fn reload_refused(&self, file: &str, mistakes: &str) {
        tracing::error!(file, mistakes, "configuration refused: what was in force stays in force",);
        self.reloaded(Outcome::Refused);
    }

    fn reloaded(&self, outcome: Outcome) {
        self.meters.reloaded(outcome);
        let reload = Reload { outcome, at: Instant::now() };
        *self.last_reload.lock().unwrap_or_else(PoisonError::into_inner) = Some(reload);
    }
}

/// Our own leaving.
impl Journal {
    /// Readiness has ended, and with it all in time.
    pub fn draining(&self, open: usize, lame_duck: Duration, drain: Duration) {
        let (lame_duck_ms, drain_ms) = (millis(lame_duck), millis(drain));
        tracing::info!(open, lame_duck_ms, drain_ms, "draining");
        self.tell(Event::Draining { open });
    }

    /// The drain is over; `emptied` says that every connection had ended by then.
    pub fn drained(&self, took: Duration, open: usize, emptied: bool) {
        let took_ms = millis(took);
        if emptied {
            tracing::info!(took_ms, "drained");
        } else {
            tracing::warn!(took_ms, open, "drain ended with connections open");
        }
        self.tell(Event::Drained { open, took_ms });
    }
}

/// What may be asked of it.
impl Journal {
    /// Hears every event from now on. Who reads too slowly loses the oldest, and is told how many.
    pub fn hear(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// The last refusals, newest first.
    pub fn last_refusals(&self) -> Vec<Refused> {
        self.last_refusals.lock().unwrap_or_else(PoisonError::into_inner).newest_first()
    }

    /// The last reload, if there was one.
    pub fn last_reload(&self) -> Option<Reload> {
        *self.last_reload.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How readiness is being learnt.
    pub fn how_probed(&self) -> Probing {
        *self.lock_probing()
    }

    fn tell(&self, event: Event) {
        // Nobody may be listening.
        let _ = self.events.send(event);
    }

    fn lock_probing(&self) -> MutexGuard<'_, Probing> {
        self.probing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kind {
    /// The word used in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Handshake => "handshake",
            Self::Plain => "plain",
        }
    }
}

/// Whole milliseconds, for the log.
pub fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
