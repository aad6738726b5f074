//! The door's own command line, in whatever stands around it.
//!
//! Owns shells and init programs before it, and settings by which a door is known whose image starts it. Must never
//! read a flag.

use crate::config::variables::is_setting;
use crate::manifest::formats::words::split;
use crate::manifest::model::Container;
use crate::manifest::yaml::{At, Text};

/// What it is called.
const PROGRAM: &str = "vestibule";
/// Programs that read a command line's text and start what is in it.
const SHELLS: [&str; 6] = ["sh", "bash", "ash", "dash", "zsh", "busybox"];

/// A shell that starts the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shell {
    pub(crate) at: At,
    /// It becomes the door, and so is not in between.
    pub(crate) execs: bool,
}

/// The words from the program's name on.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) at: At,
    pub(super) words: Vec<Text>,
    pub(super) shell: Option<Shell>,
    /// All of them are there.
    pub(super) is_whole: bool,
}

/// Finds them.
pub(super) fn find(container: &Container) -> Option<Line> {
    let words = container.words();
    if let Some(begin) = begin(&words) {
        let words = words[begin..].to_vec();
        return Some(Line { at: words[0].at, words, shell: None, is_whole: true });
    }
    if let Some((shell, script)) = script(&words) {
        let inner = split(&script.text, script.at);
        let begin = begin(&inner)?;
        let execs = begin > 0 && inner[begin - 1].text == "exec";
        let end =
            inner.iter().position(|word| matches!(word.text.as_str(), ";" | "&&" | "||" | "|"));
        let end = end.filter(|end| *end > begin).unwrap_or(inner.len());
        return Some(Line {
            at: shell,
            words: inner[begin..end].to_vec(),
            shell: Some(Shell { at: shell, execs }),
            is_whole: true,
        });
    }
    of_image(container)
}

/// A door that the image starts is known by its variables, and by words that can only be its.
fn of_image(container: &Container) -> Option<Line> {
    if container.command.is_some() {
        return None;
    }
    let set = container.variables.iter().find(|variable| is_setting(&variable.name.text))?;
    let at = set.name.at;
    let mut words = vec![Text::new(at, PROGRAM)];
    let args = container.args.as_deref().unwrap_or_default();
    let is_its = args.first().is_some_and(|word| matches!(word.text.as_str(), "run" | "serve"));
    if is_its {
        words.extend_from_slice(args);
    } else {
        words.push(Text::new(at, "run"));
    }
    Some(Line { at, words, shell: None, is_whole: false })
}

/// Where the program stands, with `run` or `serve` as its first word that is no flag.
fn begin(words: &[Text]) -> Option<usize> {
    (0..words.len()).find(|at| {
        let is_it = words[*at].text.rsplit('/').next() == Some(PROGRAM);
        is_it && is_door(&words[at + 1..])
    })
}

fn is_door(rest: &[Text]) -> bool {
    let mut rest = rest.iter().map(|word| word.text.as_str());
    while let Some(word) = rest.next() {
        match word {
            "run" | "serve" => return true,
            "--config" => drop(rest.next()),
            flag if flag.starts_with("--config=") => {}
            _ => return false,
        }
    }
    false
}

/// `sh -c SCRIPT`: where the shell stands, and the script.
fn script(words: &[Text]) -> Option<(At, &Text)> {
    let shell = words.iter().position(|word| {
        let name = word.text.rsplit('/').next().unwrap_or_default();
        SHELLS.contains(&name)
    })?;
    let asks = |word: &&Text| {
        let text = word.text.as_str();
        text.starts_with('-') && !text.starts_with("--") && text.ends_with('c')
    };
    let flag = words[shell + 1..].iter().position(|word| asks(&word))? + shell + 1;
    Some((words[shell].at, words.get(flag + 1)?))
}
