//! What one race said.

use serde_json::Value;

/// The counts of one race.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reading {
    pub(super) clients: u64,
    pub(super) lost: u64,
    /// Lags of the clients that came before readiness and were ok: p50 and p99, in milliseconds.
    pub(super) lag_ms: Option<(f64, f64)>,
}

impl Reading {
    /// Of a race that could not be counted.
    pub(super) const NONE: Self = Self { clients: 0, lost: 0, lag_ms: None };

    /// Reads the report of `vestibule race --json`.
    ///
    /// # Errors
    /// It is no such report.
    pub(super) fn from_json(report: &[u8]) -> Result<Self, String> {
        let report: Value =
            serde_json::from_slice(report).map_err(|error| format!("no report: {error}"))?;
        let run = &report["runs"][0];
        let count =
            |name: &str| run[name].as_u64().ok_or_else(|| format!("no `{name}` in the report"));
        let lag = &run["lag_ms"]["early"];
        Ok(Self {
            clients: count("clients")?,
            lost: count("lost")?,
            lag_ms: lag["p50"].as_f64().zip(lag["p99"].as_f64()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Reading;

    #[test]
    fn counts_and_lags_are_read() {
        let report =
            br#"{"runs":[{"clients":200,"lost":2,"lag_ms":{"early":{"p50":1.5,"p99":9}}}]}"#;
        let expected = Reading { clients: 200, lost: 2, lag_ms: Some((1.5, 9.0)) };
        assert_eq!(Reading::from_json(report), Ok(expected));
        let report = br#"{"runs":[{"clients":1,"lost":1,"lag_ms":{"early":null}}]}"#;
        assert_eq!(Reading::from_json(report).unwrap().lag_ms, None);
    }

    #[test]
    fn a_report_without_counts_is_a_fault_and_not_a_zero() {
        assert!(Reading::from_json(br#"{"runs":[]}"#).is_err());
        assert!(Reading::from_json(b"").is_err());
    }
}
