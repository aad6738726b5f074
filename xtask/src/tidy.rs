//! The house rules as a test: style that is not executed is not kept.
//!
//! Owns the walk over the files and the order of the rules. Each rule is a pure function from
//! text to [`Violation`]s in a file of its own, with a test on a sample that breaks it.
//! Must never change a file.

mod arrows;
mod calls;
mod guarantees;
mod lengths;
mod licences;
mod links;
mod places;
mod rust_text;
mod shape;
mod walk;
mod words;

use std::fmt;
use std::path::Path;

use crate::tidy::rust_text::RustText;
use crate::tidy::walk::Files;

/// One broken rule: where, and what to do about it.
#[derive(Debug, PartialEq, Eq)]
struct Violation {
    /// Relative to the repository's root.
    path: String,
    /// Counted from 1.
    line: usize,
    message: String,
}

impl Violation {
    fn new(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, message: message.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.message)
    }
}

/// Checks every file; all violations are reported at once.
///
/// # Errors
/// The list of violations, or what kept us from reading the files.
pub(crate) fn run(root: &Path) -> Result<String, String> {
    let files = walk::read(root)?;
    let mut violations = rust_rules(&files);
    violations.extend(text_rules(&files, root));
    violations.extend(licences::check(root, files.text("deny.toml").unwrap_or_default())?);
    violations.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
    let median = lengths::median(files.rust().map(|(_, text)| text));
    let summary = format!("tidy: {} files, median Rust file {median} lines", files.len());
    if violations.is_empty() {
        return Ok(format!("{summary}, no violations"));
    }
    let list: Vec<String> = violations.iter().map(Violation::to_string).collect();
    Err(format!("{}\n{summary}, {} violations", list.join("\n"), list.len()))
}

fn rust_rules(files: &Files) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, text) in files.rust() {
        let rust = RustText::new(path, text);
        found.extend(lengths::check(&rust));
        found.extend(shape::check(&rust, text));
        found.extend(calls::check(&rust));
        found.extend(arrows::check_rooms(&rust));
        found.extend(words::check_rust(&rust));
    }
    found
}

fn text_rules(files: &Files, root: &Path) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, text) in files.all() {
        found.extend(places::check(path, text));
        if path.ends_with(".md") {
            found.extend(words::check_markdown(path, text));
            found.extend(links::check(path, text, |target| root.join(target).exists()));
        }
        if path.ends_with("Cargo.toml") {
            found.extend(arrows::check_manifest(path, text));
        }
    }
    if let Some(table) = files.text("GUARANTEES.md") {
        found.extend(guarantees::check(table, files));
    }
    found
}

#[cfg(test)]
mod tests {
    /// Fails when any file of the repository breaks a house rule; the message lists them all.
    #[test]
    fn the_repository_is_tidy() {
        match super::run(&crate::root()) {
            Ok(summary) => println!("{summary}"),
            Err(violations) => panic!("\n{violations}"),
        }
    }
}
