//! What `cargo xtask matrix` may be told.

/// The flags, as they will be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Flags {
    /// Clients in each race.
    pub(super) clients: usize,
    /// The window over which they come, from the start of what is raced. Longer than the slowest
    /// start, or a bare race ends before anything listens: Python's imports alone take a second.
    pub(super) spread_ms: u64,
    /// From the backend's first own line to its readiness.
    pub(super) ready_after_ms: u64,
    /// How long a client waits for its 101.
    pub(super) timeout_ms: u64,
    /// Races that run side by side.
    pub(super) at_once: usize,
    pub(super) release: bool,
    only: Vec<String>,
}

const USAGE: &str = "\
cargo xtask matrix [--small] [--clients N] [--at-once N] [--release] [--only PART]...
  --small       20 clients a race and shorter cold starts: the form in ./test
  --clients N   clients in each race (200)
  --at-once N   races side by side (2; 4 when small)
  --release     the binaries from target/release
  --only PART   races whose name has PART in it, as in `fastapi silent serve`";

impl Flags {
    /// # Errors
    /// A flag that is unknown or lacks its value, with the usage.
    pub(super) fn parse(arguments: &[String]) -> Result<Self, String> {
        let is_small = arguments.iter().any(|argument| argument == "--small");
        let mut flags = if is_small { Self::small() } else { Self::full() };
        let mut rest = arguments.iter();
        while let Some(flag) = rest.next() {
            match flag.as_str() {
                "--small" => {}
                "--release" => flags.release = true,
                "--clients" => flags.clients = number(flag, rest.next())?,
                "--at-once" => flags.at_once = number(flag, rest.next())?,
                "--only" => flags.only.push(rest.next().ok_or(USAGE)?.clone()),
                _ => return Err(format!("unknown flag `{flag}`\n{USAGE}")),
            }
        }
        Ok(flags)
    }

    /// Whether a race of this name is wanted.
    pub(super) fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|part| name.contains(part.as_str()))
    }

    fn full() -> Self {
        Self {
            clients: 200,
            spread_ms: 5_000,
            ready_after_ms: 2_000,
            timeout_ms: 30_000,
            at_once: 2,
            release: false,
            only: Vec::new(),
        }
    }

    fn small() -> Self {
        Self {
            clients: 20,
            spread_ms: 3_000,
            ready_after_ms: 600,
            timeout_ms: 10_000,
            at_once: 4,
            ..Self::full()
        }
    }
}

fn number(flag: &str, value: Option<&String>) -> Result<usize, String> {
    let number = value.and_then(|text| text.parse().ok()).filter(|number| *number > 0);
    number.ok_or_else(|| format!("{flag} needs a number from 1 on\n{USAGE}"))
}

#[cfg(test)]
mod tests {
    use super::Flags;

    fn parse(line: &str) -> Result<Flags, String> {
        let arguments: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Flags::parse(&arguments)
    }

    #[test]
    fn small_is_a_start_that_other_flags_refine() {
        let flags = parse("--clients 7 --small --only node").unwrap();
        assert_eq!((flags.clients, flags.at_once), (7, 4));
        assert!(flags.wants("node silent run") && !flags.wants("axum silent run"));
        assert_eq!(parse("").unwrap(), Flags::full());
    }

    #[test]
    fn what_is_not_understood_is_said() {
        for bad in ["--clients", "--clients none", "--at-once 0", "--only", "--fast"] {
            assert!(parse(bad).unwrap_err().contains("--at-once N"), "{bad}");
        }
    }
}
