//! The marks under a timeline: the port opened here, the app was ready there, a platform routed from then on.
//!
//! Owns their places, so that no two labels overlap and none leaves the page.

use std::time::Duration;

use super::{
    WIDTH,
    timeline::{LABEL, Scale},
};
use crate::report::{
    Run,
    style::{Ink, Style},
    units::seconds,
};

/// One line for each mark that has no room beside the last one.
pub(super) fn lines(run: &Run<'_>, scale: Scale, style: Style) -> Vec<String> {
    let outcome = run.outcome;
    let routed = outcome.routing.as_ref().and_then(|routing| routing.routed_from);
    let ready = outcome.ready.map(|ready| ready.at);
    let mut named = [("port open", outcome.port_open), ("routed", routed), ("ready", ready)];
    named.sort_by_key(|(_, at)| *at);
    let mut rows: Vec<String> = Vec::new();
    let mut row = String::new();
    for (name, at) in named {
        let Some(at) = at else { continue };
        let (column, text) = placed(name, at, scale, style);
        let length = row.chars().count();
        if length > 0 && column < length + 2 {
            rows.push(std::mem::take(&mut row));
        }
        let length = row.chars().count();
        row.push_str(&" ".repeat(column - length));
        row.push_str(&text);
    }
    rows.extend(Some(row).filter(|row| !row.is_empty()));
    rows.into_iter().map(|row| format!("{:LABEL$}{}", "", style.paint(Ink::Strong, &row))).collect()
}

/// Where a mark's text begins, and the text: the mark first, or last where the page ends.
fn placed(name: &str, at: Duration, scale: Scale, style: Style) -> (usize, String) {
    let column = scale.column(at);
    let mark = style.mark();
    let label = format!("{name} {}", seconds(at));
    let length = label.chars().count();
    let fits_right = column + 2 + length <= WIDTH - LABEL;
    if fits_right || column < length + 1 || column >= scale.columns() {
        (column, format!("{mark} {label}"))
    } else {
        (column - length - 1, format!("{label} {mark}"))
    }
}
