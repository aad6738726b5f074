//! One mistake in what was given.
//!
//! Owns how it is told: where, what, and what to do. Must never show a value as it came: see
//! [`shown`](super::shown).

use std::cmp::Ordering;
use std::fmt;

use serde_json::{Value, json};

use super::checks::{Entry, Raw, TABLE};
use super::given::Origin;
use super::keys::{flag_of, variable_of};
use super::shown::{shown, shown_value};

/// One mistake: where it is, what it is, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    origin: Origin,
    key: Option<String>,
    /// What stands there, fit for a terminal; empty if the file as a whole is meant.
    subject: String,
    message: String,
    /// The file could not be read, so that nothing is known of what it says.
    is_of_whole_file: bool,
}

impl Mistake {
    /// About a key and the value it was given.
    pub(crate) fn in_value(origin: Origin, key: &str, value: &str, message: &str) -> Self {
        let subject = written(&origin, key, Some(value));
        Self {
            origin,
            key: Some(key.to_owned()),
            subject,
            message: shown(message),
            is_of_whole_file: false,
        }
    }

    /// About a key.
    pub(crate) fn in_key(origin: Origin, key: &str, message: impl Into<String>) -> Self {
        let subject = written(&origin, key, None);
        Self {
            origin,
            key: Some(key.to_owned()),
            subject,
            message: message.into(),
            is_of_whole_file: false,
        }
    }

    /// About a key and the text it was given, which stands in quotes in a file.
    pub(crate) fn in_text(origin: Origin, key: &str, text: &str, message: &str) -> Self {
        match origin {
            Origin::File(..) => Self::in_value(origin, key, &format!("\"{text}\""), message),
            _ => Self::in_value(origin, key, text, message),
        }
    }

    /// About something that is no key of ours, as it was written.
    pub(crate) fn in_words(origin: Origin, words: &str, message: impl Into<String>) -> Self {
        let subject = if words.is_empty() { "\"\"".to_owned() } else { shown_value("", words) };
        Self { origin, key: None, subject, message: message.into(), is_of_whole_file: false }
    }

    /// About a key of a check; a value has been made fit to be shown, or is left out.
    pub(crate) fn in_check(check: &str, entry: &Entry, value: Option<&str>, message: &str) -> Self {
        let Entry { key, origin, .. } = entry;
        let (check, key) = (shown(check), shown(key));
        let value = value.map(|value| (value, if is_text(&entry.raw) { "\"" } else { "" }));
        let subject = match (origin, value) {
            (Origin::Flag, _) => format!("--check {check}"),
            (Origin::Variable(name), _) if *name == variable_of(TABLE) => {
                format!("{name}: {check}")
            }
            (Origin::Variable(name), None) => name.clone(),
            (Origin::Variable(name), Some((value, _))) => format!("{name}={value}"),
            (_, None) => format!("{}: {key}", of(&check)),
            (_, Some((value, quote))) => format!("{}: {key} = {quote}{value}{quote}", of(&check)),
        };
        Self::about_check(origin, &format!("{TABLE}.{check}.{key}"), subject, message)
    }

    /// About a check.
    pub(crate) fn of_check(check: &str, origin: &Origin, message: &str) -> Self {
        let check = shown(check);
        let subject = match origin {
            Origin::Flag => format!("--check {check}"),
            Origin::Variable(name) => format!("{name}: {check}"),
            _ => of(&check),
        };
        Self::about_check(origin, &format!("{TABLE}.{check}"), subject, message)
    }

    fn about_check(origin: &Origin, key: &str, subject: String, message: &str) -> Self {
        let (origin, key, message) = (origin.clone(), Some(key.to_owned()), shown(message));
        Self { origin, key, subject, message, is_of_whole_file: false }
    }

    /// About a file as a whole, or what can't be read in it, of which this is known.
    pub(crate) fn in_file(origin: Origin, words: &str, message: impl Into<String>) -> Self {
        let subject = shown(words);
        Self { origin, key: None, subject, message: message.into(), is_of_whole_file: true }
    }

    /// Says which key was probably meant.
    pub(crate) fn about(self, key: &str) -> Self {
        Self { key: Some(key.to_owned()), ..self }
    }

    /// Where it is.
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The key that it is about, if it is one of ours.
    pub(crate) fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Flags, then variables, then the file from top to bottom.
    pub(crate) fn by_place(&self, other: &Self) -> Ordering {
        let rank = |mistake: &Self| match &mistake.origin {
            Origin::Flag => (0, None),
            Origin::Variable(_) => (1, None),
            Origin::File(_, line) => (2, *line),
            Origin::Profile(_) => (3, None),
        };
        rank(self).cmp(&rank(other))
    }

    /// Whether a file could not be read, so that nothing is known of what it says.
    pub(crate) const fn is_of_whole_file(&self) -> bool {
        self.is_of_whole_file
    }

    /// For machines.
    pub(crate) fn to_json(&self) -> Value {
        let (file, line) = match &self.origin {
            Origin::File(name, line) => (Some(shown(name)), *line),
            _ => (None, None),
        };
        let variable = match &self.origin {
            Origin::Variable(name) => Some(name),
            _ => None,
        };
        json!({
            "key": self.key, "file": file, "line": line, "variable": variable,
            "subject": self.subject, "message": self.message,
        })
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if matches!(self.origin, Origin::File(..) | Origin::Profile(_)) {
            write!(f, "{}: ", self.origin)?;
        }
        if !self.subject.is_empty() {
            write!(f, "{}: ", self.subject)?;
        }
        f.write_str(&self.message)
    }
}

/// As the user wrote it, there.
fn written(origin: &Origin, key: &str, value: Option<&str>) -> String {
    let value = value.map(|value| shown_value(key, value));
    match (origin, value) {
        (Origin::Flag, None) => flag_of(key),
        (Origin::Flag, Some(value)) if value.is_empty() => format!("{} \"\"", flag_of(key)),
        (Origin::Flag, Some(value)) => format!("{} {value}", flag_of(key)),
        (Origin::Variable(_), None) => variable_of(key),
        (Origin::Variable(_), Some(value)) => format!("{}={value}", variable_of(key)),
        (Origin::File(..) | Origin::Profile(_), None) => shown(key),
        (Origin::File(..) | Origin::Profile(_), Some(value)) => format!("{} = {value}", shown(key)),
    }
}

/// A check, whose name may be missing.
fn of(check: &str) -> String {
    if check.is_empty() { TABLE.to_owned() } else { format!("{TABLE} {check}") }
}

const fn is_text(raw: &Raw) -> bool {
    matches!(raw, Raw::Text(_))
}
