//! What this program is: its version and the facts of its build.
//!
//! Owns both forms. Must never ask anything at run time: `build.rs` found it out.

use std::ffi::OsString;

/// The version alone, for the one line of `--version`.
pub(crate) const SHORT: &str = env!("CARGO_PKG_VERSION");

/// What was known when it was built; empty where it was not.
const FACTS: [(&str, &str); 5] = [
    ("commit", env!("BUILD_COMMIT")),
    ("rustc", env!("BUILD_RUSTC")),
    ("target", env!("BUILD_TARGET")),
    ("profile", env!("BUILD_PROFILE")),
    ("features", env!("BUILD_FEATURES")),
];

/// The long form: one fact a line. The same sources, compiler and flags make the same page.
pub(crate) fn long() -> String {
    let mut page = format!("vestibule {SHORT}\n");
    for (name, value) in FACTS {
        let value = match value {
            "" if name == "features" => "none",
            "" => "unknown",
            value => value,
        };
        page.push_str(&format!("{name}: {value}\n"));
    }
    page
}

/// Whether a whole command line asks for the long form: `--version --verbose`, in any order.
pub(crate) fn is_asked_for_long(line: &[OsString]) -> bool {
    let [_, words @ ..] = line else { return false };
    let has = |names: [&str; 2]| words.iter().any(|word| names.iter().any(|name| word == *name));
    match words {
        [one] => one == "-vV" || one == "-Vv",
        [_, _] => has(["--version", "-V"]) && has(["--verbose", "-v"]),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_long_form_is_asked_for_by_two_words_and_by_nothing_else() {
        let asked = |line: &str| {
            let line: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            is_asked_for_long(&line)
        };
        for line in ["v --version --verbose", "v -V -v", "v --verbose -V", "v -vV"] {
            assert!(asked(line), "{line}");
        }
        for line in ["v", "v --version", "v --verbose", "v --verbose --verbose", "v run --version"]
        {
            assert!(!asked(line), "{line}");
        }
    }
}
