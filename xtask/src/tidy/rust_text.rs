//! A Rust file taken apart into code and prose, line by line.
//!
//! Owns the smallest lexer that tells comments and literals from code; the rules then look for
//! plain strings. It expects rustfmt's output. Must never parse more than that.

/// What the text at one point belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Code,
    LineComment,
    /// Block comments nest.
    BlockComment(usize),
    Text,
    /// Ends at a quote followed by this many hashes.
    RawText(usize),
}

/// The same lines three times: `code[i]` has blanks for comments and literals, `prose[i]` has
/// only those, `in_test[i]` says whether line `i` is compiled for tests alone.
pub(super) struct RustText<'a> {
    pub(super) path: &'a str,
    pub(super) code: Vec<String>,
    pub(super) prose: Vec<String>,
    pub(super) in_test: Vec<bool>,
}

impl<'a> RustText<'a> {
    pub(super) fn new(path: &'a str, text: &str) -> Self {
        let (code, prose) = split(text);
        let in_test = test_lines(path, &code);
        Self { path, code, prose, in_test }
    }

    /// Lines of code with their numbers, counted from 1, and whether they are tests.
    pub(super) fn code_lines(&self) -> impl Iterator<Item = (usize, &str, bool)> {
        let lines = self.code.iter().zip(&self.in_test).enumerate();
        lines.map(|(index, (code, in_test))| (index + 1, code.as_str(), *in_test))
    }
}

fn split(text: &str) -> (Vec<String>, Vec<String>) {
    let mut inside = Inside::Code;
    let (mut code, mut prose) = (Vec::new(), Vec::new());
    for line in text.lines() {
        let (mut code_line, mut prose_line) = (String::new(), String::new());
        let chars: Vec<char> = line.chars().collect();
        let mut at = 0;
        while at < chars.len() {
            let (next, taken) = step(inside, &chars, at);
            // Only a character literal is more than one character of code at once.
            let is_code = inside == Inside::Code && next == Inside::Code && taken == 1;
            for c in &chars[at..at + taken] {
                code_line.push(if is_code { *c } else { ' ' });
                prose_line.push(if is_code { ' ' } else { *c });
            }
            (inside, at) = (next, at + taken);
        }
        if inside == Inside::LineComment {
            inside = Inside::Code;
        }
        code.push(code_line);
        prose.push(prose_line);
    }
    (code, prose)
}

/// Where the next characters lead, and how many belong to that step.
fn step(inside: Inside, chars: &[char], at: usize) -> (Inside, usize) {
    let starts = |text: &str| text.chars().enumerate().all(|(i, c)| chars.get(at + i) == Some(&c));
    match inside {
        Inside::Code if starts("//") => (Inside::LineComment, 2),
        Inside::Code if starts("/*") => (Inside::BlockComment(1), 2),
        Inside::Code if starts("\"") => (Inside::Text, 1),
        Inside::Code if starts("'") => (Inside::Code, char_literal(chars, at)),
        Inside::Code => match raw_opening(chars, at) {
            Some((hashes, taken)) => (Inside::RawText(hashes), taken),
            None => (Inside::Code, 1),
        },
        Inside::BlockComment(1) if starts("*/") => (Inside::Code, 2),
        Inside::BlockComment(depth) if starts("*/") => (Inside::BlockComment(depth - 1), 2),
        Inside::BlockComment(depth) if starts("/*") => (Inside::BlockComment(depth + 1), 2),
        Inside::Text if starts("\\") => (Inside::Text, 2.min(chars.len() - at)),
        Inside::Text if starts("\"") => (Inside::Code, 1),
        Inside::RawText(hashes) if closes_raw(chars, at, hashes) => (Inside::Code, 1 + hashes),
        same => (same, 1),
    }
}

/// A quote is a lifetime, or a character such as `'{'` that must not count as a brace; the
/// length of the second kind, else 1.
fn char_literal(chars: &[char], at: usize) -> usize {
    match chars.get(at + 1) {
        Some('\\') => match chars.iter().skip(at + 3).position(|c| *c == '\'') {
            Some(more) => more + 4,
            None => 1,
        },
        Some(_) if chars.get(at + 2) == Some(&'\'') => 3,
        _ => 1,
    }
}

fn raw_opening(chars: &[char], at: usize) -> Option<(usize, usize)> {
    let in_a_word = at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_');
    if chars[at] != 'r' || (in_a_word && chars[at - 1] != 'b') {
        return None;
    }
    let hashes = chars[at + 1..].iter().take_while(|c| **c == '#').count();
    (chars.get(at + 1 + hashes) == Some(&'"')).then_some((hashes, hashes + 2))
}

fn closes_raw(chars: &[char], at: usize, hashes: usize) -> bool {
    chars[at] == '"' && chars[at + 1..].iter().take_while(|c| **c == '#').count() >= hashes
}

/// Tests are last in a file, so that everything from `#[cfg(test)] mod …` on is one.
fn test_lines(path: &str, code: &[String]) -> Vec<bool> {
    let mut seen = path.contains("/tests/") || path.ends_with("/tests.rs");
    let mut lines = Vec::with_capacity(code.len());
    for (index, line) in code.iter().enumerate() {
        seen |= is_test_attribute(line.trim()) && opens_module(&code[index + 1..]);
        lines.push(seen);
    }
    lines
}

fn is_test_attribute(line: &str) -> bool {
    line == "#[cfg(test)]" || line.starts_with("#[cfg(all(test,")
}

/// Whether a module's own body comes next, behind more attributes.
fn opens_module(code: &[String]) -> bool {
    let item = code.iter().map(|line| line.trim()).find(|line| !line.starts_with("#["));
    item.is_some_and(|line| line.starts_with("mod ") && line.ends_with('{'))
}

#[cfg(test)]
mod tests {
    use super::RustText;

    #[test]
    fn comments_and_literals_are_prose_and_the_rest_is_code() {
        let text = "let a = \"{ // no\"; // yes {\nlet b = r#\"x\"y\"#; /* c\nd */ let e = '{';\n";
        let rust = RustText::new("a.rs", text);
        assert!(rust.code[0].starts_with("let a = ") && rust.code[0].trim_end().ends_with(" ;"));
        assert!(rust.prose[0].contains("{ // no") && rust.prose[0].contains("// yes {"));
        assert!(!rust.code[1].contains('x') && rust.code[1].contains("let b ="));
        assert!(!rust.code[2].contains('d') && rust.code[2].contains("let e"));
    }

    #[test]
    fn lifetimes_do_not_start_a_literal() {
        let rust = RustText::new("a.rs", "fn a<'a>(b: &'a str) { c('\\'', '\"', b) }\n");
        assert!(rust.code[0].contains("fn a<'a>(b: &'a str) { c("));
        assert!(rust.code[0].ends_with(", b) }"));
        assert_eq!(rust.code[0].matches('\'').count(), 2);
    }

    #[test]
    fn what_follows_cfg_test_is_a_test_and_so_is_a_tests_file() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n}\n";
        assert_eq!(RustText::new("src/a.rs", text).in_test, [false, true, true, true]);
        let text = "#[cfg(all(test, unix))]\n#[allow(x)]\nmod tests {\n}\n#[cfg(test)]\nmod a;\n";
        assert!(RustText::new("src/a.rs", text).in_test[0]);
        let text = "#[cfg(test)]\nmod sample;\nfn a() {}\n";
        assert!(!RustText::new("src/a.rs", text).in_test[2]);
        assert!(RustText::new("x/tests/a.rs", "fn a() {}\n").in_test[0]);
    }
}
