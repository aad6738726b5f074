//! The parser of configuration files.
//!
//! Input: a file's bytes. Holds, for each command: it comes to an end; every mistake is one line of
//! harmless text and begins with its place, a line of the file (a file that is no text is the one
//! exception); and a comment put on top of a file for `run` moves every mistake down by one line
//! and changes no other thing.

use vestibule_cli::config::{Command, Mistake, Origin, check};

use super::log::is_obeyed;

const NAME: &str = "vestibule.toml";

/// See the module's lines.
pub fn config(input: &[u8]) {
    // With a zero byte it is no text, and no line is to blame.
    let is_text = !input.contains(&0) || std::str::from_utf8(input).is_err();
    let lines = 1 + input.iter().filter(|&&byte| byte == b'\n').count();
    for command in [Command::Run, Command::Serve] {
        let mistakes = check(input, NAME, command).err().unwrap_or_default();
        for mistake in &mistakes {
            let (text, line) = (mistake.to_string(), line(mistake));
            assert!(!text.contains(is_obeyed), "{text:?}");
            assert!(line.is_some() == is_text, "{text:?}");
            let place = line.map_or_else(|| format!("{NAME}: "), |line| format!("{NAME}:{line}: "));
            assert!(text.len() > place.len() && text.starts_with(&place), "{text:?}");
            assert!(line.is_none_or(|line| (1..=lines).contains(&line)), "{text:?}, of {lines}");
        }
        // The mark of UTF-8 may stand at a file's very beginning alone. Once is enough: a reading
        // is slow, and what counts lines knows no commands.
        if command == Command::Run && is_text && !input.starts_with("\u{feff}".as_bytes()) {
            let lower = check(&[b"# on top\n", input].concat(), NAME, command);
            let lower = lower.err().unwrap_or_default();
            assert_eq!(lower.len(), mistakes.len(), "{lower:?} and {mistakes:?}");
            for (lower, mistake) in lower.iter().zip(&mistakes) {
                assert_eq!(line(lower), line(mistake).map(|line| line + 1), "{mistake}");
            }
        }
    }
}

fn line(mistake: &Mistake) -> Option<usize> {
    match mistake.origin() {
        Origin::File(name, line) if &**name == NAME => *line,
        _ => None,
    }
}
