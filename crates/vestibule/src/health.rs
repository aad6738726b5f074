//! Documents about a service's health.
//!
//! Owns what may be shown, as plain values: an allow-list by its type, made of enums' words and
//! numbers, and of the few texts that whoever fills it has made fit to be shown. Must never gather
//! anything.

use serde::Serialize;

/// The form of [`Document`]; a field that is taken away or means something else makes a new one.
pub const SCHEMA: &str = "vestibule.health/1";

/// All that `/health` says. Times are ages in milliseconds: wall clocks jump.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Document {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// The program's version.
    pub version: &'static str,
    /// How long it has been running.
    pub uptime_ms: u64,
    /// Where it runs: production, staging, …
    pub environment: &'static str,
    /// On what: `cloud_run`, `kubernetes`, …
    pub platform: &'static str,
    /// The word of the state (see [`crate::readiness::State`]).
    pub state: &'static str,
    /// For how long it has been that.
    pub since_ms: u64,
    /// Why it failed: one short line, fit to be shown.
    pub failure: Option<String>,
    /// How the start went.
    pub startup: Startup,
    /// How readiness is learnt.
    pub readiness: Readiness,
    /// Who is here now.
    pub now: Now,
    /// How many were refused, for each reason that occurred.
    pub refused: Vec<Refused>,
    /// The last refusals, newest first.
    pub last_refusals: Vec<LastRefusal>,
    /// The last reload of the settings.
    pub last_reload: LastReload,
}

/// How a start went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Startup {
    /// The phase now.
    pub phase: &'static str,
    /// How many starts there were, this one included.
    pub starts: u32,
    /// Each phase, in order.
    pub phases: Vec<Phase>,
}

/// One phase of a start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Phase {
    /// Its name.
    pub name: &'static str,
    /// How it stands: `done`, `skipped`, `current`, `failed` or `pending`.
    pub state: &'static str,
    /// How long it took, or has taken so far; none for what was not entered, and for the end.
    pub took_ms: Option<u64>,
}

/// How readiness is learnt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Readiness {
    /// `notify`, `http` or `tcp`; none before anybody looked.
    pub source: Option<&'static str>,
    /// What the last probe saw.
    pub last_seen: String,
    /// What was seen when the service was ready last.
    pub evidence: Option<&'static str>,
}

/// Who is here now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Now {
    /// Clients that are held.
    pub held: usize,
    /// What they take.
    pub held_bytes: usize,
    /// Hand-overs in flight.
    pub hand_overs: usize,
    /// Open tunnels.
    pub tunnels: usize,
    /// Open public connections.
    pub connections: usize,
    /// How many there may be.
    pub connections_limit: usize,
}

/// How many were refused for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// The reason's word.
    pub reason: &'static str,
    /// How many.
    pub count: u64,
}

/// One refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LastRefusal {
    /// The reason's word.
    pub reason: &'static str,
    /// Whose act ended it.
    pub by: &'static str,
    /// In which phase of the connection.
    pub phase: &'static str,
    /// How long ago.
    pub ago_ms: u64,
}

/// The last reload of the settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LastReload {
    /// How it ended: `none` (there was none), `taken` or `refused`.
    pub outcome: &'static str,
    /// How long ago.
    pub ago_ms: Option<u64>,
}
