//! The project's own chores, run as `cargo xtask NAME`.
//!
//! Owns the list of chores and their exit codes; must never be needed by what users run.

mod api;
mod fuzz;
mod matrix;
mod nightly;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask tidy [FOLDER]     the house rules, over every file
cargo xtask api [--renew]     the library's public API, against the agreed list
cargo xtask matrix [FLAGS]    backends x cold starts x commands: who was lost
cargo xtask fuzz [FLAGS]      the parsers under libFuzzer: what breaks them
cargo xtask nightly           what is too slow for the test command
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let rest = arguments.get(1..).unwrap_or_default();
    let done = match arguments.first().map(String::as_str) {
        Some("tidy") => tidy::run(&rest.first().map_or_else(root, PathBuf::from)),
        Some("api") => api::run(&root(), rest),
        Some("matrix") => matrix::run(&root(), rest),
        Some("fuzz") => fuzz::run(&root(), rest),
        Some("nightly") => nightly::run(&root()),
        _ => Err(format!("which chore?\n{USAGE}")),
    };
    match done {
        Ok(text) => {
            say(&text);
            ExitCode::SUCCESS
        }
        Err(text) => {
            say(&text);
            ExitCode::FAILURE
        }
    }
}

/// The repository's root folder.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

#[expect(clippy::print_stdout, reason = "a chore talks to whoever ran it")]
fn say(text: &str) {
    println!("{}", text.trim_end());
}
