//! A Dockerfile's last stage.
//!
//! Owns reading it line by line: what starts the image, with which variables, as whom (Dockerfile reference). Must
//! never run or fetch anything, nor judge a line that only builds.

use super::words::split;
use crate::manifest::model::{Container, Platform, Port, User, Variable, Workload};
use crate::manifest::yaml::{At, Text};

/// Whether a text is one: its first instruction says so.
pub(super) fn is_one(text: &str) -> bool {
    let first = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
    let mut words = first.unwrap_or_default().split_whitespace();
    let is_instruction = words.next().is_some_and(|word| {
        ["FROM", "ARG"].iter().any(|instruction| word.eq_ignore_ascii_case(instruction))
    });
    is_instruction && words.next().is_some()
}

/// One instruction, its continued lines joined.
struct Instruction {
    at: At,
    name: String,
    rest: String,
}

/// What one stage says.
struct Stage {
    name: Option<String>,
    container: Container,
}

/// What the image is.
pub(super) fn read(text: &str, file: usize) -> Workload {
    let mut stages: Vec<Stage> = Vec::new();
    for instruction in instructions(text, file) {
        if instruction.name == "FROM" {
            stages.push(begin(&instruction, &stages));
        } else if let Some(stage) = stages.last_mut() {
            take(&instruction, &mut stage.container);
        }
    }
    let start = At { file, line: 1, column: 1 };
    let last = stages.pop().map(|last| last.container);
    let container = last.unwrap_or_else(|| Container::new(start));
    let name = Text::new(container.at, "image");
    let spec = container.at;
    Workload { containers: vec![container], ..Workload::new(Platform::Image, name, spec) }
}

fn instructions(text: &str, file: usize) -> Vec<Instruction> {
    let mut all: Vec<Instruction> = Vec::new();
    let mut is_continued = false;
    let mut heredoc: Option<String> = None;
    for (index, line) in text.lines().enumerate() {
        let trimmed = line.trim();
        if let Some(end) = &heredoc {
            if trimmed == end {
                heredoc = None;
            }
            continue;
        }
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        let body = trimmed.strip_suffix('\\');
        let words = body.unwrap_or(trimmed).trim();
        match all.last_mut().filter(|_| is_continued) {
            Some(instruction) => {
                instruction.rest.push(' ');
                instruction.rest.push_str(words);
            }
            None => {
                let (name, rest) = words.split_once(char::is_whitespace).unwrap_or((words, ""));
                let column = line.chars().take_while(|c| c.is_whitespace()).count() + 1;
                let at = At { file, line: index + 1, column };
                let (name, rest) = (name.to_ascii_uppercase(), rest.trim().to_owned());
                all.push(Instruction { at, name, rest });
            }
        }
        is_continued = body.is_some();
        if !is_continued {
            heredoc = all.last().and_then(heredoc_of);
        }
    }
    all
}

/// The word that ends a here-document, of the instructions that may have one.
fn heredoc_of(instruction: &Instruction) -> Option<String> {
    if !matches!(instruction.name.as_str(), "RUN" | "COPY" | "ADD") {
        return None;
    }
    let (_, rest) = instruction.rest.split_once("<<")?;
    let word = rest.trim_start_matches('-').trim_start_matches(['"', '\'']);
    let is_part = |c: &char| c.is_alphanumeric() || *c == '_';
    let word: String = word.chars().take_while(is_part).collect();
    (!word.is_empty()).then_some(word)
}

/// `FROM image AS name`; one that begins with an earlier stage has what that one had.
fn begin(from: &Instruction, earlier: &[Stage]) -> Stage {
    let words: Vec<&str> =
        from.rest.split_whitespace().filter(|word| !word.starts_with("--")).collect();
    let name = words.iter().position(|word| word.eq_ignore_ascii_case("as"));
    let name = name.and_then(|at| words.get(at + 1)).map(|name| (*name).to_owned());
    let base = words.first().copied().unwrap_or_default();
    let mut container = Container::new(from.at);
    if let Some(parent) = earlier.iter().rev().find(|stage| stage.name.as_deref() == Some(base)) {
        let parent = &parent.container;
        container.command.clone_from(&parent.command);
        container.args.clone_from(&parent.args);
        container.variables.clone_from(&parent.variables);
        container.stop_signal.clone_from(&parent.stop_signal);
        container.user = parent.user;
    } else {
        // What such images are made for is that nobody is root in them.
        container.user.is_other = base.contains("nonroot");
    }
    Stage { name, container }
}

fn take(instruction: &Instruction, container: &mut Container) {
    let Instruction { at, name, rest } = instruction;
    match name.as_str() {
        "ENTRYPOINT" => {
            container.command = words(rest, *at);
            // An earlier stage's arguments don't outlive another entry point.
            container.args = None;
        }
        "CMD" => container.args = words(rest, *at),
        "ENV" => container.variables.extend(variables(rest, *at)),
        "EXPOSE" => {
            let numbers = rest.split_whitespace().filter_map(|word| word.split('/').next());
            container.ports.extend(numbers.map(|number| Port {
                at: *at,
                number: number.parse().ok(),
                name: None,
                is_open: false,
            }));
        }
        "STOPSIGNAL" => container.stop_signal = Some(Text::new(*at, rest.as_str())),
        "USER" => {
            let name = rest.split(':').next().unwrap_or_default().trim();
            let is_root = matches!(name, "root" | "0");
            container.user = User { root: is_root.then_some(*at), is_other: !is_root };
        }
        _ => {}
    }
}

/// The exec form is a JSON array; anything else is what a shell is started with.
fn words(rest: &str, at: At) -> Option<Vec<Text>> {
    let list = match serde_json::from_str::<Vec<String>>(rest) {
        Ok(list) => list,
        Err(_) if rest.is_empty() => return None,
        Err(_) => ["/bin/sh", "-c", rest].map(ToOwned::to_owned).to_vec(),
    };
    Some(list.into_iter().map(|word| Text::new(at, word)).collect())
}

/// `ENV name=value ...`, or the old form `ENV name value`.
fn variables(rest: &str, at: At) -> Vec<Variable> {
    let variable = |(name, value): (&str, &str)| Variable {
        name: Text::new(at, name),
        value: Some(Text::new(at, value.trim())),
    };
    let words = split(rest, at);
    if words.first().is_some_and(|word| word.text.contains('=')) {
        let pairs = words.iter().filter_map(|word| word.text.split_once('='));
        return pairs.map(variable).collect();
    }
    rest.split_once(char::is_whitespace).map(variable).into_iter().collect()
}

#[cfg(test)]
mod tests {
    //! Breaks the reader with continued lines, here-documents, stages, and both forms of each instruction.
    use super::*;

    #[test]
    fn the_last_stage_is_what_is_started() {
        let text = "# syntax=x\nARG V=1\nFROM rust:1 AS build\nENTRYPOINT [\"no\"]\nRUN <<EOF\n\
                    CMD no\nEOF\nFROM base AS common\nENV A=1 B=\"2 3\"\nUSER app\nFROM common\n\
                    ENV C c d\nENTRYPOINT [\"vestibule\", \\\n  # why\n  \"run\"]\nCMD exec app\n\
                    STOPSIGNAL SIGINT\nEXPOSE 80/tcp 81\n";
        assert!(is_one(text) && !is_one("services: {}\n"));
        let image = read(text, 2);
        let container = &image.containers[0];
        let words: Vec<_> = container.words().into_iter().map(|word| word.text).collect();
        assert_eq!(words, ["vestibule", "run", "/bin/sh", "-c", "exec app"]);
        let entry = container.command.as_ref().unwrap()[0].at;
        assert_eq!((entry.line, entry.file), (13, 2));
        let names: Vec<_> = container.variables.iter().map(|one| one.name.text.as_str()).collect();
        assert_eq!(names, ["A", "B", "C"]);
        assert_eq!(container.variables[2].value.as_ref().unwrap().text, "c d");
        assert!(container.user.is_other && container.user.root.is_none());
        assert_eq!(container.ports.len(), 2);
    }
}
