//! A configuration file's text.
//!
//! Owns what a file may look like, and at which line everything in it stands. Pure: takes bytes and
//! a name. Must never open a file.

mod tables;

use std::ffi::OsString;
use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::Command;
use super::checks::Table;
use super::given::{Given, Origin};
use super::keys::{Key, Keys, Kind};
use super::layers::one_of;
use super::mistake::Mistake;
use super::nearest::nearest;
use super::shown::shown;

/// A larger one was not written by hand.
pub(crate) const BYTES_MAX: usize = 1024 * 1024;

/// Mistakes that are told of one file. Another program's file has one in each line, and looking for what was meant
/// takes milliseconds: a reload would work for minutes, and log a line of megabytes.
const MISTAKES_MAX: usize = 50;

/// What a file says.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    /// What it gives, by key.
    pub(crate) given: Vec<Given>,
    /// Its `[[check]]` tables.
    pub(crate) tables: Vec<Table>,
    /// What is wrong in it.
    pub(crate) mistakes: Vec<Mistake>,
}

/// What is said of a program, a picture, an archive.
const NO_TEXT: &str = "not a text: this is no configuration file";

/// What `--config` would be called here.
const FILE_KEY: &str = "config";

/// Reads the bytes of the file of this name as a layer of these keys.
pub(crate) fn parse(bytes: &[u8], name: &Arc<str>, keys: &Keys) -> Parsed {
    let mut document = Document {
        name: Arc::clone(name),
        text: "",
        breaks: Vec::new(),
        keys,
        given: Vec::new(),
        tables: Vec::new(),
        mistakes: Vec::new(),
    };
    if bytes.len() > BYTES_MAX {
        document
            .reject(None, format!("larger than {BYTES_MAX} bytes: this is no configuration file"));
        return document.done();
    }
    match std::str::from_utf8(bytes) {
        Ok(text) if text.contains('\0') => document.reject(None, NO_TEXT.to_owned()),
        Ok(text) => {
            // An editor's mark for UTF-8, which TOML allows to be there.
            document.text = text.strip_prefix('\u{feff}').unwrap_or(text);
            document.breaks = document.text.match_indices('\n').map(|(at, _)| at).collect();
            document.read();
        }
        Err(error) => {
            let line =
                1 + bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
            let is_binary = bytes.contains(&0);
            let message =
                if is_binary { NO_TEXT } else { "not UTF-8: save the file as a UTF-8 text" };
            document.reject(Some(line), message.to_owned());
        }
    }
    document.done()
}

struct Document<'a> {
    name: Arc<str>,
    text: &'a str,
    /// Where its lines end.
    breaks: Vec<usize>,
    keys: &'a Keys,
    given: Vec<Given>,
    tables: Vec<Table>,
    mistakes: Vec<Mistake>,
}

impl<'a> Document<'a> {
    fn done(mut self) -> Parsed {
        let line = |origin: &Origin| match origin {
            Origin::File(_, line) => *line,
            _ => None,
        };
        self.given.sort_by_key(|given| line(&given.origin));
        self.mistakes.sort_by_key(|mistake| line(mistake.origin()));
        Parsed { given: self.given, tables: self.tables, mistakes: self.mistakes }
    }

    fn read(&mut self) {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        if !errors.is_empty() {
            let mut told = Vec::new();
            for error in errors {
                // The parser's bound on nesting is the one thing that it says without a place.
                let line =
                    error.span().map_or_else(|| deepest_line(self.text), |span| self.line(&span));
                let line = Some(line);
                // What follows on the same line is mostly a consequence.
                if told.contains(&line) {
                    continue;
                }
                if self.told_enough() {
                    return;
                }
                told.push(line);
                let words = line.and_then(|line| self.text.lines().nth(line - 1));
                let words = words.map_or("", |line| key_in(line, self.keys));
                let origin = Origin::File(Arc::clone(&self.name), line);
                let message = in_our_words(error.message());
                self.mistakes.push(Mistake::in_file(origin, words, message));
            }
            return;
        }
        for (key, value) in table.get_ref() {
            if self.told_enough() {
                return;
            }
            self.take(key.get_ref(), &key.span(), value);
        }
    }

    /// Whether nothing more is to be told, and says so.
    fn told_enough(&mut self) -> bool {
        let enough = self.mistakes.len() >= MISTAKES_MAX;
        if enough {
            let words = format!("more than {MISTAKES_MAX} mistakes: is it another program's file?");
            self.reject(None, words);
        }
        enough
    }

    fn take(&mut self, name: &str, at: &Range<usize>, value: &Spanned<DeValue<'a>>) {
        let origin = self.at(at);
        let Some(key) = self.keys.get(name) else {
            let message = match value.get_ref() {
                DeValue::Table(_) => {
                    "no such table; every key stands at the top, without [...]; a check is a [[check]]".into()
                }
                DeValue::Array(items) if items.iter().any(|item| item.get_ref().is_table()) => {
                    "no such table; only checks have one, [[check]]".into()
                }
                _ => unknown(name, self.keys),
            };
            self.mistakes.push(Mistake::in_words(origin, name, message));
            return;
        };
        if key.kind == Kind::Checks {
            self.take_tables(&origin, value);
            return;
        }
        let written = match value.get_ref() {
            DeValue::Array(items) if key.is_list || key.kind == Kind::Words => {
                self.items(key, items)
            }
            _ if key.is_list || key.kind == Kind::Words => Err(wants(key)),
            single => text_of(key, single).map(|text| vec![(text, origin.clone())]),
        };
        match written {
            Ok(values) => self.given.push(Given { key: key.name.clone(), values, origin }),
            Err(wanted) if key.kind == Kind::Words || has_table(value.get_ref()) => {
                self.mistakes.push(Mistake::in_key(origin, name, wanted));
            }
            Err(wanted) => {
                let found = self.text.get(value.span()).unwrap_or_default();
                let first = found.lines().next().unwrap_or_default();
                self.mistakes.push(Mistake::in_value(origin, name, first, &wanted));
            }
        }
    }

    fn items(&self, key: &Key, items: &DeArray<'_>) -> Result<Vec<(OsString, Origin)>, String> {
        if items.is_empty() && key.kind == Kind::Words {
            return Err(wants(key));
        }
        items
            .iter()
            .map(|item| match item.get_ref() {
                DeValue::String(text) if key.kind == Kind::Words && text.contains('\0') => {
                    Err("no word of a command can have a zero byte in it".to_owned())
                }
                DeValue::String(text) => Ok((OsString::from(&**text), self.at(&item.span()))),
                _ => Err(wants(key)),
            })
            .collect()
    }

    fn at(&self, span: &Range<usize>) -> Origin {
        Origin::File(Arc::clone(&self.name), Some(self.line(span)))
    }

    fn line(&self, span: &Range<usize>) -> usize {
        1 + self.breaks.partition_point(|at| *at < span.start)
    }

    fn reject(&mut self, line: Option<usize>, message: String) {
        let origin = Origin::File(Arc::clone(&self.name), line);
        self.mistakes.push(Mistake::in_file(origin, "", message));
    }
}

/// Keys that we do not know may be in it: neither these nor a command's words are shown where they
/// are wrong, since any of them may be a secret.
fn has_table(value: &DeValue<'_>) -> bool {
    match value {
        DeValue::Table(_) => true,
        DeValue::Array(items) => items.iter().any(|item| has_table(item.get_ref())),
        _ => false,
    }
}

/// A single value as it would be typed behind the flag, or what it should have been.
fn text_of(key: &Key, value: &DeValue<'_>) -> Result<OsString, String> {
    match (&key.kind, value) {
        (Kind::Switch, DeValue::Boolean(yes)) => Ok(yes.to_string().into()),
        (Kind::Number | Kind::Address, DeValue::Integer(number)) => {
            let read = i128::from_str_radix(number.as_str(), number.radix());
            Ok(read.map_or_else(|_| number.as_str().to_owned(), |n| n.to_string()).into())
        }
        (Kind::Factor, DeValue::Integer(number)) => Ok(number.as_str().into()),
        (Kind::Factor, DeValue::Float(number)) => Ok(number.as_str().replace('_', "").into()),
        (Kind::Time | Kind::Choice(_) | Kind::Address | Kind::Text, DeValue::String(text)) => {
            Ok(OsString::from(&**text))
        }
        (Kind::Time, DeValue::Integer(number)) => {
            let number = number.as_str();
            Err(format!("a length of time needs its unit: write \"{number}s\" for seconds"))
        }
        _ => Err(wants(key)),
    }
}

/// What a key's value looks like in a file.
fn wants(key: &Key) -> String {
    match &key.kind {
        Kind::Switch => "use true or false, without quotes".to_owned(),
        Kind::Number => "use a whole number, without quotes".to_owned(),
        Kind::Time => "use a length of time in quotes, such as \"10s\"".to_owned(),
        Kind::Choice(words) => {
            let quoted: Vec<_> = words.iter().map(|word| format!("\"{word}\"")).collect();
            format!("use {}", one_of(&quoted))
        }
        Kind::Factor => "use a number, without quotes, such as 1.5".to_owned(),
        Kind::Words => "use a list of texts, such as [\"uvicorn\", \"app:app\"]".to_owned(),
        _ if key.is_list => "use a list of texts, as in [\"one\", \"another\"]".to_owned(),
        Kind::Address | Kind::Text | Kind::Checks => "use a text, in quotes".to_owned(),
    }
}

fn unknown(name: &str, keys: &Keys) -> String {
    if name == FILE_KEY {
        return "a file can't name another one; use --config or VESTIBULE_CONFIG".to_owned();
    }
    if let Some(other) = Command::with(|key| key.name == name) {
        return format!("a setting of `{}` alone: leave it out here", other.as_str());
    }
    match nearest(name, keys.iter().map(|key| key.name.as_str())) {
        Some(meant) => format!("no such key; did you mean {meant}?"),
        None => "no such key; `vestibule check-config` lists all of them".to_owned(),
    }
}

/// The key that a line which can't be read begins with. Nothing else of it: that may be a secret.
fn key_in<'a>(line: &'a str, keys: &Keys) -> &'a str {
    let line = line.trim_start();
    let is_in_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let (word, rest) = line.split_at(line.find(|c| !is_in_key(c)).unwrap_or(line.len()));
    let is_key = keys.get(word).is_some() || rest.trim_start().starts_with('=');
    if is_key { word } else { "" }
}

/// Where a text is nested most: the brackets that are open, and the parts of a name.
fn deepest_line(text: &str) -> usize {
    let (mut open, mut deepest, mut found) = (0_usize, 0, 1);
    for (index, line) in text.lines().enumerate() {
        let mut depth = open;
        for byte in line.bytes() {
            match byte {
                b'[' | b'{' => (open, depth) = (open + 1, depth + 1),
                b']' | b'}' => open = open.saturating_sub(1),
                b'.' => depth += 1,
                _ => {}
            }
        }
        if depth > deepest {
            (deepest, found) = (depth, index + 1);
        }
    }
    found
}

/// What the parser means, for someone who does not know its grammar by heart.
fn in_our_words(message: &str) -> String {
    const KNOWN: [(&str, &str); 12] = [
        (
            "string values must be quoted",
            "no value, or a text without quotes: write key = \"text\"",
        ),
        ("invalid float", "not a value: a text stands in quotes, a number in digits"),
        ("key with no value", "no value: write key = value"),
        ("invalid basic string, expected non", "a control character or a line's end in a text"),
        ("invalid basic string", "a text that is not ended: close its quotes on the same line"),
        (
            "missing comma between array",
            "a list without a comma between values, or without its end",
        ),
        ("unclosed array", "a list without its end: write ] after the last value"),
        ("duplicate key", "given before: keep one of the two"),
        ("invalid unquoted key", "not a key: letters, digits and _"),
        ("cannot recurse", "nested too deeply: no setting is more than a list"),
        ("recursion limit", "nested too deeply: no setting is more than a list"),
        ("missing escaped value", "an unknown escape: write \\\\ for a backslash"),
    ];
    let known = KNOWN.into_iter().find(|(start, _)| message.starts_with(start));
    known
        .map_or_else(|| format!("not TOML: {}", shown(message).trim_end()), |(_, ours)| ours.into())
}
