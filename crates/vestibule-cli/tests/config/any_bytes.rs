//! Breaks the file's reader with whatever bytes there are: it may refuse, and may not panic, take
//! long, or say anything that acts on a terminal.

use proptest::prelude::*;
use vestibule_cli::config::{Command, check};

/// Keys, values and scraps, so that some of what is made is nearly right.
const SCRAPS: [&str; 31] = [
    "[[check]]\n",
    "name",
    "url",
    "\"tcp://h:1\"\n",
    "\"${A\"",
    "timeout",
    "kind",
    "hold",
    "max_held",
    "trust_proxy",
    "command",
    "upstream",
    "ready",
    "[",
    "]",
    "[[",
    "{",
    "}",
    "=",
    "\n",
    "\"",
    "'''",
    "5s",
    "-1",
    "0x",
    "1e9",
    "true",
    ",",
    "#",
    "\\u001b",
    "\u{202e}",
];

fn is_told_decently(bytes: &[u8]) -> Result<(), TestCaseError> {
    for command in [Command::Run, Command::Serve] {
        for mistake in check(bytes, "a.toml", command).err().unwrap_or_default() {
            let told = mistake.to_string();
            prop_assert!(told.starts_with("a.toml"), "{told:?}");
            prop_assert!(!told.chars().any(|c| c.is_control() || c == '\u{202e}'), "{told:?}");
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_bytes_are_taken_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        is_told_decently(&bytes)?;
    }

    #[test]
    fn scraps_of_a_file_are_taken_or_refused(
        scraps in proptest::collection::vec(proptest::sample::select(&SCRAPS[..]), 0..40),
    ) {
        is_told_decently(scraps.concat().as_bytes())?;
    }
}

#[test]
fn deep_and_large_files_are_refused_and_harm_nobody() {
    for text in ["[".repeat(100_000), format!("a = {}", "[".repeat(100_000)), "a.".repeat(100_000)]
    {
        assert!(check(text.as_bytes(), "a.toml", Command::Run).is_err());
    }
    let large = vec![b'#'; 1024 * 1024 + 1];
    let mistakes = check(&large, "a.toml", Command::Run).unwrap_err();
    assert!(mistakes[0].to_string().contains("larger than"), "{}", mistakes[0]);
}

/// Would break if another program's file made a reload search for what each of its lines may have meant, or
/// made a log line of all of them.
#[test]
fn a_file_of_thousands_of_mistakes_is_refused_with_the_first_of_them() {
    let rows = ["name = 1\n".replace("name", "name#"), "no value\n".to_owned()];
    for row in rows {
        let text: String = (0..20_000).map(|n| row.replace('#', &n.to_string())).collect();
        let mistakes = check(text.as_bytes(), "a.toml", Command::Run).unwrap_err();
        assert_eq!(mistakes.len(), 51, "{row:?}");
        let told: Vec<_> = mistakes.iter().map(ToString::to_string).collect();
        assert!(told.iter().any(|told| told.contains("more than 50 mistakes")), "{told:?}");
    }
}
