//! Values from outside, fit for a terminal.
//!
//! Owns what is escaped, what is cut, and what is hidden. Must never let a control character, a
//! character that turns text around, or a secret through.

/// More of a value than this says nothing more about a mistake in it.
const LENGTH_MAX: usize = 120;

/// Stands for a value that nobody should read over a shoulder or in a log.
pub(crate) const HIDDEN: &str = "(hidden)";

/// Words in a key's name that say: its value is nobody's business.
const SECRET_WORDS: [&str; 4] = ["token", "secret", "password", "credential"];

/// Whether what is given for this key must not be shown.
pub(crate) fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    SECRET_WORDS.iter().any(|word| key.contains(word))
}

/// The text with control characters escaped, and cut if it is long.
pub(crate) fn shown(text: &str) -> String {
    let mut out = String::new();
    for (count, c) in text.chars().enumerate() {
        if count == LENGTH_MAX {
            out.push('…');
            break;
        }
        if is_unfit(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}

/// A key's value: hidden if it is a secret; of an address only what is no secret in it.
pub(crate) fn shown_value(key: &str, value: &str) -> String {
    if is_secret(key) {
        return HIDDEN.to_owned();
    }
    let value = without_user(value);
    match value.split_once('?') {
        Some((address, query)) => {
            let quote = if query.ends_with('"') { "\"" } else { "" };
            format!("{}?{HIDDEN}{quote}", shown(address))
        }
        None => shown(&value),
    }
}

/// `scheme://user:password@host` without what stands before the `@`.
fn without_user(value: &str) -> String {
    let Some((scheme, rest)) = value.split_once("://") else { return value.to_owned() };
    let authority = rest.split('/').next().unwrap_or_default();
    match authority.rsplit_once('@') {
        Some((user, _)) => format!("{scheme}://{HIDDEN}@{}", &rest[user.len() + 1..]),
        None => value.to_owned(),
    }
}

/// Would act on a terminal, or make text look like other text.
fn is_unfit(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    //! Breaks a terminal with what a file, a variable or a flag may hold.
    use super::*;

    #[test]
    fn a33_nothing_that_acts_on_a_terminal_is_shown() {
        for bad in ["\u{1b}[2J", "a\nb", "\r", "\0", "\u{9b}31m", "\u{202e}gpj", "\u{feff}"] {
            assert!(!shown(bad).chars().any(is_unfit), "{bad:?}");
        }
        assert_eq!(shown("größer ✓"), "größer ✓");
        assert_eq!(shown(&"x".repeat(1000)).chars().count(), LENGTH_MAX + 1);
    }

    #[test]
    fn a32_a_secret_is_not_shown() {
        let rows = [
            ("admin_token_file", "/run/x", HIDDEN),
            ("ready", "http:/health?key=k", "http:/health?(hidden)"),
            ("upstream", "http://me:pw@host/a", "http://(hidden)@host/a"),
            ("listen", ":80", ":80"),
        ];
        for (key, value, wanted) in rows {
            assert_eq!(shown_value(key, value), wanted);
        }
    }
}
