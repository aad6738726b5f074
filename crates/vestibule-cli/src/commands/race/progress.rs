//! What is said while a race goes on.
//!
//! Owns lines on stderr: one that is written over on a terminal, few plain ones elsewhere. Must
//! never write without bound.

use std::io::{self, Write as _};
use std::time::Duration;

use vestibule_race::platform::Ask;
use vestibule_race::{Progress, Scenario, Target};

/// Between two plain lines.
const PLAIN_EVERY: Duration = Duration::from_secs(1);
/// Plain lines of one race.
const PLAIN_LINES_MAX: u32 = 30;

/// The progress of one race.
#[derive(Debug)]
pub(crate) struct Ticker {
    name: &'static str,
    live: bool,
    next_plain: Duration,
    plain_lines: u32,
}

impl Ticker {
    /// For one race; `live` if stderr is a terminal.
    pub(crate) fn new(scenario: &Scenario, live: bool) -> Self {
        let asks = scenario.platform.as_ref().map(|service| &service.probe.ask);
        let name = match (&scenario.target, asks) {
            (Target::Bare(_), None) => "bare",
            (Target::Door(_), None) => "door",
            (Target::Address(_), _) => "race",
            (Target::Bare(_), Some(Ask::Tcp)) => "none",
            (Target::Bare(_), Some(Ask::Http(_))) => "http probe",
            (Target::Door(_), Some(Ask::Tcp)) => "vestibule",
            (Target::Door(_), Some(Ask::Http(_))) => "both",
        };
        Self { name, live, next_plain: PLAIN_EVERY, plain_lines: 0 }
    }

    /// Says how far the race is, if it is time to.
    pub(crate) fn tell(&mut self, progress: &Progress) {
        let line = line(self.name, progress);
        if self.live {
            // Back to the start of the line, and clear it (ECMA-48).
            write_err(&format!("\r\x1b[2K{line}"));
        } else if self.plain_is_due(progress.elapsed) {
            write_err(&format!("{line}\n"));
        }
    }

    /// Clears what was written over.
    pub(crate) fn done(&self) {
        if self.live {
            write_err("\r\x1b[2K");
        }
    }

    fn plain_is_due(&mut self, elapsed: Duration) -> bool {
        let due = elapsed >= self.next_plain && self.plain_lines < PLAIN_LINES_MAX;
        if due {
            self.next_plain = elapsed + PLAIN_EVERY;
            self.plain_lines += 1;
        }
        due
    }
}

fn line(name: &str, progress: &Progress) -> String {
    let ready = match progress.ready {
        Some(at) => format!("   ready at {:.2} s", at.as_secs_f64()),
        None => String::new(),
    };
    format!(
        "{name} {:5.1} s   {:>3} of {} came   {:>3} waiting   {:>3} ok   {:>3} lost{ready}",
        progress.elapsed.as_secs_f64(),
        progress.arrived,
        progress.clients,
        progress.waiting(),
        progress.ok,
        progress.lost,
    )
}

fn write_err(text: &str) {
    let mut stderr = io::stderr().lock();
    // Progress that nobody reads is no failure.
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Progress {
        Progress {
            elapsed: Duration::from_millis(ms),
            clients: 200,
            arrived: 90,
            talking: 5,
            ok: 20,
            lost: 10,
            ready: Some(Duration::from_millis(1500)),
        }
    }

    #[test]
    fn a_line_tells_it_all() {
        assert_eq!(
            line("door", &at(1800)),
            "door   1.8 s    90 of 200 came    55 waiting    20 ok    10 lost   ready at 1.50 s"
        );
    }

    // A race of an hour, looked at twenty times a second, must not fill a log.
    #[test]
    fn plain_lines_are_few() {
        let mut ticker =
            Ticker { name: "bare", live: false, next_plain: PLAIN_EVERY, plain_lines: 0 };
        let due = (0..72_000).filter(|tick| ticker.plain_is_due(at(tick * 50).elapsed)).count();
        assert_eq!(due, PLAIN_LINES_MAX as usize);
    }
}
