//! Races: their reports are uploaded by build servers, and their mistakes stand in public logs.
//!
//! No report repeats the command; a mistake repeats what was mistaken, without what may be secret in it.

use std::process::{Command, Output};

use crate::ledger::{Allowed, Ledger};
use crate::stage::{Stage, python};

/// A race of the small service with secrets in all that it is given.
fn race(stage: &Stage, ledger: &Ledger, flags: &[&str]) -> Output {
    let small =
        ["race", "--clients", "6", "--spread", "600ms", "--head-start", "1ms", "--settle", "50ms"];
    let secret = |place: &str| ledger.secret(&format!("{place} of a race {flags:?}"));
    let path = format!("/ws?token={}", secret("the path"));
    let ready = format!("/health?key={}", secret("the ready path"));
    let headers = [
        format!("Authorization: Bearer {}", secret("a header")),
        format!("Cookie: session={}", secret("a cookie")),
    ];
    let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
    command.args(small).args(["--path", &path, "--header", &headers[0], "--header", &headers[1]]);
    command.args(["--send", &secret("a message")]).args(flags);
    // The door takes no query there.
    if !flags.iter().any(|flag| ["--compare", "--door-only"].contains(flag)) {
        command.args(["--ready-path", &ready]);
    }
    let app = stage.app(&["bind=0.2"]);
    command.arg("--").args(app).arg(format!("--password={}", secret("the command")));
    let (mark, value) = stage.mark();
    command
        .env("DATABASE_URL", format!("postgres://me:{}@db", secret("DATABASE_URL")))
        .env(mark, value);
    command.output().unwrap()
}

fn came_out(ledger: &Ledger, name: &str, output: &Output) {
    ledger
        .came_out(&format!("stdout of {name}"), String::from_utf8(output.stdout.clone()).unwrap());
    ledger
        .came_out(&format!("stderr of {name}"), String::from_utf8(output.stderr.clone()).unwrap());
}

#[test]
fn a32_a33_no_report_of_a_race_repeats_what_it_was_given() {
    let (stage, ledger) = (Stage::new(), Ledger::default());
    let file = stage.path("junit.xml");
    for flags in
        [&["--json"][..], &["--ascii", "--compare"], &["--door-only", "--junit", &file, "--json"]]
    {
        let output = race(&stage, &ledger, flags);
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains("\"visits\"") || text.contains("clients"), "{flags:?}: {output:?}");
        came_out(&ledger, &format!("race {flags:?}"), &output);
    }
    let junit = std::fs::read_to_string(&file).unwrap();
    assert!(junit.contains("<testcase "), "{junit}");
    ledger.came_out("the JUnit file", junit);
    ledger.judge(&[]);
}

/// A target that ends in the middle of a race leaves its last words on the page, and nothing in a report.
#[test]
fn a33_a_targets_last_words_are_no_part_of_a_report_and_harmless_on_a_page() {
    let ledger = Ledger::default();
    let script = format!(
        "import os, socket, sys, time; s = socket.create_server(('127.0.0.1', int(os.environ['PORT']))); \
         time.sleep(0.4); print('\\x1b]0;{}\\x07\\u009b\\u202e\\r', flush=True); sys.exit(3)",
        ledger.secret("what the target printed")
    );
    let junit = tempfile::NamedTempFile::new().unwrap();
    let file = junit.path().to_str().unwrap();
    for form in [&["--json", "--junit", file][..], &["--ascii"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
        command.args(["race", "--clients", "4", "--spread", "200ms", "--timeout", "1s"]).args(form);
        let output = command.args(["--", &python(), "-c", &script]).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        came_out(&ledger, &format!("a race {form:?}"), &output);
    }
    ledger.came_out("the JUnit file", std::fs::read_to_string(file).unwrap());
    ledger.judge(&[Allowed {
        place: "what the target printed",
        output: "stdout of a race [\"--ascii\"]",
        because: "they are the target's own last words, on a page for who started it",
    }]);
}

/// What the target printed before it failed is shown to who raced it: without it nobody could mend it. It
/// is not in a report.
#[test]
fn a32_a33_a_race_that_cannot_be_run_says_why_without_secrets() {
    let ledger = Ledger::default();
    let script = format!(
        "import sys; sys.stderr.write('\\x1b]0;{}\\x07\\u009b\\u202e\\r\\n'); sys.exit(3)",
        ledger.secret("what the target printed")
    );
    let python = python();
    let rows: [(&str, &[&str]); 10] = [
        ("a url of TLS", &["--url", "wss://me:CANARY@h/?token=CANARY"]),
        ("a url with a user", &["--url", "ws://me:CAN?/@CANARY@h/"]),
        ("a url that is none", &["--url", "me:CANARY@h"]),
        ("a header without a colon", &["--header", "Authorization Bearer CANARY", "--", "true"]),
        (
            "a header with a late colon",
            &["--header", "Authorization Bearer CANARY:x", "--", "true"],
        ),
        ("a path without a root", &["--path", "ws?token=CANARY", "--", "true"]),
        ("a count that is a secret", &["--clients", "Bearer token=CANARY", "--", "true"]),
        ("an unknown flag", &["--pasword=CANARY", "--", "true"]),
        ("a variable as a program", &["--", "DB_PASSWORD=CANARY", "app"]),
        ("the target's last words", &["--json", "--", &python, "-c", &script]),
    ];
    for (name, flags) in rows {
        let secret = ledger.secret(name);
        let words = flags.iter().map(|word| word.replace("CANARY", &secret));
        let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
        let output = command.arg("race").args(words).output().unwrap();
        assert!(output.status.code() > Some(1), "{name}: {output:?}");
        assert!(!output.stderr.is_empty(), "{name}");
        came_out(&ledger, name, &output);
    }
    ledger.judge(&[Allowed {
        place: "what the target printed",
        output: "stderr of the target's last words",
        because: "they are the target's own last words, to who started it",
    }]);
}
