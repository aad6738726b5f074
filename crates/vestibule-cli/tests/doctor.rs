//! `vestibule doctor`, the real binary before real sockets.
//!
//! Broken with environments that contradict themselves, dependencies that are slow, gone or half there, settings
//! that can't be right, and secrets in every place that takes one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests say what they expect by unwrapping"
)]

#[path = "doctor/checks.rs"]
mod checks;
#[path = "doctor/places.rs"]
mod places;
#[path = "../../vestibule-front/tests/admin/schema.rs"]
mod schema;
#[path = "doctor/watching.rs"]
mod watching;

use std::fs;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const SCHEMA: &str = include_str!("../../../docs/doctor.schema.json");
const FILE: &str = "vestibule.toml";

/// Words of a command line.
type Line<'a> = &'a [&'a str];
/// Variables with their values.
type Variables<'a> = &'a [(&'a str, &'a str)];

/// `vestibule doctor LINE` with these variables alone, beside this file.
fn doctor(line: Line<'_>, variables: Variables<'_>, file: &str) -> Output {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join(FILE), file).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
    command.current_dir(directory.path()).env_clear().stdin(Stdio::null());
    command.args(["doctor", "--config", FILE]).args(line).envs(variables.iter().copied());
    command.output().unwrap()
}

/// The document, which follows its schema, and the exit status.
fn document(line: Line<'_>, variables: Variables<'_>, file: &str) -> (Value, i32) {
    let output = doctor(&[&["--json"], line].concat(), variables, file);
    let document: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {output:?}"));
    schema::follows_schema(SCHEMA, &document);
    assert!(output.stderr.is_empty(), "{output:?}");
    (document, output.status.code().unwrap())
}

/// The page for people.
fn page(line: Line<'_>, variables: Variables<'_>, file: &str) -> String {
    let output = doctor(line, variables, file);
    assert!(output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The codes of what looks wrong.
fn codes(document: &Value) -> Vec<&str> {
    let findings = document["findings"].as_array().unwrap();
    findings.iter().map(|one| one["code"].as_str().unwrap()).collect()
}
