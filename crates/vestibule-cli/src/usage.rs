//! Command lines that clap can't read, told in our own form.
//!
//! Owns the words and the hints. Must never hide help behind an error: whoever asks for it gets it.

use std::ffi::OsString;
use std::io::{self, Write as _};

use clap::CommandFactory;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::args::Args;
use crate::config::nearest::nearest;
use crate::config::shown::{shown, shown_value, shown_words};
use crate::error::Error;
use crate::exit::Exit;
use crate::stdout;

/// Prints the help that was asked for, or says what is wrong with the line.
///
/// # Errors
/// What is wrong with the line, or with stdout.
pub(crate) fn answered(error: &clap::Error, line: &[OsString]) -> Result<Exit, Error> {
    if !error.use_stderr() {
        // With colour where the terminal has it: NO_COLOR, TERM and CLICOLOR_FORCE are clap's to know.
        let printed = error.print().and_then(|()| io::stdout().flush());
        return stdout::judged(printed).map(|_reader| Exit::Ok);
    }
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        // There is nowhere to say that this failed.
        let _ = error.print();
        return Ok(Exit::Configuration);
    }
    Err(explained(error, line))
}

fn explained(error: &clap::Error, line: &[OsString]) -> Error {
    let command = command_of(line);
    let mut explained = Error::configuration(message(error));
    let help = match &command {
        Some(command) => format!("see `vestibule {command} --help`"),
        None => "see `vestibule --help`".to_owned(),
    };
    if let Some(meant) = meant(error) {
        explained = explained.hint(format!("did you mean `{meant}`?"));
    } else if error.kind() == ErrorKind::InvalidSubcommand {
        let words: Vec<_> = line.iter().skip(1).map(|word| word.to_string_lossy()).collect();
        // They may be a container's command, and what is said its log.
        let words = shown_words(words.iter().map(AsRef::as_ref)).join(" ");
        explained =
            explained.hint(format!("to start a command behind the door: vestibule run -- {words}"));
    }
    if is_a_command_without_dashes(error, command.as_deref()) {
        let command = command.unwrap_or_default();
        explained = explained
            .hint(format!("a command stands behind `--`: vestibule {command} [FLAGS] -- CMD"));
    }
    explained.hint(help)
}

/// What clap has to say, without its form: the first paragraph, on one line. A value is in it only
/// as far as it may be shown.
fn message(error: &clap::Error) -> String {
    let typed = |kind| match error.get(kind) {
        Some(ContextValue::String(typed)) => Some(typed.as_str()).filter(|typed| !typed.is_empty()),
        _ => None,
    };
    let mut text = error.to_string();
    let argument = typed(ContextKind::InvalidArg);
    if let Some(value) = typed(ContextKind::InvalidValue) {
        let name = argument.and_then(|named| named.split(['=', ' ']).next());
        text = text.replace(value, &shown_value(name.unwrap_or_default(), value));
    }
    // A word that is out of place may be anything.
    let words = [argument, typed(ContextKind::InvalidSubcommand)];
    for word in words.into_iter().flatten().filter(|word| !word.starts_with('-')) {
        text = text.replace(word, &shown_words([word]).concat());
    }
    let lines = text.lines().map(str::trim).take_while(|line| !line.is_empty());
    let message = lines.collect::<Vec<_>>().join(" ");
    shown(message.strip_prefix("error: ").unwrap_or(&message))
}

fn meant(error: &clap::Error) -> Option<String> {
    let named = |kind| match error.get(kind) {
        Some(ContextValue::String(name)) => Some(name.clone()),
        Some(ContextValue::Strings(names)) => names.first().cloned(),
        _ => None,
    };
    if error.kind() != ErrorKind::InvalidSubcommand {
        return named(ContextKind::SuggestedArg).or_else(|| named(ContextKind::SuggestedValue));
    }
    let typed = named(ContextKind::InvalidSubcommand)?;
    let definition = Args::command();
    let known = definition.get_subcommands().filter(|command| !command.is_hide_set());
    nearest(&typed, known.map(clap::Command::get_name)).map(|name| format!("vestibule {name}"))
}

fn is_a_command_without_dashes(error: &clap::Error, command: Option<&str>) -> bool {
    let takes_a_command = matches!(command, Some("run" | "race"));
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidArg) else { return false };
    error.kind() == ErrorKind::UnknownArgument && takes_a_command && !word.starts_with('-')
}

/// The subcommand that was typed.
fn command_of(line: &[OsString]) -> Option<String> {
    let definition = Args::command();
    let word =
        line.iter().skip(1).find_map(|word| word.to_str().filter(|w| !w.starts_with('-')))?;
    definition.find_subcommand(word).map(|command| command.get_name().to_owned())
}

#[cfg(test)]
mod tests {
    //! Lines with slips, and what is said to each.
    use super::*;
    use crate::args;

    fn said(line: &str) -> String {
        let line: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let error = args::typed(&line).unwrap_err();
        explained(&error, &line).to_string()
    }

    #[test]
    fn every_slip_gets_one_message_and_what_to_do() {
        for (line, wanted) in [
            ("vestibule rnu -- x", "did you mean `vestibule run`?"),
            ("vestibule srve --upstream 1", "did you mean `vestibule serve`?"),
            ("vestibule uvicorn app:app", "vestibule run -- uvicorn app:app"),
            ("vestibule race python app.py", "vestibule race [FLAGS] -- CMD"),
            ("vestibule race --cleints 5 -- x", "did you mean `--clients`?"),
            ("vestibule race --clients x -- y", "'x' for '--clients <COUNT>'"),
            ("vestibule demo extra", "see `vestibule demo --help`"),
            ("vestibule completions bsh", "did you mean `bash`?"),
        ] {
            let said = said(line);
            assert!(said.starts_with("error: ") && said.contains("\nhint: "), "{line}: {said}");
            assert!(said.contains(wanted), "{line}: {said}");
            assert!(!said.contains("Usage:") && !said.contains("\n\n"), "{line}: {said}");
        }
    }

    #[test]
    fn a33_what_was_typed_cannot_act_on_a_terminal() {
        assert!(!said("vestibule \u{1b}[2J").contains('\u{1b}'));
        assert!(!said("vestibule race \u{1b}[2J").contains('\u{1b}'));
    }
}
