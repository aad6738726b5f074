//! Checks as they are declared.
//!
//! Owns the way from tables, variables and flags to one declaration for each name, and what is wrong with each. A
//! check is laid over another of its name key by key: a flag outranks a variable, a variable the file, the file the
//! profile. Must never ask a dependency, and never show a value that could be a secret.

pub(crate) mod expand;
pub(crate) mod judge;
pub(crate) mod keys;
pub(crate) mod layers;
pub(crate) mod listed;
pub(crate) mod picture;
pub(crate) mod values;
pub(crate) mod variables;

use vestibule_checks::profile::Part;

use super::given::Origin;

/// More checks than this are asked of nobody.
pub(crate) const CHECKS_MAX: usize = 64;

/// The key of the table in a file.
pub(crate) const TABLE: &str = "check";

/// A value as it was written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Raw {
    /// A text in a file.
    Text(String),
    /// What a variable or a flag says: the key knows what it may mean.
    Typed(String),
    /// A list of texts.
    Words(Vec<String>),
    /// A whole number.
    Number(i128),
    /// Yes or no.
    Switch(bool),
    /// Anything else that a file may hold.
    Other,
}

impl Raw {
    /// As it was written, without quotes; `None` if it was no single value.
    pub(crate) fn written(&self) -> Option<String> {
        match self {
            Self::Text(text) | Self::Typed(text) => Some(text.clone()),
            Self::Number(number) => Some(number.to_string()),
            Self::Switch(yes) => Some(yes.to_string()),
            Self::Words(_) | Self::Other => None,
        }
    }
}

/// One key of a declaration.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    /// The key.
    pub(crate) key: String,
    /// What was written.
    pub(crate) raw: Raw,
    /// Where.
    pub(crate) origin: Origin,
}

/// A declaration as one layer has it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Table {
    /// Where it begins.
    pub(crate) origin: Origin,
    /// Its keys, in the order in which they were written.
    pub(crate) entries: Vec<Entry>,
}

/// A declaration after all layers.
#[derive(Clone, Debug)]
pub(crate) struct Declared {
    /// Its name; no other has it.
    pub(crate) name: String,
    /// Where it was declared first.
    pub(crate) origin: Origin,
    /// Its keys but the name, each once.
    pub(crate) entries: Vec<Entry>,
    /// The part of a profile that it is.
    pub(crate) part: Option<Part>,
    /// And of which.
    pub(crate) profile: Option<&'static str>,
}

impl Declared {
    /// What was given for this key.
    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// Lays one more key over what is there.
    fn lay(&mut self, entry: Entry) {
        match self.entries.iter_mut().find(|known| known.key == entry.key) {
            Some(known) => *known = entry,
            None => self.entries.push(entry),
        }
    }
}
