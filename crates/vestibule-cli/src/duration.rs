//! Lengths of time as they are typed.
//!
//! Owns their spelling and their bound. Must never guess a unit.

use std::time::Duration;

/// Nothing of ours takes longer. A clock could not count to what may be written.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

/// A length of time as people write it: `100ms`, `60s`, `1m 30s`; a bare 0 needs no unit.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    if text.trim() == "0" {
        return Ok(Duration::ZERO);
    }
    let wrong = || "use a number with its unit, such as 100ms, 60s or 1m 30s".to_owned();
    let signed: jiff::SignedDuration = text.parse().map_err(|_| wrong())?;
    let time = Duration::try_from(signed).map_err(|_| wrong())?;
    let countable = (time <= LONGEST).then_some(time);
    countable.ok_or_else(|| "longer than a year; use 8760h or less".to_owned())
}

/// The same, for what nothing could ever be done within none of.
pub(crate) fn above_zero(text: &str) -> Result<Duration, String> {
    let time = duration(text)?;
    let some = (!time.is_zero()).then_some(time);
    some.ok_or_else(|| "nothing could ever be done in no time; use 1ms or more".to_owned())
}

/// As it is typed: in seconds if it is whole ones.
pub(crate) fn written(time: Duration) -> String {
    if time.subsec_nanos() == 0 {
        format!("{}s", time.as_secs())
    } else {
        format!("{}ms", time.as_millis())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_their_unit_and_never_guessed() {
        let rows = [
            ("100ms", Some(100)),
            ("60s", Some(60_000)),
            ("1m 30s", Some(90_000)),
            ("0", Some(0)),
            ("5", None),
            ("-5s", None),
            ("8760h", Some(8760 * 3_600_000)),
            ("8761h", None),
            ("9223372036854775807s", None),
            ("soon", None),
        ];
        for (text, wanted) in rows {
            assert_eq!(duration(text).ok(), wanted.map(Duration::from_millis), "{text}");
        }
    }
}
