//! The report for machines, in one stable form.
//!
//! Owns the schema `vestibule.race/1`: within this version fields are only added. All times are
//! milliseconds with three decimals, counted from the start of the race; what was not seen is
//! `null`.
//!
//! | field | meaning |
//! |---|---|
//! | `schema` | `vestibule.race/1` |
//! | `passed`, `lost` | whether, and how many, clients of the judged race were lost |
//! | `runs[]` | one for each race: `bare` then `door`, the four columns of a platform, or the only one |
//! | `runs[].role`, `.judged`, `.address` | `bare`, `door` or `address`; whether it decides; what was dialled |
//! | `runs[].column`, `.platform` | on a platform alone: `none`, `http_probe`, `vestibule` or `both`; and what it did: `probe`, `concurrency`, `started_ms`, `routed_from_ms`, `probe_failures`, `gave_up`, `pending_peak`, `crowded`, `refused` |
//! | `runs[].clients`, `.last_arrival_ms` | how many came, and until when |
//! | `runs[].port_open_ms` | when the dialled port was first listened on |
//! | `runs[].ready` | `at_ms`, and `source`: `stamp`, `probe` or `first_ok` |
//! | `runs[].exit` | of a target that ended by itself: `status` or `signal`, and `after_ms` |
//! | `runs[].counts` | clients by outcome: `ok`, `refused`, `unreachable`, `reset`, `status_NNN`, `closed_NNNN`, `timed_out`, `protocol_error`; only those seen |
//! | `runs[].lost`, `.accepted_early` | all but ok; clients whose 101 came before readiness |
//! | `runs[].lag_ms` | `early`, `late`, `all`: clients that were ok and came before readiness, after it, either; each `clients`, `min`, `p50`, `p99`, `max` |
//! | `runs[].notes[]` | what to know about the numbers, in words |
//! | `runs[].visits[]` | each client: `client`, `seen`, `arrived_ms`, `at_101_ms`, `first_reply_ms`, `ended_ms`, `lag_ms` |

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;

use super::{Note, Run};
use crate::{
    evidence::Readiness,
    platform::Routing,
    seen::Client,
    tally::{Lag, Tally},
    target::Exit,
};

/// The name and version of the form.
pub const SCHEMA: &str = "vestibule.race/1";

/// All races as one JSON document, with a line end.
#[must_use]
pub fn document(runs: &[&Run<'_>]) -> String {
    let lost = runs.iter().filter(|run| run.judged);
    let lost = lost.map(|run| run.tally.lost).sum();
    let document = Document {
        schema: SCHEMA,
        passed: lost == 0,
        lost,
        runs: runs.iter().map(|run| run_entry(run)).collect(),
    };
    // Maps with string keys and plain numbers always have a JSON form.
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}

#[derive(Serialize)]
struct Document {
    schema: &'static str,
    passed: bool,
    lost: usize,
    runs: Vec<RunEntry>,
}

#[derive(Serialize)]
struct RunEntry {
    role: &'static str,
    judged: bool,
    address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<PlatformEntry>,
    clients: usize,
    last_arrival_ms: f64,
    port_open_ms: Option<f64>,
    ready: Option<ReadyEntry>,
    exit: Option<ExitEntry>,
    counts: BTreeMap<String, usize>,
    lost: usize,
    accepted_early: usize,
    lag_ms: LagsEntry,
    notes: Vec<String>,
    visits: Vec<VisitEntry>,
}

#[derive(Serialize)]
struct PlatformEntry {
    probe: String,
    concurrency: usize,
    started_ms: Option<f64>,
    routed_from_ms: Option<f64>,
    probe_failures: u32,
    gave_up: bool,
    pending_peak: usize,
    crowded: usize,
    refused: usize,
}

#[derive(Serialize)]
struct ReadyEntry {
    at_ms: f64,
    source: &'static str,
}

#[derive(Serialize)]
struct ExitEntry {
    status: Option<i32>,
    signal: Option<i32>,
    after_ms: f64,
}

#[derive(Serialize)]
struct LagsEntry {
    early: Option<LagEntry>,
    late: Option<LagEntry>,
    all: Option<LagEntry>,
}

#[derive(Serialize)]
struct LagEntry {
    clients: usize,
    min: f64,
    p50: f64,
    p99: f64,
    max: f64,
}

#[derive(Serialize)]
struct VisitEntry {
    client: usize,
    seen: String,
    arrived_ms: f64,
    at_101_ms: Option<f64>,
    first_reply_ms: Option<f64>,
    ended_ms: f64,
    lag_ms: Option<f64>,
}

fn run_entry(run: &Run<'_>) -> RunEntry {
    let outcome = run.outcome;
    let Tally { seen, lost, accepted_early, .. } = &run.tally;
    RunEntry {
        role: outcome.role.label(),
        judged: run.judged,
        address: outcome.address.clone(),
        column: outcome.routing.as_ref().map(|_| run.column().key()),
        platform: outcome.routing.as_ref().map(platform_entry),
        clients: run.tally.clients,
        last_arrival_ms: ms(outcome.last_arrival),
        port_open_ms: outcome.port_open.map(ms),
        ready: outcome
            .ready
            .map(|ready| ReadyEntry { at_ms: ms(ready.at), source: ready.source.key() }),
        exit: outcome.exit.map(|(exit, after)| exit_entry(exit, after)),
        counts: seen.iter().map(|(seen, &n)| (seen.key(), n)).collect(),
        lost: *lost,
        accepted_early: *accepted_early,
        lag_ms: LagsEntry {
            early: run.tally.lag_early.map(lag_entry),
            late: run.tally.lag_late.map(lag_entry),
            all: run.tally.lag.map(lag_entry),
        },
        notes: Note::of(run).iter().map(Note::to_string).collect(),
        visits: visit_entries(&outcome.clients, outcome.ready.as_ref()),
    }
}

fn platform_entry(routing: &Routing) -> PlatformEntry {
    PlatformEntry {
        probe: routing.service.probe.to_string(),
        concurrency: routing.service.concurrency,
        started_ms: routing.started.map(ms),
        routed_from_ms: routing.routed_from.map(ms),
        probe_failures: routing.probe_failures,
        gave_up: routing.gave_up,
        pending_peak: routing.pending_peak,
        crowded: routing.crowded,
        refused: routing.refused,
    }
}

fn visit_entries(clients: &[Client], ready: Option<&Readiness>) -> Vec<VisitEntry> {
    let entry = |client: &Client| VisitEntry {
        client: client.number,
        seen: client.seen.key(),
        arrived_ms: ms(client.arrived),
        at_101_ms: client.at_101.map(ms),
        first_reply_ms: client.first_reply.map(ms),
        ended_ms: ms(client.ended),
        lag_ms: ready.and_then(|ready| client.lag_us(ready)).map(us_as_ms),
    };
    clients.iter().map(entry).collect()
}

fn exit_entry(exit: Exit, after: Duration) -> ExitEntry {
    let (status, signal) = match exit {
        Exit::Status(status) => (Some(status), None),
        Exit::Signal(signal) => (None, Some(signal)),
    };
    ExitEntry { status, signal, after_ms: ms(after) }
}

fn lag_entry(lag: Lag) -> LagEntry {
    LagEntry {
        clients: lag.clients,
        min: us_as_ms(lag.min_us),
        p50: us_as_ms(lag.p50_us),
        p99: us_as_ms(lag.p99_us),
        max: us_as_ms(lag.max_us),
    }
}

fn ms(span: Duration) -> f64 {
    span.as_micros() as f64 / 1000.0
}

fn us_as_ms(us: i64) -> f64 {
    us as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::{bare, door, on_a_platform};
    use serde_json::{Value, json};

    fn parsed(runs: &[&Run<'_>]) -> Value {
        serde_json::from_str(&document(runs)).unwrap()
    }

    // Breaks the promise of a stable form: every name and value of a comparison is pinned.
    #[test]
    fn the_form_is_stable() {
        let (bare, door) = (bare(), door());
        let value = parsed(&[&Run::for_comparison(&bare), &Run::judged(&door)]);
        assert_eq!(value["schema"], "vestibule.race/1");
        assert_eq!((&value["passed"], &value["lost"]), (&json!(true), &json!(0)));
        let mut run = value["runs"][0].clone();
        let visits = run.as_object_mut().unwrap().remove("visits").unwrap();
        assert_eq!(
            run,
            json!({
                "role": "bare",
                "judged": false,
                "address": "127.0.0.1:20001",
                "clients": 40,
                "last_arrival_ms": 4000.0,
                "port_open_ms": 500.0,
                "ready": { "at_ms": 2500.0, "source": "stamp" },
                "exit": null,
                "counts": { "ok": 15, "refused": 5, "closed_1011": 20 },
                "lost": 25,
                "accepted_early": 20,
                "lag_ms": {
                    "early": null,
                    "late": { "clients": 15, "min": 2.0, "p50": 2.0, "p99": 2.0, "max": 2.0 },
                    "all": { "clients": 15, "min": 2.0, "p50": 2.0, "p99": 2.0, "max": 2.0 },
                },
                "notes": [],
            })
        );
        assert_eq!(visits.as_array().unwrap().len(), 40);
        assert_eq!(
            visits[5],
            json!({
                "client": 5,
                "seen": "closed_1011",
                "arrived_ms": 550.0,
                "at_101_ms": 551.0,
                "first_reply_ms": null,
                "ended_ms": 851.0,
                "lag_ms": -1949.0,
            })
        );
    }

    #[test]
    fn a_platforms_part_is_there_only_on_a_platform() {
        let bare = on_a_platform(bare(), crate::Probe::http("/health"));
        let run = parsed(&[&Run::judged(&bare)])["runs"][0].clone();
        assert_eq!((&run["role"], &run["column"]), (&json!("bare"), &json!("http_probe")));
        assert_eq!(
            run["platform"],
            json!({
                "probe": "GET /health every 1 s",
                "concurrency": 80,
                "started_ms": 200.0,
                "routed_from_ms": 510.0,
                "probe_failures": 0,
                "gave_up": false,
                "pending_peak": 5,
                "crowded": 0,
                "refused": 0,
            })
        );
    }

    #[test]
    fn only_the_judged_race_decides() {
        let bare = bare();
        assert_eq!(parsed(&[&Run::for_comparison(&bare)])["passed"], true);
        assert_eq!(parsed(&[&Run::judged(&bare)])["passed"], false);
    }
}
