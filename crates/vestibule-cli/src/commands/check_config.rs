//! `vestibule check-config`: what the settings are, and where each comes from.
//!
//! Owns printing them. Must never start anything.

use serde_json::{Value, json};

use crate::commands::meant::{self, Meant};
use crate::config::flags::Typed;
use crate::config::{Command, Mistake, schema};
use crate::error::Error;
use crate::exit::Exit;
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
    let read = meant::read(command, typed);
    let page = match (&read, in_json) {
        (Ok(meant), false) => text(meant),
        (Ok(meant), true) => document(meant),
        (Err(wrong), true) => mistakes_document(&wrong.mistakes),
        (Err(_), false) => String::new(),
    };
    stdout::write(&page)?;
    match read {
        Ok(_) => Ok(Exit::Ok),
        Err(_) if in_json => Ok(Exit::Configuration),
        // No hint to look here for more: this is all of it, warnings too.
        Err(wrong) => Err(Error::mistakes(&wrong.mistakes, &wrong.warnings)),
    }
}

fn text(meant: &Meant) -> String {
    let place = &meant.door.environment;
    let (command, name, platform) = (meant.command.as_str(), place.name, place.platform);
    let mut page = format!("# vestibule {command}: {name} on {platform}\n{}", meant.view.to_text());
    for warning in &meant.warnings {
        page.push_str(&format!("# warning: {warning}\n"));
    }
    for warning in place.warnings() {
        page.push_str(&format!("# warning: {warning}\n"));
    }
    page
}

fn document(meant: &Meant) -> String {
    let place = &meant.door.environment;
    let warnings: Vec<_> = meant.warnings.iter().cloned().chain(place.warnings()).collect();
    in_lines(&json!({
        "command": meant.command.as_str(),
        "environment": place.name.as_str(),
        "platform": place.platform.as_str(),
        "settings": meant.view.to_json(),
        "checks": meant.view.checks_to_json(),
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
