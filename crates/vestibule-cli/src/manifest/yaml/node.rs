//! One part of a YAML document.
//!
//! Owns looking into it: by key, with merge keys followed, and as text, number, or yes and no. Must never guess: what
//! has another form is not there.

/// A place in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct At {
    /// Which of the files that were given.
    pub(crate) file: usize,
    /// Counted from 1.
    pub(crate) line: usize,
    /// In characters, counted from 1.
    pub(crate) column: usize,
}

/// A value, and where it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) at: At,
    pub(crate) value: Value,
}

/// What stands there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// Nothing.
    Null,
    /// A text, a number, yes or no.
    Scalar(String),
    List(Vec<Node>),
    /// In the order of the file, merge keys as they stand.
    Map(Vec<(Node, Node)>),
}

/// A text, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) at: At,
    pub(crate) text: String,
}

impl Text {
    /// A text that stands here.
    pub(crate) fn new(at: At, text: impl Into<String>) -> Self {
        Self { at, text: text.into() }
    }
}

/// What YAML 1.1 and compose call a merge key.
const MERGE: &str = "<<";

impl Node {
    /// What stands behind this key; a key of the map itself outranks one that is merged into it.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        let Value::Map(entries) = &self.value else { return None };
        let own = entries.iter().rev().find(|(name, _)| name.as_str() == Some(key));
        if let Some((_, value)) = own {
            return Some(value);
        }
        let merged = entries.iter().filter(|(name, _)| name.as_str() == Some(MERGE));
        merged.flat_map(|(_, value)| value.merged()).find_map(|map| map.get(key))
    }

    /// What stands behind these keys, one inside the other.
    pub(crate) fn path(&self, keys: &[&str]) -> Option<&Self> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The parts of the list behind this key; none of anything else.
    pub(crate) fn list(&self, key: &str) -> &[Self] {
        self.get(key).map(Self::items).unwrap_or_default()
    }

    /// The parts of a list; none of anything else.
    pub(crate) fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The entries of a map whose keys are texts, those that are merged last.
    pub(crate) fn entries(&self) -> Vec<(Text, &Self)> {
        let Value::Map(entries) = &self.value else { return Vec::new() };
        let mut all: Vec<(Text, &Self)> = Vec::new();
        let mut merged = Vec::new();
        for (key, value) in entries {
            match key.as_str() {
                Some(MERGE) => merged.extend(value.merged().into_iter().flat_map(Self::entries)),
                Some(name) => all.push((Text::new(key.at, name), value)),
                None => {}
            }
        }
        for (key, value) in merged {
            if all.iter().all(|(known, _)| known.text != key.text) {
                all.push((key, value));
            }
        }
        all
    }

    /// A scalar as it is written, without its quotes.
    pub(crate) fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(text) => Some(text),
            _ => None,
        }
    }

    /// The same with its place.
    pub(crate) fn text(&self) -> Option<Text> {
        Some(Text::new(self.at, self.as_str()?))
    }

    /// A whole number, with or without quotes.
    pub(crate) fn number(&self) -> Option<u64> {
        self.as_str()?.trim().parse().ok()
    }

    /// Yes or no.
    pub(crate) fn truth(&self) -> Option<bool> {
        match self.as_str()?.to_ascii_lowercase().as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    fn merged(&self) -> Vec<&Self> {
        match &self.value {
            Value::Map(_) => vec![self],
            Value::List(items) => items.iter().collect(),
            _ => Vec::new(),
        }
    }
}
