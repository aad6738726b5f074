//! Looking again and again.
//!
//! Owns when it is looked, and what is written then: a page over the former one on a terminal, lines of what
//! changed elsewhere. Must never end but by a signal, a reader that left, or a machine that takes no more.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use vestibule::validation::{Mode, Validation};

use super::report::{Report, Status};
use super::{Form, json, machine, text};
use crate::commands::meant::Meant;
use crate::commands::race::session::{Session, written};
use crate::config::shown::fit;
use crate::error::{Error, Kind};
use crate::exit::Exit;
use crate::stdout::Reader;

/// From the start of one look to the start of the next.
const EVERY: Duration = Duration::from_secs(2);
/// The number of SIGINT, which is how a person ends it (signal(7)).
const INTERRUPT: u8 = 2;

/// Looks again and again.
pub(super) struct Watching<'a> {
    meant: &'a Meant,
    validation: Validation,
    form: Form,
    /// On a terminal the page is written over.
    repaints: bool,
    status: Option<Status>,
    /// What was last said of each check, and of all.
    said: Vec<String>,
}

impl<'a> Watching<'a> {
    pub(super) const fn new(
        meant: &'a Meant,
        validation: Validation,
        form: Form,
        repaints: bool,
    ) -> Self {
        Self { meant, validation, form, repaints, status: None, said: Vec::new() }
    }

    /// Looks until a signal. The status is that of the last whole look; a signal before it is the status.
    pub(super) fn watch(mut self, session: &Session) -> Result<Exit, Error> {
        let ended = session.unless_stopped(async {
            loop {
                let next = Instant::now() + EVERY;
                self.validation.pass(Mode::Survey).await;
                if written(self.page()).await? == Reader::Left {
                    return Ok(());
                }
                sleep_until(next).await;
            }
        });
        let status = self.status.map(Status::exit);
        match (ended, status) {
            (Err(error), Some(exit)) if error.kind == Kind::Stopped(INTERRUPT) => Ok(exit),
            (Err(error), _) => Err(error),
            (Ok(()), exit) => Ok(exit.unwrap_or(Exit::Ok)),
        }
    }

    /// What is to be written now.
    fn page(&mut self) -> String {
        let machine = machine(self.meant);
        let report = Report::new(self.meant, &machine, &self.validation.board());
        let status = report.status();
        self.status = Some(status);
        if self.form.in_json {
            return format!("{}\n", json::document(&report));
        }
        if self.repaints {
            // To the first place, and clear all of it (ECMA-48).
            return format!("\x1b[H\x1b[2J{}", self.form.page(&report));
        }
        let checks = report.checks.iter().map(|one| fit(&text::line(one)));
        let lines: Vec<_> = checks.chain([text::status(status)]).collect();
        let differ = |(nth, line): &(usize, &String)| self.said.get(*nth) != Some(line);
        let news = lines.iter().enumerate().filter(differ);
        let news: String = news.map(|(_, line)| format!("{line}\n")).collect();
        self.said = lines;
        news
    }
}
