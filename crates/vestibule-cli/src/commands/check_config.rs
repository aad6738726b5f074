//! `vestibule check-config`: what the settings are, and where each comes from.
//!
//! Owns choosing whose settings are meant, and printing them. Must never start anything.

use vestibule::environment::Process;

use crate::config::flags::Typed;
use crate::config::{Command, Sources};
use crate::error::Error;
use crate::exit::Exit;
use crate::settings;

/// Prints every setting and its origin, or fails with every mistake.
pub(crate) fn check_config(
    command: Option<Command>,
    typed: Typed,
    _json: bool,
    _schema: bool,
) -> Result<Exit, Error> {
    let command = command.unwrap_or(Command::Run);
    let sources = Sources::new(typed, &Process, command);
    let settled = match command {
        Command::Run => settings::run(sources.settle(), &Process).map(drop),
        Command::Serve => settings::serve(sources.settle(), &Process).map(drop),
    };
    settled.map_err(Error::mistakes)?;
    Ok(Exit::Ok)
}
