//! One word for one thing, in comments, literals and documents.
//!
//! Owns the list of words that stand for one of ours; DESIGN and docs define those. The list is
//! short on purpose: only what would mislead a reader.

use crate::tidy::Violation;
use crate::tidy::rust_text::RustText;

/// What is said elsewhere (in lower case), and what we say.
const SYNONYMS: &[(&str, &str)] = &[
    ("gate opens", GATE),
    ("gate closes", GATE),
    ("gate is open", GATE),
    ("gate is closed", GATE),
    ("open the gate", GATE),
    ("opens the gate", GATE),
    ("close the gate", GATE),
    ("closes the gate", GATE),
    ("shut the gate", GATE),
    ("gate lets", GATE),
    ("gate allows", GATE),
    ("gate accepts", GATE),
    ("gate rejects", GATE),
    ("gate blocks", GATE),
    ("warmup", "`cold start`, or `startup` for ours"),
    ("warm-up", "`cold start`, or `startup` for ours"),
    ("handover", "`hand-over`"),
    ("handoff", "`hand-over`"),
    ("hand-off", "`hand-over`"),
    ("grace window", "`settle window`"),
    ("settling window", "`settle window`"),
    ("settle period", "`settle window`"),
    ("holding budget", "`hold budget`"),
    ("wait budget", "`hold budget`"),
    ("validation round", "a `pass`"),
    ("validation run", "a `pass`"),
    ("half-ready", "`degraded`"),
    ("partially ready", "`degraded`"),
    ("readiness latency", "`lag`"),
    ("parked client", "`held`"),
    ("parked handshake", "`held`"),
    ("connection draining", "`drain`"),
];

const GATE: &str = "the gate `holds`, `admits` or `refuses`; only a breaker opens and closes";

/// Files that explain or list the words themselves.
const EXEMPT: &[&str] = &["docs/words.md", "xtask/src/tidy/words.rs"];

pub(super) fn check_rust(rust: &RustText) -> Vec<Violation> {
    check_lines(rust.path, rust.prose.iter().map(String::as_str))
}

pub(super) fn check_markdown(path: &str, text: &str) -> Vec<Violation> {
    let prose: Vec<String> = text.lines().map(without_names).collect();
    check_lines(path, prose.iter().map(String::as_str))
}

fn check_lines<'a>(path: &str, lines: impl Iterator<Item = &'a str>) -> Vec<Violation> {
    if EXEMPT.contains(&path) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (index, line) in lines.enumerate() {
        let line = line.to_lowercase();
        for (synonym, ours) in SYNONYMS.iter().filter(|(synonym, _)| contains_words(&line, synonym))
        {
            let message = format!("\"{synonym}\": the word is {ours}");
            found.push(Violation::new(path, index + 1, message));
        }
    }
    found
}

/// Without what stands in backticks: a file or an item is called as it is called.
fn without_names(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join("`")
}

fn contains_words(line: &str, words: &str) -> bool {
    line.match_indices(words).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + words.len()..].chars().next();
        ![before, after].into_iter().flatten().any(char::is_alphanumeric)
    })
}

#[cfg(test)]
mod tests {
    use super::{check_markdown, check_rust};
    use crate::tidy::rust_text::RustText;

    #[test]
    fn a_synonym_in_prose_is_found_and_in_code_is_not() {
        assert_eq!(check_markdown("a.md", "Then\nthe Gate opens.\n")[0].line, 2);
        assert_eq!(
            check_rust(&RustText::new("a.rs", "/// After the handover.\nfn a() {}\n")).len(),
            1
        );
        assert_eq!(check_rust(&RustText::new("a.rs", "fn handover() { handover() }\n")), []);
    }

    #[test]
    fn our_own_words_pass() {
        let text = "The gate admits after the hand-over; the breaker opens; gate openssl.\n";
        assert_eq!(check_markdown("a.md", text), []);
        assert_eq!(check_markdown("a.md", "Look into `handover.rs` first.\n"), []);
    }
}
