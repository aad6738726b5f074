//! Backends x cold starts x commands: who was lost, bare and behind the door.
//!
//! Owns the plan and the verdict; `vestibule race` does the racing and the counting. Every
//! process that a race starts is ended by that race. Must never need more than what
//! `./test` installs.

mod cell;
mod flags;
mod reading;
mod table;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fs, thread};

use crate::matrix::cell::{Cell, Front, Tools};
use crate::matrix::flags::Flags;
use crate::matrix::reading::Reading;

/// The whole run, as `cargo xtask matrix` says it.
///
/// # Errors
/// The table as well, when a client behind the door was lost or a race could not be run.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<String, String> {
    let flags = Flags::parse(arguments)?;
    let scratch = Scratch::new()?;
    let tools = Tools::find(root, flags.release)?;
    let cells: Vec<Cell> = cell::all().filter(|cell| flags.wants(&cell.name())).collect();
    let readings = race_all(&cells, &flags, |cell| {
        let argv = cell.race(&tools, &scratch.0, &flags)?;
        let reading = match race(&argv) {
            // On a busy machine all clients of a bare race may have left before anything listened.
            Err(_) if cell.front == Front::Bare => Reading::NONE,
            result => result.map_err(|error| format!("{}: {error}", cell.name()))?,
        };
        report_progress(cell, &reading);
        Ok(reading)
    })?;
    let table = table::Table::new(&cells, &readings);
    let text = table.render();
    if table.lost() == 0 && table.total() > 0 { Ok(text) } else { Err(text) }
}

/// A few at a time: enough to use the wait, few enough not to measure each other.
fn race_all(
    cells: &[Cell],
    flags: &Flags,
    race: impl Fn(&Cell) -> Result<Reading, String> + Sync,
) -> Result<Vec<Reading>, String> {
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, Result<Reading, String>)>> = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..flags.at_once {
            scope.spawn(|| {
                while let Some((index, cell)) = take(cells, &next) {
                    let reading = race(cell);
                    if let Ok(mut done) = done.lock() {
                        done.push((index, reading));
                    }
                }
            });
        }
    });
    let mut done = done.into_inner().map_err(|_| "a race panicked".to_owned())?;
    done.sort_by_key(|(index, _)| *index);
    let (good, bad): (Vec<_>, Vec<_>) =
        done.into_iter().map(|(_, result)| result).partition(Result::is_ok);
    if bad.is_empty() {
        return Ok(good.into_iter().flatten().collect());
    }
    let faults: Vec<String> = bad.into_iter().filter_map(Result::err).collect();
    Err(faults.join("\n"))
}

fn take<'a>(cells: &'a [Cell], next: &AtomicUsize) -> Option<(usize, &'a Cell)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    cells.get(index).map(|cell| (index, cell))
}

/// Status 1 of a race means lost clients: the count says how many. Others are faults.
fn race(argv: &[String]) -> Result<Reading, String> {
    let (program, arguments) = argv.split_first().ok_or("nothing to run")?;
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{program}: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    match output.status.code() {
        Some(0 | 1) => {
            Reading::from_json(&output.stdout).map_err(|error| format!("{error}\n{said}"))
        }
        _ => Err(format!("{}\n{}\n{said}", output.status, argv.join(" "))),
    }
}

#[expect(clippy::print_stderr, reason = "a chore talks to whoever ran it")]
fn report_progress(cell: &Cell, reading: &Reading) {
    eprintln!("{:<28} {:>3} of {} lost", cell.name(), reading.lost, reading.clients);
}

/// A folder for the crash markers, gone with the run.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self, String> {
        let folder = std::env::temp_dir().join(format!("vestibule-matrix-{}", std::process::id()));
        fs::create_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(Self(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.0);
    }
}
