//! Help that teaches: examples first, then flags by what they are about.
//!
//! Owns the headings of the flags of `run` and `serve`, and the examples of every command. Must never
//! define a flag: `args` and the commands do.

use clap::Command;

use crate::exit;

/// Flags by what they are about. The first list stands in `-h` too, which fits a screen; `--help` has
/// both.
type Heading = (&'static str, &'static [&'static str], &'static [&'static str]);

const HEADINGS: [Heading; 10] = [
    ("Door", &["listen", "upstream"], &["config", "public-health", "refusal"]),
    ("Readiness", &["ready-path", "check", "startup-timeout"], &["ready", "late-routes", "phases"]),
    (
        "Patience",
        &["hold"],
        &["settle", "try-timeout", "request-timeout", "head-timeout", "client-idle"],
    ),
    (
        "Checks",
        &[],
        &["profile", "timeout-multiplier", "timeout-margin", "timeout-floor", "validation-budget"],
    ),
    (
        "Limits",
        &["max-held"],
        &["max-held-per-client", "dial-ahead", "head-bytes-max", "head-fields-max"],
    ),
    ("Trust", &[], &["trust-proxy"]),
    ("Leaving", &["drain"], &["lame-duck", "child-grace", "child-term", "drain-code"]),
    ("Command", &["restart"], &["child-port"]),
    ("Admin", &["admin"], &["admin-allow-remote", "admin-token-file", "admin-host"]),
    ("Log", &[], &["log", "verbose"]),
];

/// What can be pasted, by command; that of no command stands over all of them.
const EXAMPLES: [(&str, &[&str]); 10] = [
    ("", &["vestibule demo", "vestibule run -- python3 -m http.server {port}"]),
    (
        "run",
        &[
            "vestibule run -- python3 -m http.server {port}",
            "vestibule run --ready-path /health -- uvicorn app:app --port {port}",
            "vestibule run --listen :9000 --hold 30s --restart on-failure -- node server.js",
        ],
    ),
    (
        "serve",
        &[
            "vestibule serve --upstream 127.0.0.1:8081",
            "vestibule serve --upstream unix:/run/app/socket --ready-path /health",
        ],
    ),
    (
        "check-config",
        &["vestibule check-config run --hold 30s -- true", "vestibule check-config --schema"],
    ),
    (
        "doctor",
        &[
            "vestibule doctor --config vestibule.toml",
            "vestibule doctor run --hold 30s -- uvicorn app:app --port {port}",
            "vestibule doctor --watch",
        ],
    ),
    (
        "wait",
        &[
            "vestibule wait db:5432 -- python3 app.py",
            "vestibule wait --timeout 30s postgres://app@db/chat https://auth/health",
            "vestibule wait --config vestibule.toml --quiet -- ./migrate --all",
        ],
    ),
    (
        "race",
        &[
            "vestibule race --compare -- vestibule demo-backend --port {port}",
            "vestibule race --compare --ready-path /health --path /ws/room -- python3 app.py",
            "vestibule race --url ws://127.0.0.1:8080/ws --json",
        ],
    ),
    ("demo", &["vestibule demo", "vestibule demo --trace --ascii"]),
    (
        "completions",
        &[
            "source <(vestibule completions bash)",
            "vestibule completions fish > ~/.config/fish/completions/vestibule.fish",
        ],
    ),
    ("man", &["vestibule man run | man -l -", "vestibule man --out /usr/local/share/man/man1"]),
];

/// Usages that clap would make less clear.
const USAGES: [(&str, &str); 5] = [
    ("run", "vestibule run [FLAGS] -- CMD [ARGS]..."),
    ("serve", "vestibule serve [FLAGS] --upstream ADDR"),
    ("doctor", "vestibule doctor [run|serve] [FLAGS]"),
    ("wait", "vestibule wait [FLAGS] [URL]... [-- CMD [ARGS]...]"),
    ("race", "vestibule race [FLAGS] -- CMD [ARGS]...\n       vestibule race [FLAGS] --url URL"),
];

/// The examples of a command, or of the whole program for an empty name.
pub(crate) fn examples(command: &str) -> &'static [&'static str] {
    EXAMPLES.iter().find(|(of, _)| *of == command).map_or(&[], |(_, lines)| lines)
}

/// The definition with every flag under its heading.
pub(crate) fn in_order(definition: Command) -> Command {
    each_subcommand(definition, |command| {
        let usage = USAGES.iter().find(|(of, _)| *of == command.get_name());
        let command = match usage {
            Some((_, usage)) => command.override_usage(*usage),
            None => command,
        };
        // Only the door has enough flags to need headings.
        let is_a_doors = command.get_arguments().any(|arg| arg.get_long() == Some("listen"));
        if !is_a_doors {
            return command;
        }
        command.mut_args(|arg| match arg.get_long().and_then(place) {
            Some((heading, order, _)) => arg.help_heading(heading).display_order(order),
            None => arg,
        })
    })
}

/// The same with all that help says around the flags.
pub(crate) fn taught(definition: Command) -> Command {
    let definition = each_subcommand(in_order(definition), |command| {
        let command = command.mut_args(|arg| {
            let is_rare = arg.get_long().and_then(place).is_some_and(|(.., is_rare)| is_rare);
            if is_rare { arg.hide_short_help(true) } else { arg }
        });
        let examples = block(examples(command.get_name()));
        if examples.is_empty() {
            return command;
        }
        let about = command.get_long_about().or(command.get_about()).map(ToString::to_string);
        let about = about.unwrap_or_default();
        let (first, rest) = about.split_once("\n\n").unwrap_or((&about, ""));
        let long = [first, "\n\nExamples:\n", &examples, "\n\n", rest].concat();
        command
            .long_about(long.trim_end().to_owned())
            .after_help("--help has every flag, examples and the exit statuses.")
            .after_long_help(format!("Exit status:\n{}", exit::page()))
    });
    definition
        .after_help("`vestibule COMMAND -h` fits a screen, `vestibule COMMAND --help` has it all.")
        .after_long_help(format!(
            "Examples:\n{}\n\nExit status:\n{}\n\n\
             `vestibule --version --verbose` says how this program was built.",
            block(examples("")),
            exit::page(),
        ))
}

fn each_subcommand(definition: Command, change: impl Fn(Command) -> Command) -> Command {
    let names: Vec<String> =
        definition.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    names.iter().fold(definition, |definition, name| definition.mut_subcommand(name, &change))
}

/// A flag's heading, its place under it, and whether it is left out of `-h`.
fn place(long: &str) -> Option<(&'static str, usize, bool)> {
    HEADINGS.iter().find_map(|(heading, often, rarely)| {
        let at = often.iter().chain(*rarely).position(|flag| *flag == long)?;
        Some((*heading, at, at >= often.len()))
    })
}

fn block(lines: &[&str]) -> String {
    lines.iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    //! Breaks the help with flags that nobody placed, and commands without an example.
    use clap::CommandFactory;

    use super::*;
    use crate::args::Args;

    /// A screen of a terminal that nobody has changed.
    const SCREEN: usize = 40;

    #[test]
    fn every_flag_of_the_door_stands_under_a_heading() {
        let definition = in_order(Args::command());
        for name in ["run", "serve"] {
            let command = definition.find_subcommand(name).unwrap();
            for arg in command.get_opts().filter(|arg| !arg.is_hide_set()) {
                let long = arg.get_long().unwrap();
                assert!(arg.get_help_heading().is_some(), "{name} --{long}: add it to HEADINGS");
            }
        }
    }

    #[test]
    fn every_command_has_examples_and_each_is_understood() {
        let definition = taught(Args::command());
        for command in definition.get_subcommands().filter(|command| !command.is_hide_set()) {
            assert!(!examples(command.get_name()).is_empty(), "{}", command.get_name());
        }
        for line in EXAMPLES.iter().flat_map(|(_, lines)| *lines) {
            let line = line.trim_start_matches("source <(").trim_end_matches(')');
            let words = line.split(['|', '>']).next().unwrap().split_whitespace();
            let read = definition.clone().try_get_matches_from(words);
            assert!(read.is_ok(), "{line}: {}", read.unwrap_err());
        }
    }

    #[test]
    fn short_help_fits_a_screen_and_long_help_says_more() {
        let mut definition = taught(Args::command());
        definition.build();
        for name in ["run", "serve", "race", "demo"] {
            let command = definition.find_subcommand_mut(name).unwrap();
            let (short, long) = (command.render_help(), command.render_long_help());
            let lines = short.to_string().lines().count();
            assert!(name == "race" || lines <= SCREEN, "{name}: {lines} lines");
            let long = long.to_string();
            assert!(long.contains("\nExamples:\n") && long.contains("\nExit status:\n"), "{long}");
        }
    }
}
