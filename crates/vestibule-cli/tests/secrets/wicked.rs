//! What acts on a terminal or on a reader's eye.
//!
//! Owns the sequences that are put in, and the characters that may not come out. The latter are listed
//! here anew, so that a hole in the door's own list is seen.

/// Sequences to be put around a canary: clear the screen, name the window, a C1 introducer, text turned
/// around, a line of one's own, the end of a string.
pub(crate) const WICKED: [&str; 9] = [
    "\u{1b}[2J",
    "\u{1b}]0;",
    "\u{7}",
    "\u{9b}31m",
    "\u{9d}0;",
    "\u{202e}",
    "\u{2066}\u{2028}",
    "\r\n2026-01-01T00:00:00Z ERROR forged ",
    "\0",
];

/// Whether this may not stand in any text of ours.
pub(crate) fn is_wicked(c: char) -> bool {
    let is_control = c != '\n' && (c < ' ' || ('\u{7f}'..='\u{9f}').contains(&c));
    let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    is_control || turns || matches!(c, '\u{2028}' | '\u{2029}')
}
