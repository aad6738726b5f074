//! Settings that were typed.
//!
//! Owns reading a command line so that every mistake in it is told, and not only the first. Must
//! never print help, or read the lines of commands without settings: clap does.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::slice;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgAction, ArgMatches, CommandFactory, value_parser};

use super::Command;
use super::given::{Given, Origin};
use super::keys::{COMMAND, Keys, Kind, flag_of};
use super::layers::alone;
use super::mistake::Mistake;
use super::nearest::nearest;
use crate::args::Args;

/// Mistakes that are looked for on one line; nobody would read more.
const MISTAKES_MAX: usize = 32;
/// The flag that names the file.
const FILE_FLAG: &str = "--config";
/// What ends the flags.
const END_OF_FLAGS: &str = "--";
const CHECK_CONFIG: &str = "check-config";
const DOCTOR: &str = "doctor";
/// Switches that are no settings: clap reads them.
const NO_SETTINGS: [&str; 5] = ["json", "schema", "watch", "websockets", "rules"];

/// What a command line says about settings.
#[derive(Clone, Debug, Default)]
pub(crate) struct Typed {
    /// One for each flag, and the command behind `--`.
    pub(crate) given: Vec<Given>,
    /// What `--config` names.
    pub(crate) file: Option<PathBuf>,
    /// Everything that is wrong with the words.
    pub(crate) mistakes: Vec<Mistake>,
}

/// What a command line with settings asks for.
#[derive(Debug)]
pub(crate) enum Asked {
    /// To run this command with these settings.
    Do(Command, Typed),
    /// To look at them.
    Check {
        /// Whose settings; `None` if it was not said.
        command: Option<Command>,
        /// What was typed.
        typed: Typed,
        /// For machines.
        json: bool,
        /// Only the schema of the file.
        schema: bool,
    },
    /// To ask the checks, and look at everything else.
    Doctor {
        /// Whose settings; `None` if it was not said.
        command: Option<Command>,
        /// What was typed.
        typed: Typed,
        /// For machines.
        json: bool,
        /// Again and again.
        watch: bool,
    },
}

/// Reads a whole command line, the program's name included. `None` if it has no settings, asks for
/// help, or can't be understood: then it is clap's to answer.
pub(crate) fn read(line: &[OsString]) -> Option<Asked> {
    has_settings(line)?;
    let mut line = line.to_vec();
    let mut mistakes = Vec::new();
    let definition = relaxed(Args::command());
    while mistakes.len() < MISTAKES_MAX {
        match definition.clone().try_get_matches_from(&line) {
            Ok(matches) => return asked(&matches, mistakes),
            Err(error) => mistakes.push(leave_out(&error, &mut line)?),
        }
    }
    None
}

/// Whether the subcommand is one that has settings.
fn has_settings(line: &[OsString]) -> Option<()> {
    let mut words = line.iter().skip(1);
    while let Some(word) = words.next() {
        match word.to_str() {
            Some("run" | "serve" | CHECK_CONFIG | DOCTOR) => return Some(()),
            Some(FILE_FLAG) => drop(words.next()),
            Some(flag) if flag.starts_with('-') && flag != END_OF_FLAGS => {}
            _ => return None,
        }
    }
    None
}

/// The definition without everything that lets clap stop at the first mistake.
fn relaxed(definition: clap::Command) -> clap::Command {
    let names: Vec<_> =
        definition.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    let definition = definition.mut_args(|arg| match arg.get_action() {
        ArgAction::Set | ArgAction::Append => {
            alone(&arg).value_parser(value_parser!(OsString)).action(ArgAction::Append)
        }
        // So that a flag can say no where a file said yes.
        ArgAction::SetTrue if !NO_SETTINGS.contains(&arg.get_id().as_str()) => alone(&arg)
            .value_parser(value_parser!(OsString))
            .action(ArgAction::Append)
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true"),
        _ => arg,
    });
    names.into_iter().fold(definition, |definition, name| definition.mut_subcommand(name, relaxed))
}

fn asked(matches: &ArgMatches, mistakes: Vec<Mistake>) -> Option<Asked> {
    let mut files: Vec<OsString> = raw(matches, "config");
    let (name, inner) = matches.subcommand()?;
    files.extend(raw(inner, "config"));
    if !matches!(name, CHECK_CONFIG | DOCTOR) {
        let command = if name == "run" { Command::Run } else { Command::Serve };
        return Some(Asked::Do(command, Typed::of(&[command], inner, files, mistakes)));
    }
    let json = inner.get_flag("json");
    let (command, matches) = match inner.subcommand() {
        Some(("run", matches)) => (Some(Command::Run), matches),
        Some((_, matches)) => (Some(Command::Serve), matches),
        None => (None, inner),
    };
    if command.is_some() {
        files.extend(raw(matches, "config"));
    }
    let keys_of = command.as_ref().map_or(&[Command::Run, Command::Serve][..], slice::from_ref);
    let typed = Typed::of(keys_of, matches, files, mistakes);
    if name == DOCTOR {
        let watch = inner.get_flag("watch");
        return Some(Asked::Doctor { command, typed, json, watch });
    }
    let schema = inner.get_flag("schema");
    Some(Asked::Check { command, typed, json, schema })
}

/// The values of an argument as they were typed; none if the definition does not know it.
fn raw(matches: &ArgMatches, id: &str) -> Vec<OsString> {
    let values = matches.try_get_raw(id).ok().flatten();
    values.map(|values| values.map(OsStr::to_owned).collect()).unwrap_or_default()
}

impl Typed {
    fn of(
        commands: &[Command],
        matches: &ArgMatches,
        files: Vec<OsString>,
        mistakes: Vec<Mistake>,
    ) -> Self {
        let mut typed = Self { mistakes, ..Self::default() };
        typed.take_files(files);
        for command in commands {
            typed.take(&command.keys(), matches);
        }
        typed
    }

    fn take_files(&mut self, mut files: Vec<OsString>) {
        if files.len() > 1 {
            let message = "given more than once: name one file";
            self.mistakes.push(Mistake::in_words(Origin::Flag, FILE_FLAG, message));
        }
        self.file = files.pop().map(PathBuf::from);
    }

    fn take(&mut self, keys: &Keys, matches: &ArgMatches) {
        // Both commands have most of them.
        let known: Vec<String> = self.given.iter().map(|given| given.key.clone()).collect();
        for key in keys.iter().filter(|key| !known.contains(&key.name)) {
            let mut values = raw(matches, key.arg.get_id().as_str());
            if values.len() > 1 && !key.is_list && key.kind != Kind::Words {
                let message = "given more than once: keep one";
                self.mistakes.push(Mistake::in_key(Origin::Flag, &key.name, message));
                values.drain(1..);
            }
            if !values.is_empty() {
                let values = values.into_iter().map(|value| (value, Origin::Flag)).collect();
                let key = key.name.clone();
                self.given.push(Given { key, values, origin: Origin::Flag });
            }
        }
    }
}

/// Takes the words that clap stumbled over out of the line, so that it can go on. `None` if this is
/// not about single words.
fn leave_out(error: &clap::Error, line: &mut Vec<OsString>) -> Option<Mistake> {
    let Some(ContextValue::String(named)) = error.get(ContextKind::InvalidArg) else { return None };
    let flags_end = line.iter().position(|word| word == END_OF_FLAGS).unwrap_or(line.len());
    match error.kind() {
        ErrorKind::UnknownArgument if named.starts_with('-') => {
            let at = line[..flags_end].iter().position(|word| is_flag(word, named))?;
            let with_value = line[at] == OsString::from(named) && is_value(line.get(at + 1));
            line.drain(at..=at + usize::from(with_value));
            Some(Mistake::in_words(Origin::Flag, named, unknown(named, line)))
        }
        ErrorKind::UnknownArgument => {
            let at = line[..flags_end].iter().skip(1).position(|word| word == named.as_str())? + 1;
            let has_end = flags_end < line.len();
            let words = line[at..flags_end].iter();
            let count = if has_end {
                words.take_while(|word| is_value(Some(word))).count()
            } else {
                words.count()
            };
            line.drain(at..at + count);
            let message = if matches!(named.as_str(), "true" | "false") {
                "no flag takes this after a blank: write --FLAG, or --FLAG=false"
            } else {
                "is no flag; a command stands behind `--`: vestibule run [FLAGS] -- CMD"
            };
            Some(Mistake::in_words(Origin::Flag, named, message).about(COMMAND))
        }
        // An option at the end of the flags, or before another one.
        ErrorKind::InvalidValue => {
            let (flag, value) = named.split_once(' ')?;
            let at = line[..flags_end].iter().rposition(|word| word == flag)?;
            line.remove(at);
            let message = format!("needs a value: {}", value.trim_matches(['<', '>']));
            Some(Mistake::in_words(Origin::Flag, flag, message))
        }
        _ => None,
    }
}

/// Whether this word is that flag, with or without a value behind `=`.
fn is_flag(word: &OsStr, flag: &str) -> bool {
    let word = word.to_string_lossy();
    word.strip_prefix(flag).is_some_and(|rest| {
        rest.is_empty() || rest.starts_with('=') || !flag.starts_with(END_OF_FLAGS)
    })
}

fn is_value(word: Option<&OsString>) -> bool {
    word.is_some_and(|word| !word.to_string_lossy().starts_with('-'))
}

fn unknown(flag: &str, line: &[OsString]) -> String {
    let command =
        if line.iter().any(|word| word == "serve") { Command::Serve } else { Command::Run };
    let keys = command.keys();
    let known: Vec<_> = keys.iter().map(|key| flag_of(&key.name)).collect();
    let known = known.iter().map(String::as_str).chain([FILE_FLAG]);
    match nearest(flag, known) {
        Some(meant) if meant == flag => {
            format!("stands behind the command that takes it: {} {flag}", command.as_str())
        }
        Some(meant) => format!("no such flag; did you mean {meant}?"),
        None => format!("no such flag; see vestibule {} --help", command.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn lines_without_settings_are_left_to_clap() {
        for line in [
            "vestibule",
            "vestibule race -- run",
            "vestibule --help",
            "vestibule run --help",
            "vestibule -- run",
        ] {
            assert!(read(&words(line)).is_none(), "{line}");
        }
    }

    #[test]
    fn the_file_may_be_named_before_or_behind_the_command() {
        for line in [
            "vestibule --config a.toml run",
            "vestibule run --config a.toml",
            "vestibule run --config=a.toml -- app --config b.toml",
            "vestibule --config=a.toml check-config run",
            "vestibule check-config --config a.toml",
            "vestibule check-config serve --config a.toml",
            "vestibule doctor --config a.toml --json",
            "vestibule --config a.toml doctor run --watch -- app",
        ] {
            let asked = read(&words(line)).unwrap();
            let (Asked::Do(_, typed) | Asked::Check { typed, .. } | Asked::Doctor { typed, .. }) =
                asked;
            assert_eq!(typed.file, Some("a.toml".into()), "{line}");
            assert!(typed.mistakes.is_empty(), "{line}: {:?}", typed.mistakes);
        }
    }
}
