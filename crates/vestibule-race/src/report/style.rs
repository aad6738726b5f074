//! How text is drawn: with or without colour, with blocks or with plain characters.
//!
//! Owns the escape codes and the glyphs. Whether a terminal is there is the caller's to know.

/// What the reader's screen can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether escape codes may be written.
    pub colour: bool,
    /// Whether block characters may be written; otherwise ASCII only.
    pub unicode: bool,
}

/// What a piece of text means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// It went well.
    Good,
    /// It went wrong.
    Bad,
    /// It is not decided, or deserves a look.
    Waiting,
    /// A heading.
    Strong,
    /// Of less weight.
    Faint,
}

impl Style {
    /// No colour, ASCII only: for logs and for tests.
    pub const PLAIN: Self = Self { colour: false, unicode: false };

    /// `text` in the colour of its meaning.
    #[must_use]
    pub fn paint(self, ink: Ink, text: &str) -> String {
        if !self.colour || text.is_empty() {
            return text.to_owned();
        }
        // ECMA-48 select graphic rendition.
        let code = match ink {
            Ink::Good => 32,
            Ink::Bad => 31,
            Ink::Waiting => 33,
            Ink::Strong => 1,
            Ink::Faint => 2,
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }

    /// A cell filled to `part` of `whole`: blank only for none, full only for all.
    pub(crate) fn cell(self, part: usize, whole: usize) -> char {
        let levels: &[char] = if self.unicode {
            &['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█']
        } else {
            &['.', ':', '+', '#']
        };
        if part == 0 || whole == 0 {
            return ' ';
        }
        levels[(part * levels.len() / whole).clamp(1, levels.len()) - 1]
    }

    /// Start, tick and stretch of an axis.
    pub(crate) fn axis(self) -> [char; 3] {
        if self.unicode { ['├', '┼', '─'] } else { ['|', '|', '-'] }
    }

    /// A rule under a table.
    pub(crate) fn rule(self) -> char {
        if self.unicode { '─' } else { '-' }
    }

    /// A mark that points up.
    pub(crate) fn mark(self) -> char {
        if self.unicode { '▲' } else { '^' }
    }

    /// Before a line that says how it went.
    #[must_use]
    pub const fn verdict(self, good: bool) -> &'static str {
        match (self.unicode, good) {
            (true, true) => "✔",
            (true, false) => "✘",
            (false, true) => "PASS",
            (false, false) => "FAIL",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Breaks the scale at both ends, where a lost client must never vanish.
    #[test]
    fn a_cell_is_blank_for_none_and_full_for_all() {
        for unicode in [true, false] {
            let style = Style { colour: false, unicode };
            let full = if unicode { '█' } else { '#' };
            assert_eq!(style.cell(0, 200), ' ');
            assert_ne!(style.cell(1, 200), ' ');
            assert_ne!(style.cell(199, 200), full);
            assert_eq!(style.cell(200, 200), full);
            assert_eq!(style.cell(0, 0), ' ');
        }
    }

    #[test]
    fn without_colour_no_escape_code_is_written() {
        assert_eq!(Style::PLAIN.paint(Ink::Bad, "lost"), "lost");
        let colour = Style { colour: true, unicode: true };
        assert_eq!(colour.paint(Ink::Bad, "lost"), "\x1b[31mlost\x1b[0m");
        assert_eq!(colour.paint(Ink::Bad, ""), "");
    }
}
