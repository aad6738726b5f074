//! `NAME=URL`, as flags and a variable have it.
//!
//! Owns its form. Must never show a URL: it may hold a password.

use super::keys::is_name;

/// What `--check` wants.
pub(crate) const WANTED: &str =
    "use NAME=URL, such as database=postgres://db/chat; a name is a-z, 0-9, - and _, at most 40";

/// Name and URL.
///
/// # Errors
/// What it wants; nothing of the value.
pub(crate) fn name_and_url(text: &str) -> Result<(&str, &str), String> {
    let pair = text.split_once('=').map(|(name, url)| (name.trim(), url.trim()));
    pair.filter(|(name, url)| is_name(name) && !url.is_empty()).ok_or_else(|| WANTED.to_owned())
}

/// The declarations in a variable's list. A URL may have commas of its own, as a cluster's: what is no `NAME=URL`
/// belongs to the one before.
pub(crate) fn split(text: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for part in text.split(',') {
        let begins = part.split_once('=').is_some_and(|(name, _)| is_name(name.trim()));
        match out.last_mut() {
            Some(last) if !begins => {
                last.push(',');
                last.push_str(part);
            }
            _ if part.trim().is_empty() => {}
            _ => out.push(part.to_owned()),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_split_where_a_name_begins() {
        let rows: [(&str, &[&str]); 5] = [
            ("a=tcp://a:1", &["a=tcp://a:1"]),
            ("a=tcp://a:1, b=tcp://b:1", &["a=tcp://a:1", " b=tcp://b:1"]),
            (
                "bus=nats://a:1,nats://b:1,x=tcp://c:1",
                &["bus=nats://a:1,nats://b:1", "x=tcp://c:1"],
            ),
            ("", &[]),
            ("tcp://a:1", &["tcp://a:1"]),
        ];
        for (text, wanted) in rows {
            assert_eq!(split(text), wanted, "{text}");
        }
    }

    #[test]
    fn a_name_and_an_address_are_both_wanted() {
        assert_eq!(name_and_url("a=tcp://h:1?x=y"), Ok(("a", "tcp://h:1?x=y")));
        for wrong in ["a", "a=", "=tcp://h:1", "A=tcp://h:1", "postgres://u:p@h/d?a=b"] {
            assert_eq!(name_and_url(wrong), Err(WANTED.to_owned()), "{wrong}");
        }
    }
}
