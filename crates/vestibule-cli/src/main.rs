//! The `vestibule` command.
//!
//! Owns the process: its arguments, its exit status, its terminal. Only this crate prints.

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

fn main() -> ExitCode {
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
