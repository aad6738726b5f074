//! `${NAME}` in a value.
//!
//! Owns its form. What it stands for is a secret until somebody proves the contrary, so that nothing here shows it.
//! Pure: asks whoever it is given.

/// What is wrong with a value; nothing of it is told but the name of a variable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unexpanded {
    /// No such variable, or one that is set to nothing.
    #[error("the variable {0} is not set: set it, or write ${{{0}:-DEFAULT}}")]
    Missing(String),
    /// Opened and not closed.
    #[error("a ${{ without its }}: write ${{NAME}}, or $${{ for the characters themselves")]
    Open,
    /// No name of a variable.
    #[error("no name of a variable in ${{}}: letters, digits and _, as in ${{DATABASE_URL}}")]
    NoName,
}

/// A part of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// Itself.
    Plain(&'a str),
    /// `$${`, which stands for `${`.
    Escaped,
    /// `${NAME}`, or `${NAME:-default}`.
    Variable(&'a str, Option<&'a str>),
}

/// The parts of a value. A default ends at the first `}`: there are no variables within it.
pub(crate) fn pieces(text: &str) -> Result<Vec<Piece<'_>>, Unexpanded> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let escaped = rest[..at].ends_with('$');
        out.push(Piece::Plain(&rest[..at - usize::from(escaped)]));
        let inner = &rest[at + 2..];
        if escaped {
            out.push(Piece::Escaped);
            rest = inner;
            continue;
        }
        let end = inner.find('}').ok_or(Unexpanded::Open)?;
        let (name, default) = match inner[..end].split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (&inner[..end], None),
        };
        if !is_variable(name) {
            return Err(Unexpanded::NoName);
        }
        out.push(Piece::Variable(name, default));
        rest = &inner[end + 1..];
    }
    out.push(Piece::Plain(rest));
    Ok(out)
}

/// The text with every `${NAME}` replaced by what `get` says of it. A variable that is set to nothing is not set.
pub(crate) fn expand(
    text: &str,
    get: impl Fn(&str) -> Option<String>,
) -> Result<String, Unexpanded> {
    let mut out = String::with_capacity(text.len());
    for piece in pieces(text)? {
        match piece {
            Piece::Plain(plain) => out.push_str(plain),
            Piece::Escaped => out.push_str("${"),
            Piece::Variable(name, default) => {
                let value = get(name).filter(|value| !value.trim().is_empty());
                match (value, default) {
                    (Some(value), _) => out.push_str(value.trim()),
                    (None, Some(default)) => out.push_str(default),
                    (None, None) => return Err(Unexpanded::Missing(name.to_owned())),
                }
            }
        }
    }
    Ok(out)
}

fn is_variable(name: &str) -> bool {
    let is_first = |c: char| c.is_ascii_alphabetic() || c == '_';
    name.starts_with(is_first) && name.chars().all(|c| is_first(c) || c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    //! Breaks the form in each way that a hand may slip, and with texts that were never meant.
    use proptest::prelude::*;

    use super::*;

    fn known(name: &str) -> Option<String> {
        match name {
            "A" => Some("one".to_owned()),
            "NESTED" => Some("${A}".to_owned()),
            "LINE" => Some("two\n".to_owned()),
            "BLANK" => Some("  ".to_owned()),
            _ => None,
        }
    }

    #[test]
    fn each_form_stands_for_what_the_table_says() {
        let missing = |name: &str| Err(Unexpanded::Missing(name.to_owned()));
        let rows = [
            ("", Ok("")),
            ("plain $ text } {", Ok("plain $ text } {")),
            ("${A}", Ok("one")),
            ("x${A}y${A}z", Ok("xoneyonez")),
            ("${NESTED}", Ok("${A}")),
            ("${LINE}", Ok("two")),
            ("$${A}", Ok("${A}")),
            ("a$$b", Ok("a$$b")),
            ("${B:-two}", Ok("two")),
            ("${B:-}", Ok("")),
            ("${A:-two}", Ok("one")),
            ("${BLANK:-two}", Ok("two")),
            ("${B:-http://h:1/x?y}", Ok("http://h:1/x?y")),
            ("${B}", missing("B")),
            ("${BLANK}", missing("BLANK")),
            ("${A", Err(Unexpanded::Open)),
            ("${}", Err(Unexpanded::NoName)),
            ("${1A}", Err(Unexpanded::NoName)),
            ("${A B}", Err(Unexpanded::NoName)),
            ("${A-two}", Err(Unexpanded::NoName)),
        ];
        for (text, wanted) in rows {
            assert_eq!(expand(text, known), wanted.map(str::to_owned), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_expanded_or_refused(text in "[${}A:_a-]{0,24}") {
            let expanded = expand(&text, |_| Some("x".to_owned()));
            if !text.contains("${") {
                prop_assert_eq!(expanded, Ok(text));
            }
        }
    }
}
