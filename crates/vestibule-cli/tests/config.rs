//! What the real binary makes of flags, variables and files.
//!
//! Broken with every kind of mistake that one can make in them, one at a time and all at once. Each
//! run has its own directory and no variable but those that it is given.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests say what they expect by unwrapping"
)]

#[path = "config/any_bytes.rs"]
mod any_bytes;
#[path = "config/declared.rs"]
mod declared;
#[path = "config/every_key.rs"]
mod every_key;
#[path = "config/mistakes.rs"]
mod mistakes;
#[path = "config/precedence.rs"]
mod precedence;
#[path = "config/shown.rs"]
mod shown;

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::process::{Command, Output};

/// The file's name in every run.
const FILE: &str = "vestibule.toml";

/// Runs `vestibule WORDS` in a fresh directory that has this file in it, if any, and these variables
/// alone.
fn vestibule(words: &[OsString], variables: &[OsString], file: Option<&[u8]>) -> Output {
    let directory = tempfile::tempdir().unwrap();
    if let Some(bytes) = file {
        fs::write(directory.path().join(FILE), bytes).unwrap();
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
    command.current_dir(directory.path()).env_clear().args(words);
    for variable in variables {
        let text = variable.clone().into_vec();
        let at = text.iter().position(|byte| *byte == b'=').unwrap();
        let (name, value) = (text[..at].to_vec(), text[at + 1..].to_vec());
        command.env(OsString::from_vec(name), OsString::from_vec(value));
    }
    command.output().unwrap()
}

/// The same, of words without blanks in them.
fn of_text(line: &str, variables: &[&str], file: Option<&str>) -> Output {
    let words: Vec<_> = line.split(' ').map(OsString::from).collect();
    let variables: Vec<_> = variables.iter().map(OsString::from).collect();
    vestibule(&words, &variables, file.map(str::as_bytes))
}
