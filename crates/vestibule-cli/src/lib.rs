//! The `vestibule` command.
//!
//! Owns the process: its arguments, its exit status, its terminal. Only this crate prints.
//! A library beside the binary, so that chores and fuzzers reach what they generate from or attack.

mod args;
mod commands;
mod duration;
mod error;
mod exit;
mod log;
mod settings;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Command};
use crate::exit::Exit;

/// Does what the process was asked to do, and answers with its exit status.
#[must_use]
pub fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return exit::of_usage(&error).into(),
    };
    let exit = match args.command {
        Command::Run(args) => commands::run::run(args),
        Command::Serve(args) => commands::serve::serve(args),
        Command::Race(args) => commands::race::race(args),
        Command::Demo(args) => commands::demo::demo(args),
        Command::DemoBackend(args) => commands::demo::backend::serve(args),
    };
    exit.unwrap_or_else(|error| {
        error.print();
        Exit::from(error.kind)
    })
    .into()
}
