//! What the user's screen can show.
//!
//! Owns the look of `race` and `demo`. Must never write: the session does.

use std::io::{self, IsTerminal as _};

use vestibule::environment::{EnvSource, Process};
use vestibule_race::report::Style;

/// How a report is drawn.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct ScreenArgs {
    /// Draw with ASCII characters only
    #[arg(long)]
    ascii: bool,
}

/// The user's screen.
#[derive(Debug)]
pub(crate) struct Screen {
    /// How to draw on stdout.
    pub(crate) style: Style,
    /// Whether a line on stderr may be written over.
    pub(crate) live: bool,
    /// Whether a page on stdout may be written over.
    pub(crate) repaints: bool,
}

impl Screen {
    /// Finds out what stdout and stderr are.
    pub(crate) fn detect(args: &ScreenArgs) -> Self {
        let dumb = is_dumb(&Process);
        Self {
            style: style(args.ascii, io::stdout().is_terminal(), &Process),
            live: io::stderr().is_terminal() && !dumb,
            repaints: io::stdout().is_terminal() && !dumb,
        }
    }
}

/// A terminal that can do nothing but print (terminfo(5)).
fn is_dumb(source: &dyn EnvSource) -> bool {
    source.get("TERM").as_deref() == Some("dumb")
}

/// Colour on a terminal that has it; NO_COLOR (<https://no-color.org>) forbids it, CLICOLOR_FORCE
/// (<https://bixense.com/clicolors>) asks for it anywhere. Blocks unless a locale, from the variable
/// that outranks the others (POSIX XBD 8.2), says that they cannot be shown.
fn style(ascii: bool, terminal: bool, source: &dyn EnvSource) -> Style {
    let set = |name: &str| source.get(name).filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set);
    let utf8 = locale.is_none_or(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    });
    let forced = set("CLICOLOR_FORCE").is_some_and(|value| value != "0");
    let colour = (forced || (terminal && !is_dumb(source))) && set("NO_COLOR").is_none();
    Style { colour, unicode: utf8 && !ascii }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    // Breaks each rule that decides how a page is drawn.
    #[test]
    fn colour_and_blocks_follow_the_screen() {
        let of = |terminal, set: &[(&'static str, &'static str)]| {
            style(false, terminal, &set.iter().copied().collect::<HashMap<_, _>>())
        };
        assert_eq!(of(true, &[]), Style { colour: true, unicode: true });
        assert!(!of(false, &[]).colour);
        assert!(!of(true, &[("NO_COLOR", "1")]).colour);
        assert!(of(true, &[("NO_COLOR", "")]).colour);
        assert!(!of(true, &[("TERM", "dumb")]).colour);
        assert!(of(false, &[("CLICOLOR_FORCE", "1")]).colour);
        assert!(!of(false, &[("CLICOLOR_FORCE", "0")]).colour);
        assert!(!of(true, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]).colour);
        assert!(!style(true, true, &HashMap::<&str, &str>::new()).unicode);
        assert!(!of(true, &[("LANG", "C")]).unicode);
        assert!(of(true, &[("LANG", "de_DE.UTF-8")]).unicode);
        assert!(!of(true, &[("LC_ALL", "POSIX"), ("LANG", "en_US.utf8")]).unicode);
    }
}
