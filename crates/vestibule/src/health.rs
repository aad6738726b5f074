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
    /// What the service needs, in the order of declaration.
    pub checks: Vec<Check>,
    /// The checks without which the service is ready all the same, by name.
    pub degraded: Vec<String>,
    /// The passes over the checks.
    pub validation: Validation,
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

/// One check, as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Its declared name.
    pub name: String,
    /// The word of its kind: `postgres`, `redis`, …
    pub kind: &'static str,
    /// The word of its group.
    pub group: &'static str,
    /// Whether there is no first ready without it.
    pub critical: bool,
    /// When it gates: `startup` or `always`.
    pub gate: &'static str,
    /// The word of its last outcome: `passed`, `failed`, `skipped`; `unknown` before the first of this start.
    pub outcome: &'static str,
    /// The word for why it did not pass.
    pub reason: Option<&'static str>,
    /// What was seen or came back, fit to be shown.
    pub detail: Option<String>,
    /// Tries so far.
    pub attempts: u64,
    /// How long its last try took.
    pub took_ms: Option<u64>,
    /// How old its last outcome is.
    pub age_ms: Option<u64>,
    /// Whether it counts as down.
    pub down: bool,
    /// The word of its breaker: `closed`, `open` or `half_open`.
    pub breaker: &'static str,
}

/// The passes over the checks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Validation {
    /// How many have begun.
    pub passes: u64,
    /// Whether one is under way.
    pub running: bool,
    /// How long the last one took.
    pub last_ms: Option<u64>,
    /// What follows from the checks now: `waiting`, `ready`, `degraded`, `hold` or `refuse`.
    pub opinion: &'static str,
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
