//! Whose settings are meant, and what they are.
//!
//! Owns the reading of settings for commands that start neither a door nor a service: `check-config`,
//! `doctor`, `wait`. Must never start anything.

use vestibule::environment::Process;

use crate::args::{RunArgs, ServeArgs};
use crate::config::flags::Typed;
use crate::config::keys::COMMAND;
use crate::config::view::View;
use crate::config::{Command, Mistake, Sources};
use crate::settings::{self, Door};

/// The settings that a command would have.
#[derive(Debug)]
pub(crate) struct Meant {
    /// Whose they are.
    pub(crate) command: Command,
    /// What they mean; without checks of the command, which nobody starts here.
    pub(crate) door: Door,
    /// The names of those checks.
    pub(crate) not_asked: Vec<String>,
    /// Every setting with its origin.
    pub(crate) view: View,
    /// What deserves a warning.
    pub(crate) warnings: Vec<String>,
}

/// The mistakes in them, with what deserves a warning.
#[derive(Debug)]
pub(crate) struct Wrong {
    /// Every mistake.
    pub(crate) mistakes: Vec<Mistake>,
    /// What may be the reason of one.
    pub(crate) warnings: Vec<String>,
}

/// Reads the settings of `command`, or of the one that is meant. Only what is said to be typed may not
/// be missing.
///
/// # Errors
/// All mistakes at once.
pub(crate) fn read(command: Option<Command>, typed: Typed) -> Result<Meant, Wrong> {
    let meant = command.unwrap_or_else(|| meant(&typed));
    let sources = Sources::new(typed, &Process, meant);
    let (read, warnings) = match meant {
        Command::Run => {
            let mut given = sources.settle::<RunArgs>();
            // What follows `--` may be typed later.
            given.is_partial = command.is_none();
            let warnings = given.warnings.clone();
            (settings::run(given, &Process).map(|run| (run.door, run.view)), warnings)
        }
        Command::Serve => {
            let given = sources.settle();
            let warnings = given.warnings.clone();
            (settings::serve(given, &Process).map(|serve| (serve.door, serve.view)), warnings)
        }
    };
    match read {
        Ok((mut door, view)) => {
            let taken = door.on_port.take_out(&mut door.checks);
            let not_asked = taken.iter().map(|one| one.spec.name.to_string()).collect();
            Ok(Meant { command: meant, door, not_asked, view, warnings })
        }
        Err(mistakes) => Err(Wrong { mistakes, warnings }),
    }
}

/// Whose settings were meant, if nobody says: who names an upstream and no command stands before it.
fn meant(typed: &Typed) -> Command {
    let sources = |command| Sources::new(typed.clone(), &Process, command);
    let names_upstream =
        sources(Command::Serve).settle::<ServeArgs>().given.contains_key("upstream");
    let names_command = sources(Command::Run).settle::<RunArgs>().given.contains_key(COMMAND);
    if names_upstream && !names_command { Command::Serve } else { Command::Run }
}
