//! What the environment's variables said, fit to be shown.
//!
//! Owns which of their values may be. Must never show one that could be a secret.

use vestibule::environment::Environment;

/// Longer values are no names of environments, services or projects.
const SHOWN_MAX: usize = 64;

/// The value of a marker or a name; anything else could be a secret, or act on a terminal.
pub(super) fn fit_to_show(value: &str) -> &str {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~' | ':');
    if value.len() <= SHOWN_MAX && value.chars().all(is_word) { value } else { "(not a word)" }
}

/// Variables with a value that means nothing to us, each with that value.
pub(super) fn unknown(place: &Environment) -> Vec<(&'static str, &str)> {
    place.unknown.iter().map(|unknown| (unknown.variable, fit_to_show(&unknown.value))).collect()
}
