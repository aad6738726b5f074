//! The parsers under libFuzzer, each for as long as is asked.
//!
//! Owns the build with coverage, the order, and the verdict; what must hold is in `fuzz/`. Needs a
//! C++ compiler for libFuzzer and nothing else: no nightly Rust, no other command. Writes under
//! the target folder alone. Must never take a run for clean that a signal ended.

mod flags;
mod reading;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use crate::fuzz::flags::Flags;
use crate::fuzz::reading::Reading;

/// What makes LLVM count edges and comparisons for libFuzzer. All of it is stable.
const COVERAGE: [&str; 5] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];
/// Between two flags in `CARGO_ENCODED_RUSTFLAGS`.
const FLAG_SEPARATOR: &str = "\x1f";

/// As in `fuzz/tests/corpus.rs`: an input that is found here can be kept there.
const INPUT_MAX: usize = 4096;
/// Seconds for one input; the slowest of the corpus takes less than a hundredth of one.
const INPUT_SECONDS_MAX: u32 = 5;
/// An input of 4 KiB that makes us hold more is a finding.
const MEMORY_MIB_MAX: u32 = 1024;

/// Builds, runs the targets, and says what was executed, reached and found.
///
/// # Errors
/// The table with the findings and the inputs that show them; or why nothing could be run.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<String, String> {
    let targets = Flags::parse(arguments, &names(root)?)?;
    let place = Place::prepare(root)?;
    build(&place)?;
    let waiting = Mutex::new(targets.names.iter());
    let readings = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..targets.at_once {
            scope.spawn(|| {
                while let Some(name) = waiting.lock().ok().and_then(|mut names| names.next()) {
                    let reading = fuzz(&place, name, targets.length);
                    say(&format!("{name}: {}", reading.verdict()));
                    if let Ok(mut readings) = readings.lock() {
                        readings.push(reading);
                    }
                }
            });
        }
    });
    let readings = readings.into_inner().unwrap_or_default();
    let all_clean = readings.len() == targets.names.len() && readings.iter().all(Reading::is_clean);
    let table = reading::table(&readings);
    if all_clean { Ok(table) } else { Err(table) }
}

/// The folders of one run.
struct Place {
    root: PathBuf,
    /// Below Cargo's own target folder.
    ours: PathBuf,
    /// Named for Cargo, so that coverage stays out of build scripts and macros.
    host: String,
}

impl Place {
    fn prepare(root: &Path) -> Result<Self, String> {
        // TARGET/debug/xtask: wherever the target folder has been put, we were built there.
        let ours = std::env::current_exe().map_err(|error| error.to_string())?;
        let target = ours.ancestors().nth(2).ok_or("where is the target folder?")?;
        let version =
            Command::new("rustc").arg("-vV").output().map_err(|e| format!("rustc: {e}"))?;
        let version = String::from_utf8_lossy(&version.stdout).into_owned();
        let host = version.lines().find_map(|line| line.strip_prefix("host: "));
        let host = host.ok_or("rustc -vV names no host")?.to_owned();
        Ok(Self { root: root.to_owned(), ours: target.join("fuzz"), host })
    }

    /// A folder of that kind for one target, made if need be.
    fn folder(&self, kind: &str, name: &str) -> Result<PathBuf, String> {
        let folder = self.ours.join(kind).join(name);
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(folder)
    }

    fn binary(&self, name: &str) -> PathBuf {
        self.ours.join("build").join(&self.host).join("release").join(name)
    }
}

/// Each binary is a target.
fn names(root: &Path) -> Result<Vec<String>, String> {
    let folder = root.join("fuzz/run/src/bin");
    let entries =
        fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut names: Vec<String> = entries
        .flatten()
        .filter_map(|entry| Some(entry.path().file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    Ok(names)
}

fn build(place: &Place) -> Result<(), String> {
    let package = place.root.join("fuzz/run");
    // What is fuzzed is what is shipped, down to the versions.
    fs::copy(place.root.join("Cargo.lock"), package.join("Cargo.lock"))
        .map_err(|error| format!("fuzz/run/Cargo.lock: {error}"))?;
    say("building with coverage");
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--release", "--bins", "--target", &place.host, "--target-dir"])
        .arg(place.ours.join("build"))
        .env("CARGO_ENCODED_RUSTFLAGS", COVERAGE.join(FLAG_SEPARATOR))
        .current_dir(&package)
        .status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err("fuzz/run could not be built; libFuzzer needs a C++ compiler (g++)".into()),
        Err(error) => Err(format!("cargo: {error}")),
    }
}

/// Runs one target and reads what it said. What it learns stays for the next run.
fn fuzz(place: &Place, name: &str, length: Duration) -> Reading {
    match spawn(place, name, length) {
        Ok((status, log)) => Reading::new(name, status, &log),
        Err(error) => Reading::not_run(name, error),
    }
}

fn spawn(place: &Place, name: &str, length: Duration) -> Result<(Option<i32>, String), String> {
    let grown = place.folder("grown", name)?;
    let findings = place.folder("findings", name)?;
    let log = place.folder("logs", name)?.join("log");
    let said = |error: std::io::Error| format!("{}: {error}", log.display());
    let dictionary = place.root.join(format!("fuzz/dictionaries/{name}.dict"));
    let status = Command::new(place.binary(name))
        .arg(format!("-max_total_time={}", length.as_secs().max(1)))
        .arg(format!("-max_len={INPUT_MAX}"))
        .arg(format!("-timeout={INPUT_SECONDS_MAX}"))
        .arg(format!("-rss_limit_mb={MEMORY_MIB_MAX}"))
        .arg(format!("-dict={}", dictionary.display()))
        .arg(format!("-artifact_prefix={}/", findings.display()))
        .arg("-print_final_stats=1")
        // The first is where libFuzzer writes; ours is only read.
        .args([grown, place.root.join("fuzz/corpus").join(name)])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(&log).map_err(said)?)
        .status()
        .map_err(|error| format!("{}: {error}", place.binary(name).display()))?;
    let text = fs::read(&log).map_err(said)?;
    Ok((status.code(), String::from_utf8_lossy(&text).into_owned()))
}

#[expect(clippy::print_stdout, reason = "a chore talks to whoever ran it")]
fn say(text: &str) {
    println!("fuzz: {text}");
}
