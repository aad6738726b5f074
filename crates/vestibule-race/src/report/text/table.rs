//! Races side by side, in numbers.
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

/// Width of the names and of one column of numbers, for two columns and for more.
const WIDE: [usize; 2] = [34, 15];
const NARROW: [usize; 2] = [25, 11];
/// Where a name ends and the part of a lag begins, wide and narrow.
const PARTS: [usize; 2] = [24, 21];

/// The table, each line with its end.
pub(super) fn side_by_side(runs: &[&Run<'_>], style: Style) -> String {
    let ([name, cell], part) = match runs.len() {
        0..=2 => (WIDE, PARTS[0]),
        _ => (NARROW, PARTS[1]),
    };
    let mut table = Table { name, cell, part, style, text: String::new() };
    let heads = runs.iter().map(|run| (run.column().label().to_uppercase(), Ink::Strong));
    table.row("", heads);
    for seen in outcomes(runs) {
        let shares = runs.iter().map(|run| {
            let count = run.tally.of(seen);
            let ink = match (seen.is_lost(), count) {
                (true, 1..) => Ink::Bad,
                (false, 1..) => Ink::Good,
                (_, 0) => Ink::Faint,
            };
            (share(count, run.tally.clients), ink)
        });
        table.row(&seen.label(), shares);
    }
    table.rule(runs.len());
    let lost = runs.iter().map(|run| {
        let lost = run.tally.lost;
        (share(lost, run.tally.clients), if lost > 0 { Ink::Bad } else { Ink::Good })
    });
    table.row("lost", lost);
    table.lags("lag behind readiness", runs.iter().map(|run| run.tally.lag_early));
    table.lags("handshake once ready", runs.iter().map(|run| run.tally.lag_late));
    table.text
}

/// The rows: what anybody saw; on a platform also what this is about, seen or not.
fn outcomes(runs: &[&Run<'_>]) -> BTreeSet<Seen> {
    let mut outcomes: BTreeSet<Seen> =
        runs.iter().flat_map(|run| run.tally.seen.keys().copied()).chain([Seen::Ok]).collect();
    if runs.iter().any(|run| run.outcome.routing.is_some()) {
        outcomes.extend([Seen::Refused, Seen::Closed(1011)]);
    }
    outcomes
}

struct Table {
    name: usize,
    cell: usize,
    part: usize,
    style: Style,
    text: String,
}

impl Table {
    fn row(&mut self, name: &str, cells: impl Iterator<Item = (String, Ink)>) {
        let mut line = format!("  {name:<0$}", self.name);
        for (cell, ink) in cells {
            line.push_str(&self.style.paint(ink, &format!("{cell:>0$}", self.cell)));
        }
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    fn rule(&mut self, columns: usize) {
        let width = self.name + columns * self.cell;
        let rule: String = std::iter::repeat_n(self.style.rule(), width).collect();
        let rule = self.style.paint(Ink::Faint, &rule);
        self.text.push_str(&format!("  {rule}\n"));
    }

    /// Median, 99th percentile and maximum of each lag; nothing where there is none.
    fn lags(&mut self, name: &str, lags: impl Iterator<Item = Option<Lag>>) {
        let lags: Vec<Option<Lag>> = lags.collect();
        if lags.iter().all(Option::is_none) {
            return;
        }
        for (number, part) in ["p50", "p99", "max"].into_iter().enumerate() {
            let name = if number == 0 { name } else { "" };
            let cells = lags.iter().map(|known| match known {
                Some(known) => {
                    let values = [known.p50_us, known.p99_us, known.max_us];
                    (lag(values[number]), Ink::Strong)
                }
                None => ("-".into(), Ink::Faint),
            });
            self.row(&format!("{name:<0$}{part}", self.part), cells);
        }
    }
}

/// `101   50 %`; a lone `0` for none.
fn share(count: usize, all: usize) -> String {
    match count {
        0 => format!("0{:6}", ""),
        count => format!("{count}{:>6}", percent(count, all)),
    }
}
