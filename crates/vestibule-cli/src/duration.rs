//! Lengths of time as they are typed.
//!
//! Owns their spelling. Must never guess a unit.

use std::time::Duration;

/// Longest time that is understood, ten years. More than enough for "for ever", and far from where adding it to a
/// clock could overflow.
const TIME_MAX: Duration = Duration::from_hours(87_600);

/// A length of time as people write it: `100ms`, `60s`, `1m 30s`; a bare 0 needs no unit.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    if text.trim() == "0" {
        return Ok(Duration::ZERO);
    }
    let wrong = || "use a number with its unit, such as 100ms, 60s or 1m 30s".to_owned();
    let signed: jiff::SignedDuration = text.parse().map_err(|_| wrong())?;
    let time = Duration::try_from(signed).map_err(|_| wrong())?;
    let bounded = (time <= TIME_MAX).then_some(time);
    bounded.ok_or_else(|| "longer than ten years; use 87600h or less".to_owned())
}

/// The same, for what nothing could ever be done within none of.
pub(crate) fn above_zero(text: &str) -> Result<Duration, String> {
    let time = duration(text)?;
    let some = (!time.is_zero()).then_some(time);
    some.ok_or_else(|| "nothing could ever be done in no time; use 1ms or more".to_owned())
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
            ("soon", None),
            ("87600h", Some(315_360_000_000)),
            // Added to a clock, these would overflow.
            ("87600h 1s", None),
            ("9223372036854775807s", None),
        ];
        for (text, wanted) in rows {
            assert_eq!(duration(text).ok(), wanted.map(Duration::from_millis), "{text}");
        }
    }
}
