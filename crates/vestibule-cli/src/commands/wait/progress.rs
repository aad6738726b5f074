//! What is said while we wait.
//!
//! Owns lines on stderr: one for each check, written over on a terminal; elsewhere one for each change.
//! Must never write without bound.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::time::Duration;

use vestibule::check::{Outcome, Trouble};
use vestibule::validation::{Board, Standing};

use crate::config::shown::fit;

/// Plain lines of one waiting: a dependency that comes and goes must not fill a log.
const PLAIN_LINES_MAX: u32 = 200;
/// Lines that are written over: more would not fit the lowest terminal.
const LIVE_LINES_MAX: usize = 20;
/// Characters of a line that is written over: a longer one would take two.
const LIVE_WIDTH_MAX: usize = 78;

/// The progress of one waiting.
#[derive(Debug)]
pub(super) struct Progress {
    live: bool,
    quiet: bool,
    /// Lines that stand above the cursor and may be written over.
    drawn: usize,
    plain_lines: u32,
    /// What was last said of each check.
    said: Vec<String>,
}

impl Progress {
    /// For one waiting; `live` if stderr is a terminal.
    pub(super) const fn new(live: bool, quiet: bool) -> Self {
        Self { live, quiet, drawn: 0, plain_lines: 0, said: Vec::new() }
    }

    /// Says what differs from what was said.
    pub(super) fn tell(&mut self, board: &Board, elapsed: Duration) {
        if self.quiet {
            return;
        }
        let states: Vec<_> = board.standings().iter().map(state).collect();
        if self.live {
            let page = self.over(board, elapsed);
            write_err(&page);
        } else {
            for (nth, one) in board.standings().iter().enumerate() {
                let is_news = self.said.get(nth) != states.get(nth);
                if is_news && one.last.is_some() && self.plain_lines < PLAIN_LINES_MAX {
                    self.plain_lines += 1;
                    write_err(&format!("{:6.1} s  {}\n", elapsed.as_secs_f64(), line(one)));
                }
            }
        }
        self.said = states;
    }

    /// Takes away what was written over.
    pub(super) fn done(&mut self) {
        let page = self.up();
        self.drawn = 0;
        write_err(&page);
    }

    /// Says a last word.
    pub(super) fn say(&self, text: &str) {
        if !self.quiet {
            write_err(&format!("{text}\n"));
        }
    }

    /// All lines, over those that stand there.
    fn over(&mut self, board: &Board, elapsed: Duration) -> String {
        let mut page = self.up();
        let shown = board.standings().iter().take(LIVE_LINES_MAX);
        self.drawn = shown.len();
        for one in shown {
            let line = format!("{:6.1} s  {}", elapsed.as_secs_f64(), line(one));
            let line: String = line.chars().take(LIVE_WIDTH_MAX).collect();
            let _ = writeln!(page, "{line}");
        }
        page
    }

    /// Back to the first of the lines, and clears them (ECMA-48).
    fn up(&self) -> String {
        if self.drawn == 0 { String::new() } else { format!("\x1b[{}A\x1b[J", self.drawn) }
    }
}

/// What changes a line.
fn state(one: &Standing) -> String {
    match &one.last {
        None => String::new(),
        Some(last) => format!("{}{:?}", last.outcome.as_str(), last.outcome.reason()),
    }
}

/// One check: what came back last.
pub(super) fn line(one: &Standing) -> String {
    let said = match (&one.last, trouble(one)) {
        (Some(last), _) => match &last.outcome {
            Outcome::Passed(saw) => format!("passed: {}", saw.as_str()),
            Outcome::Failed(trouble) => trouble.to_string(),
            Outcome::Skipped(why) => format!("not asked: {}", why.as_str()),
        },
        (None, Some(trouble)) => trouble.to_string(),
        (None, None) => "asking".to_owned(),
    };
    let target = if *one.target == *one.spec.name { "" } else { &one.target };
    let space = if target.is_empty() { "" } else { " " };
    fit(&format!("{} {}{space}{target}: {said}", one.kind, one.spec.name))
}

/// The trouble that was met last.
pub(super) fn trouble(one: &Standing) -> Option<&Trouble> {
    match one.last.as_ref().map(|last| &last.outcome) {
        Some(Outcome::Failed(trouble)) => Some(trouble),
        Some(Outcome::Passed(_)) => None,
        _ => one.tries.last().and_then(|tried| tried.result.as_ref().err()),
    }
}

fn write_err(text: &str) {
    let mut stderr = io::stderr().lock();
    // Progress that nobody reads is no failure.
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}
