//! The report for people: what each client saw, drawn over time, within 72 columns.
//!
//! Owns the page. The drawing of one race over time is in `timeline`, the table of several in `table`.

mod marks;
mod table;
mod timeline;

use super::{
    Column, Note, Run,
    style::{Ink, Style},
    units::{lag, percent, short_seconds},
};
use crate::{race::Role, tally::Lag};

/// No line is longer.
const WIDTH: usize = 72;

/// The page of one race.
#[must_use]
pub fn single(run: &Run<'_>, style: Style) -> String {
    let mut page = String::new();
    page.push_str(&section(run, style));
    for (number, (name, value)) in lags(run).into_iter().enumerate() {
        page.push_str(if number == 0 { "\n" } else { "" });
        page.push_str(&format!("  {name:<24}{value}\n"));
    }
    page.push_str(&ending(run, style));
    page.push('\n');
    page.push_str(&verdict(run, style));
    page
}

/// The page of races with the same arrivals, of which some are judged.
#[must_use]
pub fn compare(runs: &[&Run<'_>], style: Style) -> String {
    let pictures: String = runs.iter().map(|run| picture(run, style)).collect();
    pictures + &comparison(runs, style)
}

/// The upper part of [`compare`], once for each race: what can be shown when it has ended.
#[must_use]
pub fn picture(run: &Run<'_>, style: Style) -> String {
    format!("{}{}\n", section(run, style), ending(run, style))
}

/// The lower part of [`compare`]: all in numbers, and the verdicts.
#[must_use]
pub fn comparison(runs: &[&Run<'_>], style: Style) -> String {
    let mut page = table::side_by_side(runs, style);
    page.push('\n');
    for run in runs.iter().filter(|run| !run.judged) {
        page.push_str(&format!("  {}, {}.\n", run.column().subject(), fate(run)));
    }
    for run in runs.iter().filter(|run| run.judged) {
        page.push_str(&verdict(run, style));
    }
    page
}

/// Title and timeline of one race.
fn section(run: &Run<'_>, style: Style) -> String {
    let column = run.column();
    let name = match column {
        Column::Direct(Role::Address) => "RACE".into(),
        named => named.label().to_uppercase(),
    };
    let indent = name.len().max(4) + 3;
    let what = format!("{name:<indent$}{}", column.description());
    let probe = run.outcome.routing.as_ref().map_or_else(String::new, |routing| {
        let line = format!("{:indent$}startup probe: {}", "", routing.service.probe);
        // A path may be long.
        line.chars().take(WIDTH).chain(['\n']).collect()
    });
    let tally = &run.tally;
    let window = short_seconds(run.outcome.last_arrival);
    format!(
        "{}\n{:indent$}{} clients within {window} at {}\n{probe}\n{}",
        style.paint(Ink::Strong, &what),
        "",
        tally.clients,
        run.outcome.address,
        timeline::draw(run, WIDTH, style),
    )
}

/// Notes, and the last words of a target that ended by itself.
fn ending(run: &Run<'_>, style: Style) -> String {
    let mut text = String::new();
    for note in Note::of(run) {
        text.push_str(&wrapped(&format!("note: {note}")));
    }
    for line in &run.outcome.last_lines {
        let line: String = line.chars().take(WIDTH - 6).collect();
        text.push_str(&style.paint(Ink::Faint, &format!("    | {line}")));
        text.push('\n');
    }
    if text.is_empty() { text } else { format!("\n{text}") }
}

/// A sentence broken at blanks, indented, each line with its end.
fn wrapped(sentence: &str) -> String {
    let mut lines = vec![String::new()];
    for word in sentence.split(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() => *line = format!("  {word}"),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(format!("        {word}")),
        }
    }
    lines.into_iter().map(|line| line + "\n").collect()
}

/// The last line: whether somebody was lost.
fn verdict(run: &Run<'_>, style: Style) -> String {
    let good = run.tally.lost == 0;
    let ink = if good { Ink::Good } else { Ink::Bad };
    let whose = run.column().subject();
    let line = format!("{} {whose}, {}.", style.verdict(good), fate(run));
    format!("{}\n", style.paint(ink, &line))
}

/// `126 of 200 clients were lost (63 %)`, or `all 200 clients were served`.
fn fate(run: &Run<'_>) -> String {
    let (lost, all) = (run.tally.lost, run.tally.clients);
    match lost {
        0 if all == 0 => "nobody came".into(),
        0 => format!("all {all} clients were served"),
        lost => format!("{lost} of {all} clients were lost ({})", percent(lost, all)),
    }
}

/// Lines on lag for the page of one race.
fn lags(run: &Run<'_>) -> Vec<(&'static str, String)> {
    let summary = |lag_of: Lag| {
        let [p50, p99, max] = [lag_of.p50_us, lag_of.p99_us, lag_of.max_us].map(lag);
        format!("p50 {p50}   p99 {p99}   max {max}")
    };
    let mut lines = Vec::new();
    if let Some(early) = run.tally.lag_early {
        lines.push(("lag behind readiness", summary(early)));
    }
    if let Some(late) = run.tally.lag_late {
        lines.push(("handshake once ready", summary(late)));
    }
    if let Some(ready) = run.outcome.ready {
        lines.push(("ready according to", ready.source.label().to_owned()));
    }
    lines
}

#[cfg(test)]
mod tests;
