//! `vestibule wait`: asks until everything is there, then becomes the command.
//!
//! Owns the loop of passes, its end, and the exec. Must never start the command before every critical check
//! was seen to pass, and must never show a secret of a URL.

mod named;
mod progress;

use std::ffi::OsString;
use std::io::ErrorKind;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};
use vestibule::backoff::Backoff;
use vestibule::check::{Criticality, Reason};
use vestibule::validation::{Board, Mode, Standing, Validation};

use self::progress::Progress;
use crate::args::wait::WaitArgs;
use crate::commands::meant::{self, Meant};
use crate::commands::race::screen::{Screen, ScreenArgs};
use crate::commands::race::session::Session;
use crate::config::shown::shown_words;
use crate::error::Error;
use crate::exit::Exit;

/// From one pass to the next, if nobody says: what takes long may be asked less often.
const BETWEEN: Backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(1))
    .with_floor(Duration::from_millis(50));
/// As many checks are named where they are missing.
const NAMED_MAX: usize = 20;

/// Waits, then becomes the command; returns only without one, or if that can't be done.
pub(crate) fn wait(args: &WaitArgs, file: Option<PathBuf>) -> Result<Exit, Error> {
    let screen = Screen::detect(&ScreenArgs::default());
    let Meant { mut door, .. } = meant::read(None, args.typed(file))
        .map_err(|wrong| Error::mistakes(&wrong.mistakes, &wrong.warnings))?;
    door.checks.extend(named::checks(&args.urls)?);
    if door.checks.is_empty() {
        return Err(Error::configuration("there is nothing to wait for")
            .hint("name a HOST:PORT or a URL, a --profile, or a file with checks by --config"));
    }
    let budget = args.timeout.unwrap_or(door.front.patience.startup);
    let session = Session::open(&screen)?;
    let seen = session.unless_stopped(async {
        let waiting = Waiting {
            validation: Validation::new(door.checks, door.factors),
            needs: if args.any { Needs::Any } else { Needs::EveryCritical },
            interval: args.interval,
            progress: Progress::new(screen.live, args.quiet),
        };
        waiting.until(budget).await
    });
    session.end();
    seen?;
    match args.command.split_first() {
        Some((program, words)) => Err(cannot_become(program, words)),
        None => Ok(Exit::Ok),
    }
}

/// What ends the waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Needs {
    /// Every critical check has passed in one pass.
    EveryCritical,
    /// One check has passed, whichever.
    Any,
}

impl Needs {
    /// Whether what was seen since then is enough.
    fn are_met(self, board: &Board, since: Instant) -> bool {
        let passed = |one: &Standing| {
            one.last.as_ref().is_some_and(|last| last.at >= since && last.outcome.is_passed())
        };
        let is_critical = |one: &&Standing| one.spec.criticality == Criticality::Critical;
        match self {
            Self::EveryCritical => board.standings().iter().filter(is_critical).all(passed),
            Self::Any => board.standings().iter().any(passed),
        }
    }
}

struct Waiting {
    validation: Validation,
    needs: Needs,
    interval: Option<Duration>,
    progress: Progress,
}

impl Waiting {
    /// Passes until the needs are met, or the time is over.
    async fn until(mut self, budget: Duration) -> Result<(), Error> {
        let began = Instant::now();
        // Beyond what a clock can count nobody waits.
        let end = began.checked_add(budget).unwrap_or(began);
        let met = timeout_at(end, self.passes(began)).await.is_ok();
        self.progress.done();
        let board = self.validation.board();
        if met {
            self.progress.say(&met_in_words(&board, began.elapsed()));
            return Ok(());
        }
        Err(missing(&board, budget))
    }

    async fn passes(&mut self, began: Instant) {
        let mut made = 0_u32;
        loop {
            if self.pass(began).await {
                return;
            }
            let pause = self.interval.unwrap_or_else(|| BETWEEN.delay(made, fastrand::f64()));
            made = made.saturating_add(1);
            sleep(pause).await;
        }
    }

    /// One pass, cut short as soon as nothing more is needed of it.
    async fn pass(&mut self, began: Instant) -> bool {
        let mode = if self.needs == Needs::Any { Mode::Survey } else { Mode::Gate };
        let since = Instant::now();
        let mut watch = self.validation.watch();
        let pass = self.validation.pass(mode);
        tokio::pin!(pass);
        loop {
            let is_over = tokio::select! {
                _ = &mut pass => true,
                changed = watch.changed() => changed.is_err(),
            };
            let board = watch.borrow_and_update().clone();
            self.progress.tell(&board, began.elapsed());
            let met = self.needs.are_met(&board, since);
            if met || is_over {
                return met;
            }
        }
    }
}

fn met_in_words(board: &Board, took: Duration) -> String {
    let passed = |one: &&Standing| one.last.as_ref().is_some_and(|last| last.outcome.is_passed());
    let count = board.standings().iter().filter(passed).count();
    let all = board.standings().len();
    format!("ready after {:.1} s: {count} of {all} passed", took.as_secs_f64())
}

/// What is missing, why, and what to do.
fn missing(board: &Board, budget: Duration) -> Error {
    let is_missing =
        |one: &&Standing| !one.last.as_ref().is_some_and(|last| last.outcome.is_passed());
    let missing: Vec<_> = board.standings().iter().filter(is_missing).collect();
    let lines: Vec<_> = missing.iter().take(NAMED_MAX).map(|one| progress::line(one)).collect();
    let (count, all) = (missing.len(), board.standings().len());
    let error =
        Error::never_ready(format!("not ready within {budget:?}: {count} of {all} missing"));
    let mut error = error.quote(&lines);
    let mut advised: Vec<Reason> = Vec::new();
    for one in missing.iter().take(NAMED_MAX) {
        let Some(reason) = progress::trouble(one).map(|trouble| trouble.reason()) else { continue };
        if !advised.contains(&reason) {
            advised.push(reason);
            error = error.hint(format!("{}: {}", one.spec.name, reason.advice()));
        }
    }
    error
}

/// Becomes the command, and returns only if that can't be done.
fn cannot_become(program: &OsString, words: &[OsString]) -> Error {
    let error = process::Command::new(program).args(words).exec();
    let shown = shown_words([program.to_string_lossy().as_ref()]).concat();
    let (code, hint) = match error.kind() {
        ErrorKind::NotFound => (127, "is it installed, and in PATH?"),
        _ => (126, "is it a program that this user may execute?"),
    };
    Error::not_started(code, format!("cannot start {shown}: {error}")).hint(hint)
}

#[cfg(test)]
mod tests;
