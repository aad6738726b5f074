//! Each promise in GUARANTEES.md names the test or bench that holds it, and that exists.
//!
//! A row's last cell is its proof: names of test functions, or paths, in backticks.

use crate::tidy::Violation;
use crate::tidy::walk::Files;

const PATH: &str = "GUARANTEES.md";

pub(super) fn check(table: &str, files: &Files) -> Vec<Violation> {
    let mut found = Vec::new();
    for (index, row) in rows(table) {
        let proofs = proofs(row);
        if proofs.is_empty() {
            let message = "names no test or bench: a promise without one is a wish; put its name in backticks in the last cell";
            found.push(Violation::new(PATH, index + 1, message));
        }
        for proof in proofs.into_iter().filter(|proof| !exists(proof, files)) {
            let message =
                format!("`{proof}` is no test function and no file: correct the name, or write it");
            found.push(Violation::new(PATH, index + 1, message));
        }
    }
    found
}

/// Rows of tables, without heads and rules.
fn rows(table: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines: Vec<&str> = table.lines().collect();
    let is_rule = |line: &&str| {
        line.starts_with('|') && line.chars().all(|c| matches!(c, '|' | '-' | ' ' | ':'))
    };
    let is_row: Vec<bool> = (0..lines.len())
        .map(|at| {
            let is_head = lines.get(at + 1).is_some_and(is_rule);
            lines[at].starts_with('|') && !is_rule(&lines[at]) && !is_head
        })
        .collect();
    lines.into_iter().enumerate().zip(is_row).filter_map(|(line, is_row)| is_row.then_some(line))
}

/// What stands in backticks in the last cell.
fn proofs(row: &str) -> Vec<&str> {
    let last = row.trim().trim_end_matches('|').rsplit('|').next().unwrap_or_default();
    last.split('`').skip(1).step_by(2).collect()
}

/// A command (`bench/run --check`, `cargo xtask matrix`), a path, or a function's name.
fn exists(proof: &str, files: &Files) -> bool {
    let first = proof.split(' ').next().unwrap_or_default();
    if let Some(chore) = proof.strip_prefix("cargo xtask ") {
        let chore = chore.split(' ').next().unwrap_or_default();
        return files.text(&format!("xtask/src/{chore}.rs")).is_some();
    }
    if first.contains(['/', '.']) {
        let path = first.trim_start_matches("./");
        return files.text(path).is_some()
            || files.all().any(|(file, _)| file.starts_with(&format!("{path}/")));
    }
    let name = first.rsplit("::").next().unwrap_or_default();
    let declarations = [format!("fn {name}("), format!("def {name}(")];
    files.all().any(|(path, text)| {
        !path.ends_with(".md") && declarations.iter().any(|declaration| text.contains(declaration))
    })
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::walk::Files;

    #[test]
    fn a_promise_without_its_test_is_found() {
        let files = Files::of(&[
            ("crates/a/tests/b.rs", "#[test]\nfn holds_until_ready() {}\n"),
            ("bench/run", "#!/bin/sh\n"),
            ("xtask/src/matrix.rs", "//! M.\n"),
        ]);
        let table = "# Promises\n\n| promise | proof |\n|---|---|\n\
            | 1 | `b::holds_until_ready` |\n| 2 | `bench/run --check`, `cargo xtask matrix` |\n\
            | 3 | soon |\n| 4 | `never_written` |\n| 5 | `bench/gone` |\n";
        let lines: Vec<usize> = check(table, &files).iter().map(|found| found.line).collect();
        assert_eq!(lines, [7, 8, 9]);
    }
}
