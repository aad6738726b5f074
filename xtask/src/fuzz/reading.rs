//! What libFuzzer said at the end of a run.
//!
//! Owns its words. Must never call a run clean unless libFuzzer ended by itself, at its time.

use std::fmt::Write;

/// libFuzzer's status when a signal asked it to leave (its flag `interrupted_exitcode`).
const INTERRUPTED: i32 = 72;
/// Of a panic's text: the place, the message, and both sides of a comparison.
const PANIC_LINES_MAX: usize = 4;

/// One target's run.
#[derive(Debug)]
pub(super) struct Reading {
    name: String,
    executions: String,
    /// Edges of the program that were reached, and with how many different counts of passes.
    edges: String,
    features: String,
    end: End,
}

#[derive(Debug, PartialEq, Eq)]
enum End {
    Clean,
    Interrupted,
    /// The input's path, if it could be written, and what was said of it.
    Found(String, String),
    NotRun(String),
}

impl Reading {
    /// Reads an exit status (`None` after a signal) and the log.
    pub(super) fn new(name: &str, status: Option<i32>, log: &str) -> Self {
        let progress = log.lines().rev().find(|line| line.contains(" cov: ")).unwrap_or_default();
        let end = match status {
            Some(0) => End::Clean,
            Some(INTERRUPTED) => End::Interrupted,
            _ => End::Found(after(log, "Test unit written to ").to_owned(), story(log)),
        };
        Self {
            name: name.to_owned(),
            executions: after(log, "stat::number_of_executed_units: ").trim().to_owned(),
            edges: word(after(progress, " cov: ")),
            features: word(after(progress, " ft: ")),
            end,
        }
    }

    /// A target that could not be started.
    pub(super) fn not_run(name: &str, why: String) -> Self {
        Self { end: End::NotRun(why), ..Self::new(name, Some(0), "") }
    }

    pub(super) fn is_clean(&self) -> bool {
        self.end == End::Clean
    }

    /// In a few words.
    pub(super) fn verdict(&self) -> &'static str {
        match self.end {
            End::Clean => "holds",
            End::Interrupted => "interrupted",
            End::Found(..) => "BROKEN",
            End::NotRun(_) => "not run",
        }
    }
}

/// All runs, then every finding with the way to reproduce it.
pub(super) fn table(readings: &[Reading]) -> String {
    let mut text =
        format!("{:8} {:>12} {:>7} {:>9}  verdict\n", "target", "executions", "edges", "features");
    for reading in readings {
        let Reading { name, executions, edges, features, .. } = reading;
        let verdict = reading.verdict();
        let _ = writeln!(text, "{name:8} {executions:>12} {edges:>7} {features:>9}  {verdict}");
    }
    for reading in readings {
        let name = &reading.name;
        let _ = match &reading.end {
            End::Clean | End::Interrupted => Ok(()),
            End::NotRun(why) => writeln!(text, "\n{name} could not be run: {why}"),
            End::Found(input, story) => writeln!(
                text,
                "\n{name} is broken by {input}\n{story}\
                 Keep it under a name that says what it shows, then see it fail again:\n  \
                 cp {input} fuzz/corpus/{name}/NAME && cargo test -p vestibule-fuzz"
            ),
        };
    }
    text
}

/// What stands behind the last `mark`, to the end of its line.
fn after<'l>(log: &'l str, mark: &str) -> &'l str {
    log.rsplit_once(mark).map_or("", |(_, rest)| rest.lines().next().unwrap_or_default())
}

fn word(text: &str) -> String {
    text.split_whitespace().next().unwrap_or("?").to_owned()
}

/// The panic's own words, or libFuzzer's (time and memory have no panic).
fn story(log: &str) -> String {
    let from = log.find(" panicked at ").or_else(|| log.find("ERROR: libFuzzer"));
    let lines = log[from.unwrap_or(0)..].lines().take_while(|line| !line.starts_with("stack "));
    lines.take(PANIC_LINES_MAX).map(|line| format!("  {}\n", line.trim())).collect()
}

#[cfg(test)]
mod tests {
    use super::{Reading, table};

    const PROGRESS: &str = "#2\tINITED cov: 7 ft: 8 corp: 2/9b exec/s: 0 rss: 30Mb\n\
        #900\tDONE   cov: 41 ft: 52 corp: 9/99b lim: 4 exec/s: 90 rss: 30Mb\n";

    #[test]
    fn a_run_to_its_end_is_clean_and_counted() {
        let log = format!("{PROGRESS}stat::number_of_executed_units: 900\n");
        let reading = Reading::new("head", Some(0), &log);
        assert!(reading.is_clean());
        assert!(table(&[reading]).contains("head              900      41        52  holds\n"));
    }

    #[test]
    fn a_finding_is_told_with_its_input() {
        let log = format!(
            "{PROGRESS}\nthread '<unnamed>' (1) panicked at src/a.rs:1:2:\nleft is not right\n\
             stack backtrace:\n   0: a\nartifact_prefix='x/'; Test unit written to x/crash-1\n"
        );
        let reading = Reading::new("body", Some(77), &log);
        assert!(!reading.is_clean());
        let table = table(&[reading]);
        for part in ["BROKEN", "broken by x/crash-1\n", "left is not right", "fuzz/corpus/body/"] {
            assert!(table.contains(part), "{table}");
        }
        assert!(!table.contains("0: a"));
    }

    #[test]
    fn nothing_but_libfuzzers_own_end_is_clean() {
        for status in [None, Some(72), Some(70), Some(71), Some(1)] {
            assert!(!Reading::new("log", status, PROGRESS).is_clean(), "{status:?}");
        }
        assert!(!Reading::not_run("log", "gone".to_owned()).is_clean());
    }
}
