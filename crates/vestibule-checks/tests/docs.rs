//! Breaks the pages about checks where the code went on without them: a reason or a key that no page tells.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests say what they expect by unwrapping"
)]

use std::fs;
use std::path::PathBuf;

use vestibule::check::{Class, Reason};
use vestibule_checks::Kind;

fn page(name: &str) -> Option<String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/checks");
    fs::read_to_string(folder.join(name)).ok()
}

const fn again(class: Class) -> &'static str {
    match class {
        Class::Transient => "soon",
        Class::Overloaded => "slowly",
        Class::Configuration | Class::Defect => "next pass",
    }
}

#[test]
fn the_page_about_checks_tells_every_reason_and_what_to_do() {
    let page = page("README.md").unwrap();
    let row = |reason: Reason| {
        format!("| `{}` | {} | {} |", reason.as_str(), again(reason.class()), reason.advice())
    };
    let rows: Vec<_> = Reason::ALL.into_iter().map(row).collect();
    let missing: Vec<_> = rows.iter().filter(|row| !page.contains(row.as_str())).collect();
    assert!(missing.is_empty(), "{missing:#?}\nthe whole table:\n{}", rows.join("\n"));
}

#[test]
fn the_page_of_a_kind_tells_each_of_its_keys() {
    let mut told = 0;
    for kind in Kind::ALL {
        let Some(page) = page(&format!("{}.md", kind.as_str())) else { continue };
        told += 1;
        for key in kind.keys() {
            let cell = format!("| `{}` |", key.name);
            assert!(page.contains(&cell), "{}.md tells nothing of {}", kind.as_str(), key.name);
        }
    }
    assert!(told >= 6, "{told} pages were found");
}
