//! What one race said.

use serde_json::Value;

/// The counts of one race.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) clients: u64,
    pub(super) lost: u64,
    /// Lags of the clients that were ok, p50 and p99, in microseconds.
    pub(super) lag_us: Option<(i64, i64)>,
}

impl Reading {
    /// Reads the report of `vestibule race --json`.
    ///
    /// # Errors
    /// It is no such report.
    pub(super) fn from_json(report: &[u8]) -> Result<Self, String> {
        let report: Value =
            serde_json::from_slice(report).map_err(|error| format!("no report: {error}"))?;
        let run = &report["runs"][0];
        let count = |name: &str| {
            run[name]
                .as_u64()
                .ok_or_else(|| format!("no `{name}` in the report"))
        };
        let lag = &run["lag"];
        Ok(Self {
            clients: count("clients")?,
            lost: count("lost")?,
            lag_us: lag["p50_us"].as_i64().zip(lag["p99_us"].as_i64()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Reading;

    #[test]
    fn counts_and_lags_are_read() {
        let report =
            br#"{"runs":[{"clients":200,"ok":198,"lost":2,"lag":{"p50_us":1500,"p99_us":-3}}]}"#;
        let expected = Reading {
            clients: 200,
            lost: 2,
            lag_us: Some((1_500, -3)),
        };
        assert_eq!(Reading::from_json(report), Ok(expected));
    }

    #[test]
    fn a_report_without_counts_is_a_fault_and_not_a_zero() {
        assert!(Reading::from_json(br#"{"runs":[]}"#).is_err());
        assert!(Reading::from_json(b"").is_err());
    }
}
