//! Where variables come from.
//!
//! Owns the only reading of the process environment in this library. Must never keep, print or interpret what
//! it reads.

use std::collections::HashMap;
use std::hash::BuildHasher;

/// Something that knows variables: the process, or a map in tests.
pub trait EnvSource {
    /// The value of `key`, if it is set and is text.
    fn get(&self, key: &str) -> Option<String>;

    /// The names of all variables that are set, in no order; those that are no text included, as
    /// far as they can be written.
    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}

/// The environment of this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Process;

impl EnvSource for Process {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the world; everybody else takes an EnvSource"
    )]
    fn get(&self, key: &str) -> Option<String> {
        std::env::var(key).ok()
    }

    fn names(&self) -> Vec<String> {
        std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned()).collect()
    }
}

impl<S: BuildHasher> EnvSource for HashMap<String, String, S> {
    fn get(&self, key: &str) -> Option<String> {
        Self::get(self, key).cloned()
    }

    fn names(&self) -> Vec<String> {
        self.keys().cloned().collect()
    }
}

impl<S: BuildHasher> EnvSource for HashMap<&str, &str, S> {
    fn get(&self, key: &str) -> Option<String> {
        Self::get(self, key).map(|value| (*value).to_owned())
    }

    fn names(&self) -> Vec<String> {
        self.keys().map(|name| (*name).to_owned()).collect()
    }
}

#[cfg(test)]
mod tests {
    //! Breaks the seam between process and map.

    use super::*;

    #[test]
    fn process_and_maps_answer_alike() {
        assert!(Process.get("PATH").is_some());
        assert!(Process.names().iter().any(|name| name == "PATH"));
        assert_eq!(Process.get("VESTIBULE_SURELY_NOT_SET"), None);
        let borrowed = HashMap::from([("A", "1")]);
        let owned = HashMap::from([("A".to_owned(), "1".to_owned())]);
        for source in [&borrowed as &dyn EnvSource, &owned] {
            assert_eq!(source.get("A").as_deref(), Some("1"));
            assert_eq!(source.get("B"), None);
            assert_eq!(source.names(), ["A"]);
        }
    }
}
