//! What was given, and where.
//!
//! Owns the words for a place that a value comes from. Must never judge a value.

use std::ffi::OsString;
use std::fmt;
use std::sync::Arc;

use super::shown::shown;

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// The command line.
    Flag,
    /// This variable.
    Variable(String),
    /// This file, and the line in it; none if the file as a whole is meant.
    File(Arc<str>, Option<usize>),
    /// The profile of this name.
    Profile(&'static str),
}

impl Origin {
    /// For machines: the layer, and the file, line or variable.
    pub(crate) fn parts(&self) -> (&'static str, Option<String>, Option<usize>, Option<&str>) {
        match self {
            Self::Flag => ("flag", None, None, None),
            Self::Variable(name) => ("variable", None, None, Some(name)),
            Self::File(file, line) => ("file", Some(shown(file)), *line, None),
            Self::Profile(_) => ("profile", None, None, None),
        }
    }
}

/// One key that was given a value, or several, by one layer.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    /// The key, as in a file.
    pub(crate) key: String,
    /// The values, as they were written, each with its place.
    pub(crate) values: Vec<(OsString, Origin)>,
    /// Where the key stands.
    pub(crate) origin: Origin,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => f.write_str("flag"),
            Self::Variable(name) => write!(f, "variable {name}"),
            Self::File(name, Some(line)) => write!(f, "{}:{line}", shown(name)),
            Self::File(name, None) if name.is_empty() => f.write_str("\"\""),
            Self::File(name, None) => f.write_str(&shown(name)),
            Self::Profile(name) => write!(f, "profile {name}"),
        }
    }
}
