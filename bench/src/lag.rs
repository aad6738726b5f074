//! Lag: from real readiness to the client's 101, for clients that were all held.
//!
//! Owns the races and their comparison. A backend that holds its clients itself, unread in its own
//! backlog, is the peer: what it has left to do when it gets ready is what a front leaves to it.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::claim::Claim;
use crate::tools::Tools;

const CLIENTS: u32 = 200;
/// The first client comes when even Python has bound its port, the last well before readiness.
const HEAD_START: &str = "2000ms";
const SPREAD: &str = "1000ms";
const READY_AFTER: &str = "3.5";
/// Rounds of all rows in turn: a noisy moment then meets every row.
const ROUNDS: usize = 5;

/// Out of its own backlog Node has two speeds from one race to the next, a p99 of about 50 ms and of about 90 ms
/// where this was chosen; behind the door it has one that lies between. The ratio says which of the two was met.
const NODE_AT_MOST: f64 = 1.75;

/// One kind of race.
struct Row {
    backend: &'static str,
    env: &'static [(&'static str, &'static str)],
    flags: &'static [&'static str],
}

const NOTIFIED: Row = Row {
    backend: "axum",
    env: &[("MODE", "close1011"), ("NOTIFY", "1")],
    flags: &["--door-only", "--door", "--ready notify"],
};
const PROBED: Row = Row {
    backend: "axum",
    env: &[("MODE", "close1011")],
    flags: &["--door-only", "--ready-path", "/health"],
};

/// The backend holding its clients in its backlog, and the same backend behind the door.
const fn pair(backend: &'static str) -> [Row; 2] {
    [
        Row { backend, env: &[("MODE", "close1011"), ("HOLD_ITSELF", "backlog")], flags: &[] },
        Row {
            backend,
            env: &[("MODE", "close1011")],
            flags: &["--door-only", "--ready-path", "/health"],
        },
    ]
}

/// Runs all races and makes claims of them.
pub(crate) fn measure(tools: &Tools) -> Result<Vec<Claim>, String> {
    let (mut notified, mut probed) = (Vec::new(), Vec::new());
    let (mut uvicorn, mut node) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        notified.push(p99(tools, &NOTIFIED)?);
        probed.push(p99(tools, &PROBED)?);
        uvicorn.push(ratio(tools, &pair("uvicorn"))?);
        node.push(ratio(tools, &pair("node"))?);
    }
    let held = "lag p99 of 200 held clients";
    Ok(vec![
        Claim::new(format!("{held}, axum, by notify"), "ms", notified, 25.0),
        Claim::new(format!("{held}, axum, by probes"), "ms", probed, 50.0),
        Claim::new(format!("{held}, uvicorn"), "x itself", uvicorn, 1.5),
        Claim::new(format!("{held}, Node"), "x itself", node, NODE_AT_MOST),
    ])
}

fn ratio(tools: &Tools, [itself, door]: &[Row; 2]) -> Result<f64, String> {
    let itself = p99(tools, itself)?;
    Ok(p99(tools, door)? / itself)
}

/// The p99 of one race in milliseconds; a lost client makes it worthless.
fn p99(tools: &Tools, row: &Row) -> Result<f64, String> {
    let output = Command::new(&tools.vestibule)
        .args(["race", "--json", "--path", "/ws", "--clients", &CLIENTS.to_string()])
        // A client that talks at once would take from the others' processor.
        .args(["--head-start", HEAD_START, "--spread", SPREAD, "--send", ""])
        .args(row.flags)
        .arg("--")
        .args(tools.backend(row.backend))
        .env("READY_AFTER", READY_AFTER)
        .envs(row.env.iter().copied())
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{}: {error}", tools.vestibule.display()))?;
    let said = || String::from_utf8_lossy(&output.stderr).into_owned();
    let document: Value =
        serde_json::from_slice(&output.stdout).map_err(|error| format!("{error}\n{}", said()))?;
    let run = &document["runs"][0];
    let early = &run["lag_ms"]["early"];
    if document["lost"] != 0 || early["clients"] != CLIENTS {
        return Err(format!(
            "{}: not all of {CLIENTS} clients were held: {}, {early}, {}\n{}",
            row.backend,
            run["counts"],
            run["notes"],
            said()
        ));
    }
    early["p99"].as_f64().ok_or_else(|| format!("no lag in {early}"))
}
