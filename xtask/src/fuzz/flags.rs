//! What `cargo xtask fuzz` may be told.

use std::time::Duration;

/// The flags, as they will be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Flags {
    /// For each target.
    pub(super) length: Duration,
    /// Targets that run side by side; each keeps one processor busy.
    pub(super) at_once: usize,
    pub(super) names: Vec<String>,
}

const USAGE: &str = "\
cargo xtask fuzz [--minutes N] [--at-once N] [TARGET]...
  --minutes N   for each target (10); fractions too
  --at-once N   targets side by side (2)";
/// A day: longer is a typing mistake.
const MINUTES_MAX: f64 = 24.0 * 60.0;

impl Flags {
    /// # Errors
    /// A flag or target that is unknown, or a value that makes no sense, with the usage.
    pub(super) fn parse(arguments: &[String], known: &[String]) -> Result<Self, String> {
        let mut flags = Self { length: Duration::from_mins(10), at_once: 2, names: Vec::new() };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            match argument.as_str() {
                "--minutes" => flags.length = minutes(rest.next())?,
                "--at-once" => flags.at_once = at_once(rest.next())?,
                name if known.iter().any(|known| known == name) => flags.names.push(name.into()),
                other => {
                    let known = known.join(", ");
                    return Err(format!("`{other}` is no flag and none of: {known}\n{USAGE}"));
                }
            }
        }
        if flags.names.is_empty() {
            flags.names = known.to_vec();
        }
        Ok(flags)
    }
}

fn minutes(value: Option<&String>) -> Result<Duration, String> {
    let minutes = value.and_then(|text| text.parse::<f64>().ok());
    let minutes = minutes.filter(|minutes| *minutes > 0.0 && *minutes <= MINUTES_MAX);
    let wrong = || format!("--minutes needs a number above 0, and at most {MINUTES_MAX}\n{USAGE}");
    minutes.map(|minutes| Duration::from_secs_f64(minutes * 60.0)).ok_or_else(wrong)
}

fn at_once(value: Option<&String>) -> Result<usize, String> {
    let number = value.and_then(|text| text.parse().ok()).filter(|number| *number > 0);
    number.ok_or_else(|| format!("--at-once needs a number from 1 on\n{USAGE}"))
}

#[cfg(test)]
mod tests {
    use super::Flags;

    fn parse(line: &str) -> Result<Flags, String> {
        let arguments: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Flags::parse(&arguments, &["body".to_owned(), "head".to_owned()])
    }

    #[test]
    fn all_targets_for_ten_minutes_two_at_a_time_unless_told() {
        let flags = parse("").unwrap();
        assert_eq!((flags.length.as_secs(), flags.at_once), (600, 2));
        assert_eq!(flags.names, ["body", "head"]);
        let flags = parse("--minutes 0.5 head --at-once 1").unwrap();
        assert_eq!((flags.length.as_secs(), flags.at_once), (30, 1));
        assert_eq!(flags.names, ["head"]);
    }

    #[test]
    fn what_makes_no_sense_is_said() {
        for line in
            ["--minutes", "--minutes x", "--minutes 0", "--minutes NaN", "--at-once 0", "tail"]
        {
            assert!(parse(line).unwrap_err().contains("cargo xtask fuzz"), "{line}");
        }
    }
}
