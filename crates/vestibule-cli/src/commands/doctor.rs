//! `vestibule doctor`: where it runs, how patient it is, and whether all is there that the service needs.
//!
//! Owns one look and the next. Must never start anything but the checks, and never show a secret.

mod findings;
mod json;
mod machine;
pub(crate) mod manifest;
mod page;
mod path;
mod patience;
mod place;
mod report;
mod text;
mod watch;

use std::io::{self, IsTerminal as _};
use std::path::Path;

use rustix::termios::tcgetwinsize;
use vestibule::validation::{Mode, Validation};
use vestibule_front::process::notify::usual_directories;
use vestibule_race::report::Style;

use self::machine::Machine;
use self::report::Report;
use self::watch::Watching;
use crate::commands::meant::{self, Meant};
use crate::commands::race::screen::{Screen, ScreenArgs};
use crate::commands::race::session::Session;
use crate::config::flags::Typed;
use crate::config::{Command, Mistake};
use crate::error::Error;
use crate::exit::Exit;
use crate::stdout;

/// Where no terminal says its own.
const WIDTH: usize = 100;

/// Looks once, or until a signal.
pub(crate) fn doctor(
    command: Option<Command>,
    typed: Typed,
    in_json: bool,
    again: bool,
) -> Result<Exit, Error> {
    let meant = match meant::read(command, typed) {
        Ok(meant) => meant,
        Err(wrong) if in_json => {
            let mistakes: Vec<_> = wrong.mistakes.iter().map(Mistake::to_json).collect();
            stdout::write(&format!("{:#}\n", json::mistakes(&mistakes)))?;
            return Ok(Exit::Configuration);
        }
        Err(wrong) => return Err(Error::mistakes(&wrong.mistakes, &wrong.warnings)),
    };
    let screen = Screen::detect(&ScreenArgs::default());
    let form = Form { in_json, style: screen.style, width: width() };
    let session = Session::open(&screen)?;
    let validation = Validation::new(meant.door.checks.clone(), meant.door.factors.clone());
    if again {
        return Watching::new(&meant, validation, form, screen.repaints).watch(&session);
    }
    session.unless_stopped(async {
        validation.pass(Mode::Survey).await;
        Ok(())
    })?;
    let machine = machine(&meant);
    let report = Report::new(&meant, &machine, &validation.board());
    session.show(form.page(&report))?;
    Ok(report.status().exit())
}

/// How a report is written.
#[derive(Clone, Copy, Debug)]
struct Form {
    in_json: bool,
    style: Style,
    width: usize,
}

impl Form {
    fn page(self, report: &Report<'_>) -> String {
        if self.in_json {
            return format!("{:#}\n", json::document(report));
        }
        text::page(report, self.style, self.width)
    }
}

fn machine(meant: &Meant) -> Machine {
    let runtime_directory = meant.door.runtime_directory.as_deref().map(Path::new);
    Machine::read(Path::new("/"), &usual_directories(runtime_directory))
}

fn width() -> usize {
    let stdout = io::stdout();
    if !stdout.is_terminal() {
        return WIDTH;
    }
    let columns = tcgetwinsize(&stdout).map_or(0, |size| usize::from(size.ws_col));
    if columns == 0 { WIDTH } else { columns }
}
