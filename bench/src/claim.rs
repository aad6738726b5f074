//! A claim: what was measured, and what it must not exceed.
//!
//! Owns the median and the table. Must never hide a spread.

use std::fmt::Write;

/// One measured figure and its limit.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    name: String,
    unit: &'static str,
    values: Vec<f64>,
    at_most: f64,
}

impl Claim {
    /// A figure measured once or several times; the median is judged.
    pub(crate) fn new(
        name: impl Into<String>,
        unit: &'static str,
        mut values: Vec<f64>,
        at_most: f64,
    ) -> Self {
        values.sort_by(f64::total_cmp);
        Self { name: name.into(), unit, values, at_most }
    }

    /// Whether the median is within the limit.
    pub(crate) fn holds(&self) -> bool {
        self.median() <= self.at_most
    }

    fn median(&self) -> f64 {
        self.values.get(self.values.len() / 2).copied().unwrap_or(f64::INFINITY)
    }
}

/// All claims, a line each.
pub(crate) fn table(claims: &[Claim]) -> String {
    let mut text = format!(
        "{:<58} {:>9} {:>17} {:>9}  verdict\n",
        "claim", "median", "least - most", "at most"
    );
    for claim in claims {
        let least = claim.values.first().copied().unwrap_or_default();
        let most = claim.values.last().copied().unwrap_or_default();
        let spread = format!("{least:.2} - {most:.2}");
        let verdict = if claim.holds() { "holds" } else { "MISSED" };
        let _ = writeln!(
            text,
            "{:<58} {:>9.2} {spread:>17} {:>9.2}  {verdict}",
            format!("{} ({})", claim.name, claim.unit),
            claim.median(),
            claim.at_most,
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_decides_and_nothing_measured_is_a_miss() {
        assert!(Claim::new("a", "ms", vec![9.0, 1.0, 2.0], 2.0).holds());
        assert!(!Claim::new("a", "ms", vec![9.0, 3.0, 2.0], 2.0).holds());
        assert!(!Claim::new("a", "ms", vec![], 2.0).holds());
    }
}
