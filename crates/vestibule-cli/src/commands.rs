//! What each subcommand does.
//!
//! Owns the way from validated settings to the crates that do the work.

pub(crate) mod admin;
pub(crate) mod check_config;
pub(crate) mod completions;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod door;
pub(crate) mod man;
pub(crate) mod meant;
pub(crate) mod race;
pub(crate) mod reload;
pub(crate) mod run;
pub(crate) mod serve;
pub(crate) mod wait;

use vestibule::environment::Process;

use crate::config::flags::Asked;
use crate::config::{Command, Sources};
use crate::error::Error;
use crate::exit::Exit;

/// Does what a command line with settings asks for.
pub(crate) fn with_settings(asked: Asked) -> Result<Exit, Error> {
    match asked {
        Asked::Do(command, typed) => {
            let sources = Sources::new(typed, &Process, command);
            match command {
                Command::Run => run::run(sources),
                Command::Serve => serve::serve(sources),
            }
        }
        Asked::Check { command, typed, json, schema } => {
            check_config::check_config(command, typed, json, schema)
        }
        Asked::Doctor { command, typed, json, watch } => {
            doctor::doctor(command, typed, json, watch)
        }
    }
}
