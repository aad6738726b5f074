//! What a file says about itself: its name, and the first lines a reader sees.

use crate::tidy::Violation;
use crate::tidy::rust_text::RustText;

/// Names that say nothing, so that everything ends up behind them.
const NAMES_BANNED: &[&str] = &["utils", "util", "helpers", "helper", "manager", "common", "misc"];

pub(super) fn check(rust: &RustText, text: &str) -> Vec<Violation> {
    let mut found = Vec::new();
    let stem = rust.path.rsplit('/').next().unwrap_or_default().trim_end_matches(".rs");
    if stem == "mod" {
        found.push(Violation::new(rust.path, 1, "mod.rs: put `x.rs` beside the folder `x/`"));
    }
    for part in rust.path.trim_end_matches(".rs").split('/') {
        if NAMES_BANNED.contains(&part) {
            let message = format!("`{part}` says nothing: name it for the one thing it owns");
            found.push(Violation::new(rust.path, 1, message));
        }
    }
    if !opens_with_module_doc(text) {
        let message = "opens without `//!`: say what the module owns and what it must never do";
        found.push(Violation::new(rust.path, 1, message));
    }
    for (line, code, _) in rust.code_lines() {
        let declared = code
            .trim_start()
            .split("mod ")
            .nth(1)
            .map(|name| name.trim_end_matches([';', '{', ' ']));
        if let Some(name) = declared.filter(|name| NAMES_BANNED.contains(name)) {
            let message = format!("`mod {name}` says nothing: name it for the one thing it owns");
            found.push(Violation::new(rust.path, line, message));
        }
    }
    found
}

fn opens_with_module_doc(text: &str) -> bool {
    text.lines()
        .next()
        .and_then(|line| line.strip_prefix("//! "))
        .is_some_and(|doc| doc.trim() != "Stub.")
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::rust_text::RustText;

    fn messages(path: &str, text: &str) -> usize {
        check(&RustText::new(path, text), text).len()
    }

    #[test]
    fn a_file_without_its_doc_or_with_an_empty_name_is_found() {
        assert_eq!(messages("src/gate.rs", "//! Holds.\nmod queue;\n"), 0);
        assert_eq!(messages("src/gate.rs", "use a::b;\n"), 1);
        assert_eq!(messages("src/gate.rs", "//! Stub.\n"), 1);
        assert_eq!(messages("src/gate/mod.rs", "//! Holds.\n"), 1);
        assert_eq!(messages("tests/common/a.rs", "//! Holds.\n"), 1);
        assert_eq!(messages("src/lib.rs", "//! Holds.\npub mod utils;\n"), 1);
    }
}
