//! The table of a whole matrix, and its sum.

use std::fmt::Write as _;

use crate::matrix::cell::{Cell, Front};
use crate::matrix::reading::Reading;

/// Cells with their readings, in the matrix's order.
pub(super) struct Table<'a>(Vec<(&'a Cell, &'a Reading)>);

impl<'a> Table<'a> {
    pub(super) fn new(cells: &'a [Cell], readings: &'a [Reading]) -> Self {
        Self(cells.iter().zip(readings).collect())
    }

    /// Clients that came to a door.
    pub(super) fn total(&self) -> u64 {
        self.doors().map(|(_, reading)| reading.clients).sum()
    }

    /// Those of them that were lost.
    pub(super) fn lost(&self) -> u64 {
        self.doors().map(|(_, reading)| reading.lost).sum()
    }

    /// One row for each door, the same backend's bare loss beside it.
    pub(super) fn render(&self) -> String {
        let mut text = format!(
            "{:<9} {:<10} {:<6} {:>10} {:>10} {:>10} {:>10}\n",
            "backend", "cold start", "door", "bare lost", "door lost", "lag p50", "lag p99"
        );
        for (cell, reading) in self.doors() {
            let front = if cell.front == Front::Run { "run" } else { "serve" };
            let (p50, p99) = reading.lag_ms.map_or(("-".into(), "-".into()), |(p50, p99)| {
                (milliseconds(p50), milliseconds(p99))
            });
            let bare = self.bare(cell).map_or_else(|| "-".into(), share);
            let door = share(reading);
            let (backend, mode) = (cell.backend, cell.mode);
            _ = writeln!(
                text,
                "{backend:<9} {mode:<10} {front:<6} {bare:>10} {door:>10} {p50:>10} {p99:>10}"
            );
        }
        _ = writeln!(text, "{} of {} lost", thousands(self.lost()), thousands(self.total()));
        text
    }

    fn doors(&self) -> impl Iterator<Item = (&'a Cell, &'a Reading)> {
        self.0.iter().copied().filter(|(cell, _)| cell.front != Front::Bare)
    }

    fn bare(&self, of: &Cell) -> Option<&'a Reading> {
        let bare = Cell { front: Front::Bare, ..of.clone() };
        self.0.iter().find(|(cell, _)| **cell == bare).map(|(_, reading)| *reading)
    }
}

fn share(reading: &Reading) -> String {
    if *reading == Reading::NONE {
        return "-".to_owned();
    }
    format!("{}/{}", reading.lost, reading.clients)
}

fn milliseconds(number: f64) -> String {
    format!("{number:.1} ms")
}

fn thousands(number: u64) -> String {
    if number < 1_000 {
        number.to_string()
    } else {
        format!("{},{:03}", thousands(number / 1_000), number % 1_000)
    }
}

#[cfg(test)]
mod tests {
    use super::{Table, thousands};
    use crate::matrix::cell::{Cell, Front};
    use crate::matrix::reading::Reading;

    #[test]
    fn a_lost_client_of_a_door_is_in_the_sum_and_a_bare_one_is_not() {
        let cell = |front| Cell { backend: "node", mode: "silent", front };
        let cells = [cell(Front::Bare), cell(Front::Run), cell(Front::Serve)];
        let reading = |lost| Reading { clients: 200, lost, lag_ms: Some((1.2, 22.0)) };
        let readings = [reading(150), reading(0), reading(1)];
        let table = Table::new(&cells, &readings);
        assert_eq!((table.lost(), table.total()), (1, 400));
        let text = table.render();
        assert!(
            text.contains(
                "node      silent     serve     150/200      1/200     1.2 ms    22.0 ms"
            ),
            "{text}"
        );
        assert!(text.ends_with("1 of 400 lost\n"), "{text}");
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([0, 999, 7_200, 1_000_005].map(thousands), ["0", "999", "7,200", "1,000,005"]);
    }
}
