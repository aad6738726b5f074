//! What a terminal obeys in a text from outside.
//!
//! Owns telling such characters from all others. Must never cut a text or judge what it says.

/// Whether a terminal, or a reader's eye, would be led by it: control characters (C0, DEL, C1),
/// line and paragraph separators, and those that turn the direction of writing (Unicode, UAX #9).
pub fn is_obeyed(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{200e}'..='\u{200f}')
        || matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The character, or a mark in the place of one that is obeyed: a text from outside must not write on a screen or
/// forge a line.
pub fn visible(character: char) -> char {
    if is_obeyed(character) { char::REPLACEMENT_CHARACTER } else { character }
}
