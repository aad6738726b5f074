//! Values from outside, fit for a terminal.
//!
//! Owns what is escaped, what is cut, and what is hidden. Must never let a control character, a
//! character that turns text around, or a secret through.

use vestibule_front::terminal::is_obeyed;

/// More of a value than this says nothing more about a mistake in it.
const LENGTH_MAX: usize = 120;

/// Stands for a value that nobody should read over a shoulder or in a log.
pub(crate) const HIDDEN: &str = "(hidden)";

/// Parts of a name that say: its value is nobody's business. Hyphens and underscores do not count.
/// Rather one too many: what is hidden needlessly is still where the user wrote it.
const SECRET_WORDS: [&str; 12] = [
    "token",
    "secret",
    "pass",
    "pwd",
    "credential",
    "apikey",
    "accesskey",
    "privatekey",
    "auth",
    "bearer",
    "cookie",
    "header",
];

/// Whether this is the place of a secret, and no secret that was put in the place's stead.
fn is_place(key: &str, value: &str) -> bool {
    let is_of_place = ["file", "path"].iter().any(|end| key.to_ascii_lowercase().ends_with(end));
    let value = value.trim_start_matches('"');
    is_of_place && ["/", "./", "../"].iter().any(|start| value.starts_with(start))
}

/// Whether what is given for this key must not be shown.
pub(crate) fn is_secret(key: &str) -> bool {
    let letters = key.chars().filter(|c| !matches!(c, '-' | '_'));
    let key: String = letters.map(|c| c.to_ascii_lowercase()).collect();
    SECRET_WORDS.iter().any(|word| key.contains(word))
}

/// The text with control characters escaped, whole.
pub(crate) fn fit(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_unfit(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}

/// The text with control characters escaped, and cut if it is long.
pub(crate) fn shown(text: &str) -> String {
    match text.char_indices().nth(LENGTH_MAX) {
        Some((end, _)) => fit(&text[..end]) + "…",
        None => fit(text),
    }
}

/// A key's value: hidden if it is a secret or names one; of an address only what is no secret in it.
pub(crate) fn shown_value(key: &str, value: &str) -> String {
    let (address, query) = match value.split_once('?') {
        Some((address, query)) => (address, Some(query)),
        None => (value, None),
    };
    if (is_secret(key) && !is_place(key, value)) || names_a_secret(address) {
        return HIDDEN.to_owned();
    }
    // A user may have a question mark in a password.
    let has_user_behind = query.is_some_and(|query| query.contains('@'));
    let address = if has_user_behind { without_user(value) } else { without_user(address) };
    match query {
        Some(query) if !has_user_behind => {
            let quote = if query.ends_with('"') { "\"" } else { "" };
            format!("{}?{HIDDEN}{quote}", shown(&address))
        }
        _ => shown(&address),
    }
}

/// A command's words, without what one of them calls a secret.
pub(crate) fn shown_words<'w>(words: impl IntoIterator<Item = &'w str>) -> Vec<String> {
    let mut is_secrets_value = false;
    let fit = words.into_iter().map(|word| {
        let was_named = std::mem::take(&mut is_secrets_value);
        if was_named && !word.starts_with('-') {
            return HIDDEN.to_owned();
        }
        let is_script = word.contains(char::is_whitespace);
        match word.split_once('=') {
            // What follows a secret's name there is not known.
            _ if is_script && is_secret(word) => HIDDEN.to_owned(),
            Some((name, _)) if is_secret(name) => format!("{}={HIDDEN}", shown_value("", name)),
            Some(_) => shown_value("", word),
            None => {
                is_secrets_value = word.starts_with('-') && is_secret(word);
                shown_value("", word)
            }
        }
    });
    fit.collect()
}

/// Whether a text gives a secret by its name: `password=...`, `"token": "..."`. A host's name and
/// port (`auth:80`) do not.
fn names_a_secret(text: &str) -> bool {
    let gives = |(at, mark): (usize, &str)| {
        let rest = &text[at + mark.len()..];
        let is_given = mark == "=" || rest.starts_with([' ', '"', '\'']);
        let name = text[..at].trim_end_matches(['"', '\'', ' ']);
        let is_in_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
        let start = name.rfind(|c| !is_in_name(c)).map_or(0, |at| at + 1);
        is_given && name.get(start..).is_some_and(is_secret)
    };
    text.match_indices(['=', ':']).any(gives)
}

/// `scheme://user:password@host` without what stands before the `@`, and so without a scheme. A
/// password may have any character in it: the last `@` counts. In a path it is part of a name.
fn without_user(value: &str) -> String {
    let (quote, text) = match value.strip_prefix('"') {
        Some(text) => ("\"", text),
        None => ("", value),
    };
    let is_path = text.starts_with('/') || text.starts_with("unix:");
    match (text.rsplit_once('@'), text.split_once("://")) {
        (Some((user, host)), Some((scheme, _))) if user.len() > scheme.len() => {
            format!("{quote}{scheme}://{HIDDEN}@{host}")
        }
        (Some((user, host)), _) if user.contains(':') && !is_path => {
            format!("{quote}{HIDDEN}@{host}")
        }
        _ => value.to_owned(),
    }
}

/// Would act on a terminal, or make text look like other text.
fn is_unfit(c: char) -> bool {
    is_obeyed(c) || matches!(c, '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    //! Breaks a terminal with what a file, a variable or a flag may hold.
    use super::*;

    #[test]
    fn a33_nothing_that_acts_on_a_terminal_is_shown() {
        for bad in
            ["\u{1b}[2J", "a\nb", "\r", "\0", "\u{9b}31m", "\u{202e}gpj", "\u{feff}", "\u{61c}"]
        {
            assert!(!shown(bad).chars().any(is_unfit), "{bad:?}");
            assert!(!shown_value("", bad).chars().any(is_unfit), "{bad:?}");
        }
        assert_eq!(shown("größer ✓"), "größer ✓");
        assert_eq!(shown(&"x".repeat(1000)).chars().count(), LENGTH_MAX + 1);
    }

    #[test]
    fn a32_a_secret_is_not_shown() {
        let rows = [
            ("admin_token_file", "/run/x", "/run/x"),
            ("admin_token_file", "\"../x\"", "\"../x\""),
            ("admin_token_file", "pw", HIDDEN),
            ("admin_token", "/run/x", HIDDEN),
            ("ready", "http:/health?key=k", "http:/health?(hidden)"),
            ("upstream", "http://me:pw@host/a", "http://(hidden)@host/a"),
            ("upstream", "http://me:p/w@host/a", "http://(hidden)@host/a"),
            ("upstream", "http://me:p?w@host/a", "http://(hidden)@host/a"),
            ("upstream", "\"me:pw@host:81\"", "\"(hidden)@host:81\""),
            ("upstream", "host=db user=me password=pw", HIDDEN),
            ("upstream", "{ \"DB_PASSWORD\": \"pw\" }", HIDDEN),
            ("hold", "Authorization: Bearer x", HIDDEN),
            ("upstream", "auth-token:80", "auth-token:80"),
            ("listen", "unix:/run/a:b@c.sock", "unix:/run/a:b@c.sock"),
            ("listen", ":80", ":80"),
        ];
        for (key, value, wanted) in rows {
            assert_eq!(shown_value(key, value), wanted, "{value}");
        }
    }

    #[test]
    fn a32_a_commands_secrets_are_not_shown() {
        let line = [
            "app",
            "--db=postgres://me:pw@db/x",
            "--api-token",
            "pw",
            "--secret=pw",
            "--db-pass",
            "pw",
            "DB_PASSWORD=pw",
            "exec app --password pw",
            "curl -H 'X-Api-Key: pw'",
            "-v",
        ];
        let shown = shown_words(line).join("|");
        assert!(!shown.contains("pw"), "{shown}");
        assert!(shown.contains("|-v") && shown.contains("@db/x|"), "{shown}");
    }
}
