//! The phases of a start, as the user lists them.
//!
//! Owns keeping their names for as long as the process lives: a phase is its name, and is copied everywhere. Must
//! never keep one name twice, as a reload reads the list again.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use vestibule::startup::{Phase, Phases};

use crate::config::layers::Settled;

/// More phases than this are no start's.
const PHASES_MAX: usize = 32;

/// The list, or the usual one if nobody gave one.
pub(super) fn phases<A: clap::Args>(names: &[String], given: &mut Settled<A>) -> Phases {
    if names.is_empty() {
        return Phases::default();
    }
    for (nth, name) in names.iter().enumerate() {
        if names[..nth].contains(name) {
            given.reject("phases", nth, "named before: a phase is entered once");
        }
    }
    if names.len() > PHASES_MAX {
        given.reject("phases", PHASES_MAX, "more than 32 phases: name the steps, not the parts");
        return Phases::default();
    }
    Phases::new(names.iter().map(|name| Phase::named(kept(name))))
}

/// The one copy of this name.
fn kept(name: &str) -> &'static str {
    static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.get(name) {
        return known;
    }
    let name: &'static str = Box::leak(Box::from(name));
    names.insert(name);
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Would break if every reload kept the names once more.
    #[test]
    fn a_name_is_kept_once() {
        let (first, second) = (kept("models"), kept(&["mod", "els"].concat()));
        assert!(std::ptr::eq(first, second));
    }
}
