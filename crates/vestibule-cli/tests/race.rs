//! Breaks `race` and `demo` as a user meets them: the real program, a real slow backend, real
//! sockets. The backend is the demo's own, with a shorter start.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests say what they expect by unwrapping")]

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::Value;

const VESTIBULE: &str = env!("CARGO_BIN_EXE_vestibule");
/// A cold start of 0.9 s, of which the port is open for the last 0.5 s.
const BACKEND: [&str; 8] = [
    "--",
    VESTIBULE,
    "demo-backend",
    "--port={port}",
    "--bind-after",
    "400ms",
    "--ready-after",
    "900ms",
];

fn vestibule(args: &[&str]) -> Output {
    Command::new(VESTIBULE).args(args).output().unwrap()
}

/// A small race of the backend, with the given flags.
fn race(flags: &[&str]) -> Output {
    let small = ["race", "--clients", "60", "--spread", "1200ms", "--path", "/ws"];
    vestibule(&[&small[..], flags, &BACKEND[..]].concat())
}

fn parsed(output: &Output) -> Value {
    let said = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"))
}

#[test]
fn a_bare_race_shows_the_1011s_and_fails() {
    let output = race(&["--json"]);
    assert_eq!(output.status.code(), Some(1));
    let value = parsed(&output);
    let run = &value["runs"][0];
    let count = |key: &str| run["counts"][key].as_u64().unwrap_or(0);
    assert!(count("refused") > 0 && count("closed_1011") > 0 && count("ok") > 0, "{run}");
    assert_eq!(run["visits"].as_array().unwrap().len(), 60);
    // The backend's stamp is on the race's own clock: 0.9 s and what it takes to start it.
    assert_eq!(run["ready"]["source"], "stamp");
    let ready = run["ready"]["at_ms"].as_f64().unwrap();
    assert!((900.0..5000.0).contains(&ready), "{ready}");
    // Whoever was served was served after the stamp.
    assert!(run["lag_ms"]["all"]["min"].as_f64().unwrap() >= 0.0, "{run}");
}

#[test]
fn a_comparison_passes_when_the_door_loses_nobody() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("junit.xml");
    let file = file.to_str().unwrap();
    let output = race(&["--compare", "--ready-path", "/health", "--ascii", "--junit", file]);
    let page = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{page}");
    assert!(page.contains("\nPASS Behind the door, all 60 clients were served.\n"), "{page}");
    assert!(page.is_ascii() && page.lines().all(|line| line.len() <= 72), "{page}");
    let xml = std::fs::read_to_string(Path::new(file)).unwrap();
    assert_eq!(xml.matches("<testcase ").count(), 120);
    assert!(!xml.contains("<failure"), "{xml}");
}

// Breaks the comparison on a platform where it would judge a rival, or hide one.
#[test]
fn a_comparison_on_a_platform_has_four_columns_and_judges_the_door() {
    let flags = ["--platform", "cloud-run", "--compare", "--ready-path", "/health", "--json"];
    let output = race(&flags);
    let value = parsed(&output);
    assert_eq!(output.status.code(), Some(0), "{}", value["lost"]);
    let runs = value["runs"].as_array().unwrap();
    let told: Vec<_> = runs.iter().map(|run| (&run["column"], &run["judged"])).collect();
    let row = |column: &str, judged: bool| (Value::from(column), Value::from(judged));
    let wanted =
        [row("none", false), row("http_probe", false), row("vestibule", true), row("both", true)];
    assert_eq!(told, wanted.iter().map(|(a, b)| (a, b)).collect::<Vec<_>>());
    assert!(runs[0]["counts"]["closed_1011"].as_u64().unwrap() > 0, "{}", runs[0]["counts"]);
    assert_eq!(runs[2]["platform"]["probe"], "the default TCP probe");
    assert_eq!(runs[3]["platform"]["probe"], "GET /vestibule-ready every 1 s");
}

#[test]
fn a_command_that_cannot_be_raced_is_told_with_a_hint() {
    for (args, wanted) in [
        (&["race", "--", "no-such-program"][..], "no-such-program: not found"),
        (&["race", "--", "sh", "-c", "echo no database; exit 3"], "  | no database\n"),
        (&["race", "--url", "wss://h/"], "TLS is not spoken"),
        (&["race"], "<CMD>..."),
        (&["race", "--platform", "cloud-run", "--compare", "--", "true"], "add --ready-path"),
    ] {
        let output = vestibule(args);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() > Some(1), "{args:?}: {said}");
        assert!(said.contains(wanted), "{args:?}: {said}");
    }
}

#[tokio::test]
async fn a_stopped_race_leaves_no_process() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("pid");
    let script = format!("trap '' TERM; echo $$ > {}; sleep 100; sleep 100", file.display());
    let mut race =
        Command::new(VESTIBULE).args(["race", "--", "sh", "-c", &script]).spawn().unwrap();
    let mut target = None;
    until("the target's start", || {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        target = text.strip_suffix('\n').map(|number| number.parse().unwrap());
        target.is_some()
    })
    .await;
    let pid = |number: i32| rustix::process::Pid::from_raw(number).unwrap();
    let own = pid(i32::try_from(race.id()).unwrap());
    rustix::process::kill_process(own, rustix::process::Signal::TERM).unwrap();
    assert!(!race.wait().unwrap().success());
    let target = pid(target.unwrap());
    until("the target's end", || rustix::process::test_kill_process_group(target).is_err()).await;
}

/// Waits for what must come, with a bound that only a broken build meets.
async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    for _ in 0..2000 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("never: {what}");
}

// The promise of the README's first command.
#[test]
fn the_demo_shows_the_race_and_its_cure() {
    let output = vestibule(&["demo", "--ascii", "--trace"]);
    let page = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{page}");
    for part in [
        "BARE   clients dial the app itself\n",
        "DOOR   clients dial vestibule, in front of the same app\n",
        "  closed 1011 ",
        "PASS Behind the door, all 200 clients were served.\n",
        "   Close 1011 \"still starting\"\n",
        "< HTTP/1.1 101 Switching Protocols\\r\\n",
        "vestibule run -- YOUR COMMAND",
    ] {
        assert!(page.contains(part), "no {part:?} in\n{page}");
    }
}
