//! The `vestibule` command.
//!
//! Owns the process: its arguments, its exit status, its terminal. Only this crate prints.
//! A library beside the binary, so that chores and fuzzers reach what they generate from or attack.

mod args;
mod commands;
pub mod config;
mod duration;
mod enrolled;
mod error;
mod exit;
mod log;
mod manifest;
#[doc(hidden)]
pub mod panics;
mod runtime;
mod settings;
mod stdout;
mod usage;
mod version;

/// The forms of a log line, public for those who attack them.
#[doc(hidden)]
pub use crate::log::form as log_form;

use std::process::ExitCode;

use crate::args::Command;
use crate::exit::Exit;

/// Does what the process was asked to do, and answers with its exit status.
#[must_use]
pub fn main() -> ExitCode {
    panics::tell();
    let line: Vec<std::ffi::OsString> = std::env::args_os().collect();
    if version::is_asked_for_long(&line) {
        return ended(stdout::write(&version::long()).map(|_reader| Exit::Ok));
    }
    let of_manifests = commands::doctor::manifest::is_asked(&line);
    if !of_manifests && let Some(asked) = config::flags::read(&line) {
        return ended(commands::with_settings(asked));
    }
    let args = match args::typed(&line) {
        Ok(args) => args,
        Err(error) => return ended(usage::answered(&error, &line)),
    };
    ended(match args.command {
        Command::Wait(wait) => commands::wait::wait(&wait, args.file.config),
        Command::Race(args) => commands::race::race(args),
        Command::Demo(args) => commands::demo::demo(args),
        Command::Completions(args) => commands::completions::completions(args),
        Command::Man(args) => commands::man::man(args),
        Command::DemoBackend(args) => commands::demo::backend::serve(args),
        Command::Doctor(doctor) if of_manifests => {
            commands::doctor::manifest::manifest(&doctor, args.file.config.as_deref())
        }
        // Read with their settings, above.
        Command::Run(_) | Command::Serve(_) | Command::CheckConfig(_) | Command::Doctor(_) => {
            Err(error::Error::system("these words could be read once and not again"))
        }
    })
}

fn ended(ended: Result<Exit, error::Error>) -> ExitCode {
    ended
        .unwrap_or_else(|error| {
            error.print();
            Exit::from(error.kind)
        })
        .into()
}
