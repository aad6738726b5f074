//! Lines of a page, within a width.
//!
//! Owns wrapping and colour. Must never let a text from outside act on a terminal.

use vestibule_race::report::{Ink, Style};

use crate::config::shown::fit;

/// What is wrapped further in the second line.
const HANGING: usize = 4;

/// A page that grows.
#[derive(Debug)]
pub(super) struct Page {
    style: Style,
    width: usize,
    text: String,
}

impl Page {
    /// An empty one; `width` in characters.
    pub(super) fn new(style: Style, width: usize) -> Self {
        Self { style, width: width.max(40), text: String::new() }
    }

    /// A heading, with an empty line before it.
    pub(super) fn heading(&mut self, text: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        let painted = self.style.paint(Ink::Strong, text);
        self.text.push_str(&painted);
        self.text.push('\n');
    }

    /// A line, `indent` characters in.
    pub(super) fn line(&mut self, indent: usize, text: &str) {
        self.wrapped(indent, None, text);
    }

    /// A line behind a mark in its colour.
    pub(super) fn marked(&mut self, ink: Ink, mark: &str, text: &str) {
        self.wrapped(2, Some((ink, mark)), text);
    }

    /// All of it.
    pub(super) fn finish(self) -> String {
        self.text
    }

    fn wrapped(&mut self, indent: usize, mark: Option<(Ink, &str)>, text: &str) {
        let text = fit(text);
        let text = if self.style.unicode { text } else { text.replace('×', "x") };
        self.text.push_str(&" ".repeat(indent));
        let mut used = indent;
        if let Some((ink, mark)) = mark {
            self.text.push_str(&self.style.paint(ink, mark));
            self.text.push(' ');
            used += mark.chars().count() + 1;
        }
        let hanging = used + HANGING;
        let mut is_first = true;
        for word in pieces(&text, self.width - hanging) {
            let length = word.chars().count();
            if !is_first && used + length > self.width {
                let kept = self.text.trim_end_matches(' ').len();
                self.text.truncate(kept);
                self.text.push('\n');
                self.text.push_str(&" ".repeat(hanging));
                used = hanging;
            }
            self.text.push_str(&word);
            used += length;
            is_first = false;
        }
        let kept = self.text.trim_end_matches(' ').len();
        self.text.truncate(kept);
        self.text.push('\n');
    }
}

/// Words with the blanks behind them; what is longer than `most` is cut into parts.
fn pieces(text: &str, most: usize) -> Vec<String> {
    let words = text.split_inclusive(' ');
    words
        .flat_map(|word| {
            let letters: Vec<char> = word.chars().collect();
            letters.chunks(most.max(1)).map(|part| part.iter().collect()).collect::<Vec<String>>()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    //! Breaks a narrow terminal with long words, and any with what it would obey.
    use super::*;

    #[test]
    fn a33_no_line_is_wider_than_the_terminal_and_none_acts_on_it() {
        let mut page = Page::new(Style::PLAIN, 40);
        page.heading("Checks");
        page.line(2, &"x".repeat(200));
        page.marked(Ink::Bad, "FAIL", &format!("db \u{1b}[2J{}", "word ".repeat(30)));
        let text = page.finish();
        assert!(text.lines().all(|line| line.chars().count() <= 40), "{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
        assert_eq!(text.matches('x').count(), 200);
    }
}
