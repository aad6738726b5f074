//! `vestibule man`: the manual, made of the same definitions as the help.
//!
//! Owns its pages. Must never note a date: the same program makes the same pages.

use std::fs;
use std::io;
use std::path::PathBuf;

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::args::{teaching, visible};
use crate::error::Error;
use crate::exit::{self, Exit};
use crate::stdout;
use crate::version::SHORT;

/// Print the manual, or write all of its pages.
#[derive(Debug, clap::Args)]
pub(crate) struct ManArgs {
    /// The command whose page is printed [default: the page of vestibule itself]
    command: Option<String>,

    /// Write every page into this directory instead
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    out: Option<PathBuf>,
}

/// Prints one page, or writes all.
pub(crate) fn man(args: ManArgs) -> Result<Exit, Error> {
    let pages =
        pages().map_err(|error| Error::system(format!("cannot make the manual: {error}")))?;
    if let Some(directory) = &args.out {
        let failed = |error: io::Error| {
            Error::system(format!("cannot write to {}: {error}", directory.display()))
                .hint("see that it may be written, and has room")
        };
        fs::create_dir_all(directory).map_err(failed)?;
        for (name, page) in &pages {
            fs::write(directory.join(format!("{name}.1")), page).map_err(failed)?;
        }
        return Ok(Exit::Ok);
    }
    let wanted = args.command.map_or("vestibule".to_owned(), |name| format!("vestibule-{name}"));
    let Some((_, page)) = pages.iter().find(|(name, _)| *name == wanted) else {
        let names: Vec<_> =
            pages.iter().filter_map(|(name, _)| name.strip_prefix("vestibule-")).collect();
        return Err(Error::configuration(format!("no page for `{wanted}`"))
            .hint(format!("there is one for each of {}", names.join(", "))));
    };
    stdout::write(page)?;
    Ok(Exit::Ok)
}

/// Every page by its name: that of the program, and one for each command.
fn pages() -> io::Result<Vec<(String, String)>> {
    let mut definition = teaching::in_order(visible()).disable_help_subcommand(true);
    definition.build();
    let commands: Vec<Command> = definition.get_subcommands().cloned().collect();
    let own = ("vestibule".to_owned(), page(definition, "")?);
    let others = commands.into_iter().map(|command| {
        let name = command.get_name().to_owned();
        Ok((format!("vestibule-{name}"), page(command, &name)?))
    });
    [Ok(own)].into_iter().chain(others).collect()
}

fn page(command: Command, name: &str) -> io::Result<String> {
    let has_subcommands = command.has_subcommands();
    let man = Man::new(command)
        // The version stands where others print a date: an empty one would shift what follows.
        .date(SHORT)
        .source("Vestibule")
        .manual("Vestibule Manual");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    examples(name).to_writer(&mut page)?;
    man.render_options_section(&mut page)?;
    if has_subcommands {
        man.render_subcommands_section(&mut page)?;
    }
    around(name).to_writer(&mut page)?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

fn examples(name: &str) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["EXAMPLES"]).control("nf", []);
    for line in teaching::examples(name) {
        roff.text([roman(*line)]);
    }
    roff.control("fi", []);
    roff
}

/// What every page has at its end.
fn around(name: &str) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["EXIT STATUS"]);
    for (status, meaning) in exit::TABLE {
        roff.control("TP", []).text([bold(status)]).text([roman(meaning)]);
    }
    if matches!(name, "run" | "serve" | "check-config") {
        roff.control("SH", ["ENVIRONMENT"]);
        for (variable, meaning) in ENVIRONMENT {
            roff.control("TP", []).text([bold(variable)]).text([roman(meaning)]);
        }
    }
    roff.control("SH", ["SEE ALSO"]);
    roff.text([roman("vestibule(1), vestibule-run(1), vestibule-serve(1), vestibule-race(1)")]);
    roff
}

/// Variables that `run` and `serve` read, and those that a command of `run` is given.
const ENVIRONMENT: [(&str, &str); 7] = [
    ("PORT", "where to listen without --listen; the command of `run` finds its own port in it"),
    ("VESTIBULE_...", "a flag's value: VESTIBULE_MAX_HELD is that of --max-held"),
    ("VESTIBULE_CONFIG", "the configuration file, as --config names it"),
    (
        "VESTIBULE_ADMIN_TOKEN",
        "what --admin-token-file would hold; no flag's value, and in no file",
    ),
    ("ENVIRONMENT", "production, staging, development, test or local: how patient to be"),
    ("NOTIFY_SOCKET", "given to the command of `run`, which may say READY=1 there (sd_notify(3))"),
    ("VESTIBULE_PUBLIC_PORT", "given to the command of `run`: the port on which clients come"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_page_for_each_command_and_each_has_every_section() {
        let pages = pages().unwrap();
        let names: Vec<_> = pages.iter().map(|(name, _)| name.as_str()).collect();
        assert!(names.starts_with(&["vestibule", "vestibule-run", "vestibule-serve"]), "{names:?}");
        assert!(!names.contains(&"vestibule-demo-backend"), "{names:?}");
        for (name, page) in &pages {
            // A flag without a word about it would stand alone between two headings of paragraphs.
            assert!(!page.contains(">\n.TP\n") && !page.contains("\\fR\n.TP\n"), "{name}: {page}");
            for section in ["NAME", "SYNOPSIS", "DESCRIPTION", "EXAMPLES", "EXIT STATUS"] {
                let quoted = [format!(".SH {section}\n"), format!(".SH \"{section}\"\n")];
                assert!(quoted.iter().any(|heading| page.contains(heading)), "{name}: {section}");
            }
        }
    }
}
