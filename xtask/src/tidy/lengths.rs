//! Files and functions short enough to be read at one sitting.

use crate::tidy::Violation;
use crate::tidy::rust_text::RustText;

/// Lines of a file, its tests included.
const FILE_LINES_MAX: usize = 400;
/// Lines of a function, from its `fn` to its closing brace.
const FUNCTION_LINES_MAX: usize = 70;

pub(super) fn check(rust: &RustText) -> Vec<Violation> {
    let mut found = Vec::new();
    let lines = rust.code.len();
    if lines > FILE_LINES_MAX {
        let message =
            format!("{lines} lines, at most {FILE_LINES_MAX}: give part of it a file of its own");
        found.push(Violation::new(rust.path, 1, message));
    }
    for (index, line) in rust.code.iter().enumerate() {
        let Some(name) = function_name(line) else {
            continue;
        };
        let length = function_lines(&rust.code[index..]);
        if length > FUNCTION_LINES_MAX {
            let message = format!(
                "fn {name} has {length} lines, at most {FUNCTION_LINES_MAX}: \
                 keep its control flow, and move the leaves out"
            );
            found.push(Violation::new(rust.path, index + 1, message));
        }
    }
    found
}

/// The median number of lines of some files.
pub(super) fn median<'a>(texts: impl Iterator<Item = &'a str>) -> usize {
    let mut lengths: Vec<usize> = texts.map(|text| text.lines().count()).collect();
    lengths.sort_unstable();
    lengths.get(lengths.len() / 2).copied().unwrap_or(0)
}

/// The name, if the line starts a function (what stands before `fn` are qualifiers only).
fn function_name(code: &str) -> Option<&str> {
    let (before, after) = code.split_once("fn ")?;
    let is_qualifier = |word: &str| {
        matches!(word, "const" | "async" | "unsafe" | "extern")
            || word.starts_with("pub")
            || word.starts_with("in ")
    };
    let name = after.split(|c: char| !c.is_alphanumeric() && c != '_').next()?;
    (!name.is_empty() && before.split_whitespace().all(is_qualifier)).then_some(name)
}

/// Lines from the first to the one where the braces of the body close.
fn function_lines(code: &[String]) -> usize {
    let (mut braces, mut brackets) = (0_usize, 0_usize);
    for (index, line) in code.iter().enumerate() {
        for c in line.chars() {
            match c {
                '{' => braces += 1,
                '}' if braces <= 1 => return index + 1,
                '}' => braces -= 1,
                '(' | '[' => brackets += 1,
                ')' | ']' => brackets = brackets.saturating_sub(1),
                // A declaration without a body.
                ';' if braces == 0 && brackets == 0 => return index + 1,
                _ => {}
            }
        }
    }
    code.len()
}

#[cfg(test)]
mod tests {
    use super::{check, function_name, median};
    use crate::tidy::rust_text::RustText;

    #[test]
    fn a_long_file_and_a_long_function_are_found() {
        let long = format!("fn short() {{}}\nfn long() {{\n{}}}\n", "    a();\n".repeat(400));
        let found = check(&RustText::new("a.rs", &long));
        let places: Vec<usize> = found.iter().map(|violation| violation.line).collect();
        assert_eq!(places, [1, 2], "the file, then the function: {found:?}");
    }

    #[test]
    fn seventy_lines_are_allowed_and_braces_in_literals_do_not_count() {
        let body = "    a(\"}\", '{', [0; 4]);\n".repeat(68);
        assert_eq!(check(&RustText::new("a.rs", &format!("fn a() {{\n{body}}}\n"))), []);
    }

    #[test]
    fn a_declaration_ends_at_its_semicolon() {
        let text = format!("trait A {{\n    fn a(b: [u8; 4]);\n{}}}\n", "    // more\n".repeat(80));
        assert_eq!(check(&RustText::new("a.rs", &text)), []);
    }

    #[test]
    fn only_items_are_functions() {
        assert_eq!(function_name("    pub(crate) async fn a<T>("), Some("a"));
        assert_eq!(function_name("    hook: fn (u8),"), None);
        assert_eq!(function_name("let a: fn () = b;"), None);
    }

    #[test]
    fn the_median_is_the_middle_one() {
        assert_eq!(median(["a\n", "a\na\na\n", "a\na\n"].into_iter()), 2);
    }
}
