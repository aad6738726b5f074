//! `vestibule check-config`: what the settings are, and where each comes from.
//!
//! Owns choosing whose settings are meant, and printing them. Must never start anything.

use serde_json::{Value, json};
use vestibule::environment::{Environment, Process};

use crate::args::{RunArgs, ServeArgs};
use crate::config::flags::Typed;
use crate::config::keys::COMMAND;
use crate::config::view::View;
use crate::config::{Command, Mistake, Sources, schema};
use crate::error::Error;
use crate::exit::Exit;
use crate::settings;
use crate::stdout;

/// Prints every setting and its origin, or fails with every mistake.
pub(crate) fn check_config(
    command: Option<Command>,
    typed: Typed,
    in_json: bool,
    only_schema: bool,
) -> Result<Exit, Error> {
    if only_schema {
        stdout::write(&schema::text())?;
        return Ok(Exit::Ok);
    }
    let meant = command.unwrap_or_else(|| meant(&typed));
    let sources = Sources::new(typed, &Process, meant);
    let settled = match meant {
        Command::Run => {
            let mut given = sources.settle::<RunArgs>();
            // What follows `--` may be typed later.
            given.is_partial = command.is_none();
            settings::run(given, &Process).map(|run| (run.door.environment, run.view))
        }
        Command::Serve => settings::serve(sources.settle(), &Process)
            .map(|serve| (serve.door.environment, serve.view)),
    };
    let page = match (&settled, in_json) {
        (Ok((environment, view)), false) => text(meant, environment, view, &sources.warnings),
        (Ok((environment, view)), true) => document(meant, environment, view, &sources.warnings),
        (Err(mistakes), true) => mistakes_document(mistakes),
        (Err(_), false) => String::new(),
    };
    stdout::write(&page)?;
    match settled {
        Ok(_) => Ok(Exit::Ok),
        Err(_) if in_json => Ok(Exit::Configuration),
        // No hint to look here for more: this is all of it, warnings too.
        Err(mistakes) => Err(Error::mistakes(&mistakes, &sources.warnings)),
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

fn text(command: Command, place: &Environment, view: &View, warnings: &[String]) -> String {
    let (command, name, platform) = (command.as_str(), place.name, place.platform);
    let mut page = format!("# vestibule {command}: {name} on {platform}\n{}", view.to_text());
    for warning in warnings {
        page.push_str(&format!("# warning: {warning}\n"));
    }
    for conflict in &place.conflicts {
        page.push_str(&format!("# warning: {conflict}\n"));
    }
    page
}

fn document(command: Command, place: &Environment, view: &View, warnings: &[String]) -> String {
    let conflicts = place.conflicts.iter().map(ToString::to_string);
    let warnings: Vec<_> = warnings.iter().cloned().chain(conflicts).collect();
    in_lines(&json!({
        "command": command.as_str(),
        "environment": place.name.as_str(),
        "platform": place.platform.as_str(),
        "settings": view.to_json(),
        "warnings": warnings,
        "mistakes": [],
    }))
}

fn mistakes_document(mistakes: &[Mistake]) -> String {
    in_lines(&json!({ "mistakes": mistakes.iter().map(Mistake::to_json).collect::<Value>() }))
}

fn in_lines(value: &Value) -> String {
    format!("{value:#}\n")
}
