//! Numbers as people read them.
//!
//! Owns their rounding, which never turns some into none, nor nearly all into all.

use std::time::Duration;

/// `0.51 s`.
pub(crate) fn seconds(span: Duration) -> String {
    format!("{:.2} s", span.as_secs_f64())
}

/// Seconds as short as they can be written: `4 s`, `2.5 s`.
pub(crate) fn short_seconds(span: Duration) -> String {
    let hundredths = (span.as_secs_f64() * 100.0).round() / 100.0;
    format!("{hundredths} s")
}

/// A lag: `0.4 ms`, `15 ms`, `1.25 s`, with its sign when it is negative.
pub(crate) fn lag(us: i64) -> String {
    let ms = us as f64 / 1000.0;
    match us.unsigned_abs() {
        0..10_000 => format!("{ms:.1} ms"),
        10_000..1_000_000 => format!("{ms:.0} ms"),
        _ => format!("{:.2} s", ms / 1000.0),
    }
}

/// `37 %` of `all`; `<1 %` for few and `99 %` for all but few.
pub(crate) fn percent(part: usize, all: usize) -> String {
    if part == 0 || all == 0 {
        return "0 %".into();
    }
    let rounded = (part * 200 + all) / (all * 2);
    match rounded {
        0 => "<1 %".into(),
        100.. if part < all => "99 %".into(),
        rounded => format!("{rounded} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Breaks the rounding where it would lie.
    #[test]
    fn few_are_not_none_and_most_are_not_all() {
        assert_eq!(percent(0, 200), "0 %");
        assert_eq!(percent(1, 7200), "<1 %");
        assert_eq!(percent(74, 200), "37 %");
        assert_eq!(percent(7199, 7200), "99 %");
        assert_eq!(percent(200, 200), "100 %");
        assert_eq!(percent(0, 0), "0 %");
    }

    #[test]
    fn lags_keep_their_sign_and_two_digits() {
        assert_eq!(lag(412), "0.4 ms");
        assert_eq!(lag(9_949), "9.9 ms");
        assert_eq!(lag(15_200), "15 ms");
        assert_eq!(lag(1_254_000), "1.25 s");
        assert_eq!(lag(-1_899_000), "-1.90 s");
        assert_eq!(short_seconds(Duration::from_millis(2500)), "2.5 s");
        assert_eq!(short_seconds(Duration::from_secs(4)), "4 s");
    }
}
