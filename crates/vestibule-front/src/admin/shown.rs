//! A text from outside, made fit to be shown.
//!
//! Owns what is taken out of it. Must never let a terminal's orders or a URL's secrets through.

use crate::terminal::visible;

/// Longest text that is shown, in characters.
const SHOWN_MAX: usize = 256;

/// A text from outside, fit to be shown: one short line, without characters that move a terminal's
/// cursor or turn text around, and without what URLs keep secret (user information and query).
pub(crate) fn shown(text: &str) -> String {
    let words: Vec<String> = text.split(' ').map(without_secrets).collect();
    words.join(" ").chars().map(visible).take(SHOWN_MAX).collect()
}

fn without_secrets(word: &str) -> String {
    let Some((scheme, rest)) = word.split_once("://") else { return word.to_owned() };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or_default();
    let path = path.split(['?', '#']).next().unwrap_or_default();
    // A second URL behind the first would bring its user with it.
    let path = if path.contains('@') { "/…" } else { path };
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    //! Tries to show what must not be.

    use proptest::prelude::*;

    use super::*;
    use crate::terminal::is_obeyed;

    #[test]
    fn a32_a_shown_url_has_no_user_and_no_query() {
        let rows = [
            (
                "no answer of postgres://me:pw@db:5432/app?sslkey=pw",
                "no answer of postgres://db:5432/app",
            ),
            ("redis://:pw@[::1]/0 refused", "redis://[::1]/0 refused"),
            ("(https://me:p@w@host?pw#pw", "(https://host"),
            ("the service exited with status 1", "the service exited with status 1"),
            ("a://b", "a://b"),
            ("a://u:pw@b,c://u:pw@d", "a://b,c:/…"),
        ];
        for (text, wanted) in rows {
            assert_eq!(shown(text), wanted);
        }
    }

    proptest! {
        #[test]
        fn a33_shown_text_is_one_short_line_whatever_it_was(text in ".*") {
            let shown = shown(&text);
            prop_assert!(shown.chars().count() <= SHOWN_MAX);
            prop_assert!(shown.chars().all(|c| !is_obeyed(c)));
        }
    }
}
