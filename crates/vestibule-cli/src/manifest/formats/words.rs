//! Command lines that are written as one text.
//!
//! Owns splitting them into words as a shell would, without being one. Must never expand anything.

use crate::manifest::yaml::{At, Text};

/// The words of a text; all of them stand where the text does.
pub(crate) fn split(text: &str, at: At) -> Vec<Text> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut letters = text.chars();
    while let Some(c) = letters.next() {
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            ('\\', None | Some('"')) => {
                if let Some(next) = letters.next() {
                    word.get_or_insert_default().push(next);
                }
            }
            (c, Some(_)) => word.get_or_insert_default().push(c),
            ('"' | '\'', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (c, None) if c.is_whitespace() => words.extend(word.take()),
            (c, None) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words.into_iter().map(|word| Text::new(at, word)).collect()
}

#[cfg(test)]
mod tests {
    //! Breaks the splitting with quotes, blanks and ends in the middle.
    use super::*;

    #[test]
    fn words_are_split_as_a_shell_does() {
        let rows: [(&str, &[&str]); 6] = [
            ("a  b\tc", &["a", "b", "c"]),
            ("sh -c 'exec app --x \"y z\"'", &["sh", "-c", "exec app --x \"y z\""]),
            ("a\\ b \"c\\\"d\"", &["a b", "c\"d"]),
            ("''", &[""]),
            ("'open", &["open"]),
            ("", &[]),
        ];
        for (text, wanted) in rows {
            let words = split(text, At::default()).into_iter().map(|word| word.text);
            assert_eq!(words.collect::<Vec<_>>(), wanted, "{text}");
        }
    }
}
