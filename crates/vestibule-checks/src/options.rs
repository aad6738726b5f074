//! What a check was declared with.
//!
//! Owns the keys of all kinds as data, so that a file's schema, its mistakes and the docs are made of the same
//! definition, and the reading of their values. Must never show a value: any may be a secret.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// One key that a kind understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its name in a file.
    pub name: &'static str,
    /// What its value looks like.
    pub wants: Wants,
    /// What it means, in one line.
    pub about: &'static str,
}

/// What a value looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wants {
    /// A text.
    Text,
    /// A list of texts.
    Words,
    /// A whole number.
    Number,
    /// True or false.
    Switch,
    /// A length of time.
    Time,
}

/// One value.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// A text; `${NAME}` in it has been expanded.
    Text(String),
    /// A list of texts.
    Words(Vec<String>),
    /// A whole number.
    Number(u64),
    /// True or false.
    Switch(bool),
    /// A length of time.
    Time(Duration),
}

/// The values of one declaration. Its debug form shows keys alone.
#[derive(Clone, Default)]
pub struct Options(BTreeMap<String, Value>);

/// A mistake in a declaration. The message holds nothing of a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {message}")]
pub struct Flaw {
    /// The key that it is about.
    pub key: &'static str,
    /// What is wrong, and what to do.
    pub message: String,
}

impl Flaw {
    /// A mistake at this key.
    pub fn new(key: &'static str, message: impl Into<String>) -> Self {
        Self { key, message: message.into() }
    }
}

impl Options {
    /// The same with this value.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: Value) -> Self {
        self.0.insert(key.into(), value);
        self
    }

    /// A URL alone, as on a command line.
    pub fn url(url: impl Into<String>) -> Self {
        Self::default().with("url", Value::Text(url.into()))
    }

    /// A text; none if the key is missing.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.0.get(key) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// A list of texts; empty if the key is missing.
    #[must_use]
    pub fn words(&self, key: &str) -> &[String] {
        match self.0.get(key) {
            Some(Value::Words(words)) => words,
            _ => &[],
        }
    }

    /// All texts, by their keys.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.0.iter().filter_map(|(key, value)| match value {
            Value::Text(text) => Some((key.as_str(), std::slice::from_ref(text))),
            Value::Words(words) => Some((key.as_str(), words.as_slice())),
            _ => None,
        })
    }

    /// A whole number; none if the key is missing.
    #[must_use]
    pub fn number(&self, key: &str) -> Option<u64> {
        match self.0.get(key) {
            Some(Value::Number(number)) => Some(*number),
            _ => None,
        }
    }

    /// Whether a switch is on; off if the key is missing.
    #[must_use]
    pub fn switch(&self, key: &str) -> bool {
        matches!(self.0.get(key), Some(Value::Switch(true)))
    }

    /// A length of time; none if the key is missing.
    #[must_use]
    pub fn time(&self, key: &str) -> Option<Duration> {
        match self.0.get(key) {
            Some(Value::Time(time)) => Some(*time),
            _ => None,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
