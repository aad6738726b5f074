//! One race drawn over time: a row for each outcome, a column for each slice of time.
//!
//! Owns the drawing. A cell shows which share of the clients that came in its slice saw this
//! outcome, so that a full block means all of them; the row of those waiting shows their number.

use std::time::Duration;

use super::marks;
use crate::{
    report::{
        Run,
        style::{Ink, Style},
        units::percent,
    },
    seen::Client,
};

/// Columns before the chart: two blanks, the longest label, one blank.
pub(super) const LABEL: usize = 17;
/// Columns after the chart: blank, count, share.
const COUNT: usize = 11;
/// Steps that an axis may have, in milliseconds.
const STEPS_MS: [u64; 12] =
    [10, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000, 300_000];
/// Waiting is worth a row when one in so many clients waited at once.
const NOTABLE_PART: usize = 20;
/// Within that row, less than this part of the peak is the handshakes' own time.
const FAINT_PART: usize = 40;
/// Ticks on an axis, at most.
const TICKS_MAX: u64 = 6;

/// Time on one side, columns on the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    columns: usize,
    end: Duration,
}

impl Scale {
    /// The column of a moment; the last one for everything later.
    pub(super) fn column(self, at: Duration) -> usize {
        let place = at.as_secs_f64() / self.end.as_secs_f64() * self.columns as f64;
        (place as usize).min(self.columns - 1)
    }

    pub(super) fn columns(self) -> usize {
        self.columns
    }

    /// The start of a column.
    fn start_of(self, column: usize) -> Duration {
        self.end.mul_f64(column as f64 / self.columns as f64)
    }

    /// The end of a column.
    fn end_of(self, column: usize) -> Duration {
        self.end.mul_f64((column + 1) as f64 / self.columns as f64)
    }
}

/// Draws a race within `width` columns, each line with its end.
pub(super) fn draw(run: &Run<'_>, width: usize, style: Style) -> String {
    let scale = Scale { columns: width - LABEL - COUNT, end: end_of(run) };
    let mut lines = Vec::new();
    let clients = &run.outcome.clients;
    lines.extend(waiting_row(clients, scale, style));
    let slices = Slices::of(run, scale);
    let came = slices.count(clients.iter());
    let lost = run.tally.seen.keys().filter(|seen| seen.is_lost());
    for &seen in lost.chain(run.tally.seen.keys().filter(|seen| !seen.is_lost())) {
        let saw = slices.count(clients.iter().filter(|client| client.seen == seen));
        let cells = (0..scale.columns).map(|column| match slices.at(scale.start_of(column)) {
            Some(slice) => style.cell(saw[slice], came[slice]),
            None => ' ',
        });
        let ink = if seen.is_lost() { Ink::Bad } else { Ink::Good };
        let row = style.paint(ink, &cells.collect::<String>());
        let count = run.tally.of(seen);
        let share = percent(count, clients.len());
        lines.push(format!("  {:<14} {row} {count:>4} {share:>5}", seen.label()));
    }
    lines.extend(axis(scale, style));
    lines.extend(marks::lines(run, scale, style));
    lines.into_iter().map(|line| line.trim_end().to_owned() + "\n").collect()
}

/// Everything that has to be on the chart, rounded up so that nothing sticks to its end.
fn end_of(run: &Run<'_>) -> Duration {
    let outcome = run.outcome;
    let in_clients = outcome.clients.iter().map(|c| c.at_101.unwrap_or(c.arrived));
    let latest = in_clients
        .chain(outcome.ready.map(|ready| ready.at))
        .chain([outcome.last_arrival])
        .max()
        .unwrap_or_default();
    (latest.mul_f64(1.01)).max(Duration::from_millis(10))
}

/// The time in which clients came, cut into equal parts: no more than there are columns, and so
/// few that each part has clients, or the row of an outcome would have holes that mean nothing.
struct Slices {
    window: Duration,
    number: usize,
}

impl Slices {
    fn of(run: &Run<'_>, scale: Scale) -> Self {
        let clients = &run.outcome.clients;
        let last = clients.iter().map(|client| client.arrived).max().unwrap_or_default();
        let window = last.max(run.outcome.last_arrival).max(Duration::from_millis(1));
        // Two arrivals' worth of time holds at least one arrival, wherever it is cut.
        let number = (clients.len() / 2).min(scale.column(window) + 1).max(1);
        Self { window, number }
    }

    /// The slice of a moment; `None` when nobody came any more.
    fn at(&self, moment: Duration) -> Option<usize> {
        let place = moment.as_secs_f64() / self.window.as_secs_f64() * self.number as f64;
        (moment <= self.window).then(|| (place as usize).min(self.number - 1))
    }

    fn count<'a>(&self, clients: impl Iterator<Item = &'a Client>) -> Vec<usize> {
        let mut slices = vec![0; self.number];
        for slice in clients.filter_map(|client| self.at(client.arrived)) {
            slices[slice] += 1;
        }
        slices
    }
}

/// How many had come and had no answer at the end of each column; no row where hardly anybody
/// ever waited.
fn waiting_row(clients: &[Client], scale: Scale, style: Style) -> Option<String> {
    let waiting: Vec<usize> = (0..scale.columns)
        .map(|column| {
            let now = scale.end_of(column);
            let waits = |c: &&Client| c.arrived <= now && now < c.at_101.unwrap_or(c.ended);
            clients.iter().filter(waits).count()
        })
        .collect();
    let notable = |&most: &usize| most > 1 && most * NOTABLE_PART >= clients.len();
    let most = waiting.iter().copied().max().filter(notable)?;
    let shown = |now: usize| if now * FAINT_PART < most { 0 } else { now };
    let cells = waiting.iter().map(|&now| style.cell(shown(now), most));
    let row = style.paint(Ink::Waiting, &cells.collect::<String>());
    Some(format!("  {:<14} {row} {most:>4}  peak", "waiting"))
}

/// The axis and, under it, its times.
fn axis(scale: Scale, style: Style) -> [String; 2] {
    let [start, tick, stretch] = style.axis();
    let end_ms = u64::try_from(scale.end.as_millis()).unwrap_or(u64::MAX);
    let step_ms = STEPS_MS.into_iter().find(|step| end_ms / step < TICKS_MAX).unwrap_or(end_ms);
    let mut line = vec![stretch; scale.columns];
    let mut times = String::new();
    for ms in (0..=end_ms).step_by(usize::try_from(step_ms).unwrap_or(usize::MAX)) {
        let column = scale.column(Duration::from_millis(ms));
        line[column] = if ms == 0 { start } else { tick };
        let label = format!("{} s", ms as f64 / 1000.0);
        if column >= times.len() && column + label.len() <= scale.columns + COUNT {
            times.push_str(&" ".repeat(column - times.len()));
            times.push_str(&label);
        }
    }
    let line: String = line.into_iter().collect();
    [
        format!("{:LABEL$}{}", "", style.paint(Ink::Faint, &line)),
        format!("{:LABEL$}{}", "", style.paint(Ink::Faint, &times)),
    ]
}
