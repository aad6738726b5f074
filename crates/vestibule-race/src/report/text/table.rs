//! Two races side by side, in numbers.
//!
//! Owns the table.

use std::collections::BTreeSet;

use crate::{
    report::{
        Run,
        style::{Ink, Style},
        units::{lag, percent},
    },
    seen::Seen,
    tally::Lag,
};

/// Width of the names.
const NAME: usize = 34;
/// Width of one column of numbers.
const CELL: usize = 15;

/// The table, each line with its end.
pub(super) fn side_by_side(bare: &Run<'_>, door: &Run<'_>, style: Style) -> String {
    let mut table = Table { style, text: String::new() };
    let heads = [bare, door].map(|run| run.outcome.role.label().to_uppercase());
    table.row("", &heads, [Ink::Strong; 2]);
    let outcomes: BTreeSet<Seen> = [bare, door]
        .iter()
        .flat_map(|run| run.tally.seen.keys().copied())
        .chain([Seen::Ok])
        .collect();
    for seen in outcomes {
        let counts = [bare, door].map(|run| run.tally.of(seen));
        let inks = counts.map(|count| match (seen.is_lost(), count) {
            (true, 1..) => Ink::Bad,
            (false, 1..) => Ink::Good,
            (_, 0) => Ink::Faint,
        });
        let all = [bare.tally.clients, door.tally.clients];
        table.row(&seen.label(), &shares(counts, all), inks);
    }
    table.rule();
    let lost = [bare, door].map(|run| run.tally.lost);
    let inks = lost.map(|lost| if lost > 0 { Ink::Bad } else { Ink::Good });
    table.row("lost", &shares(lost, [bare.tally.clients, door.tally.clients]), inks);
    table.lags("lag behind readiness", [bare.tally.lag_early, door.tally.lag_early]);
    table.lags("handshake once ready", [bare.tally.lag_late, door.tally.lag_late]);
    table.text
}

struct Table {
    style: Style,
    text: String,
}

impl Table {
    fn row(&mut self, name: &str, cells: &[String; 2], inks: [Ink; 2]) {
        let mut line = format!("  {name:<NAME$}");
        for (cell, ink) in cells.iter().zip(inks) {
            line.push_str(&self.style.paint(ink, &format!("{cell:>CELL$}")));
        }
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    fn rule(&mut self) {
        let rule: String = std::iter::repeat_n(self.style.rule(), NAME + 2 * CELL).collect();
        let rule = self.style.paint(Ink::Faint, &rule);
        self.text.push_str(&format!("  {rule}\n"));
    }

    /// Median, 99th percentile and maximum of two lags; nothing where neither has one.
    fn lags(&mut self, name: &str, lags: [Option<Lag>; 2]) {
        if lags.iter().all(Option::is_none) {
            return;
        }
        let parts = [
            ("p50", lags.map(|known| known.map(|lag| lag.p50_us))),
            ("p99", lags.map(|known| known.map(|lag| lag.p99_us))),
            ("max", lags.map(|known| known.map(|lag| lag.max_us))),
        ];
        for (number, (part, values)) in parts.into_iter().enumerate() {
            let name = if number == 0 { name } else { "" };
            let cells = values.map(|value| value.map_or("-".into(), lag));
            let inks = values.map(|value| value.map_or(Ink::Faint, |_| Ink::Strong));
            self.row(&format!("{name:<24}{part}"), &cells, inks);
        }
    }
}

/// `101   50 %`; a lone `0` for none.
fn shares(counts: [usize; 2], all: [usize; 2]) -> [String; 2] {
    [0, 1].map(|side| match counts[side] {
        0 => format!("0{:6}", ""),
        count => format!("{count}{:>6}", percent(count, all[side])),
    })
}
