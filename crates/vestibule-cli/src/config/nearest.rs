//! The name that was probably meant.
//!
//! Owns how near is near enough. Must never be used to decide anything: it is advice.

use super::keys::PREFIX;
use strsim::{damerau_levenshtein, jaro_winkler};

/// Names less alike than this have nothing to do with each other.
const ALIKE_MIN: f64 = 0.8;
/// A longer name is nobody's slip, and comparing it would take its time.
const LENGTH_MAX: usize = 64;

/// The one of `known` that is most like `name`, if any is like it.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > LENGTH_MAX {
        return None;
    }
    // What all names have in common makes none of them alike.
    let plain = |name: &str| {
        let name = name.strip_prefix(PREFIX).unwrap_or(name).trim_start_matches('-');
        name.to_ascii_lowercase().replace('-', "_")
    };
    let name = plain(name);
    let slips_max = (name.chars().count() / 3).max(1);
    known
        .map(|known| {
            let plain = plain(known);
            (known, damerau_levenshtein(&name, &plain), jaro_winkler(&name, &plain))
        })
        .filter(|(_, slips, alike)| *slips <= slips_max || *alike >= ALIKE_MIN)
        .min_by(|(_, a, a_alike), (_, b, b_alike)| a.cmp(b).then(b_alike.total_cmp(a_alike)))
        .map(|(known, ..)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_understood_and_strangers_are_not() {
        let known = ["hold", "max_held", "startup_timeout", "head_timeout", "trust_proxy"];
        for (typed, meant) in [
            ("hodl", Some("hold")),
            ("max-held", Some("max_held")),
            ("maxheld", Some("max_held")),
            ("start_timeout", Some("startup_timeout")),
            ("trust_proxies", Some("trust_proxy")),
            ("colour", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, known.into_iter()), meant, "{typed}");
        }
    }
}
