//! What the user's screen can show.
//!
//! Owns the look of `race` and `demo`. Must never write: the session does.

use std::io::{self, IsTerminal as _};

use vestibule_race::report::Style;

/// How a report is drawn.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ScreenArgs {
    /// Draw with ASCII characters only
    #[arg(long)]
    ascii: bool,

    /// <https://no-color.org>
    #[arg(long, hide = true, env = "NO_COLOR", hide_env = true)]
    no_color: Option<String>,

    #[arg(long, hide = true, env = "TERM", hide_env = true)]
    term: Option<String>,

    /// The locale, from the variable that outranks the others (POSIX XBD 8.2)
    #[arg(long, hide = true, env = "LC_ALL", hide_env = true)]
    lc_all: Option<String>,

    #[arg(long, hide = true, env = "LC_CTYPE", hide_env = true)]
    lc_ctype: Option<String>,

    #[arg(long, hide = true, env = "LANG", hide_env = true)]
    lang: Option<String>,
}

/// The user's screen.
#[derive(Debug)]
pub(crate) struct Screen {
    /// How to draw on stdout.
    pub(crate) style: Style,
    /// Whether a line on stderr may be written over.
    pub(crate) live: bool,
}

impl Screen {
    /// Finds out what stdout and stderr are.
    pub(crate) fn detect(args: &ScreenArgs) -> Self {
        let dumb = args.term.as_deref() == Some("dumb");
        Self {
            style: style(args, io::stdout().is_terminal() && !dumb),
            live: io::stderr().is_terminal() && !dumb,
        }
    }
}

/// Colour only on a terminal and unless `NO_COLOR` is set and not empty; blocks unless a locale
/// says that they cannot be shown.
fn style(args: &ScreenArgs, terminal: bool) -> Style {
    let set = |value: &Option<String>| value.clone().filter(|value| !value.is_empty());
    let locale = set(&args.lc_all).or(set(&args.lc_ctype)).or(set(&args.lang));
    let utf8 = locale.is_none_or(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    });
    Style { colour: terminal && set(&args.no_color).is_none(), unicode: utf8 && !args.ascii }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args() -> ScreenArgs {
        ScreenArgs {
            ascii: false,
            no_color: None,
            term: None,
            lc_all: None,
            lc_ctype: None,
            lang: None,
        }
    }

    // Breaks each rule that decides how a page is drawn.
    #[test]
    fn colour_and_blocks_follow_the_screen() {
        assert_eq!(style(&args(), true), Style { colour: true, unicode: true });
        assert!(!style(&args(), false).colour);
        let no_color = |value: &str| ScreenArgs { no_color: Some(value.into()), ..args() };
        assert!(!style(&no_color("1"), true).colour);
        assert!(style(&no_color(""), true).colour);
        assert!(!style(&ScreenArgs { ascii: true, ..args() }, true).unicode);
        let lang = |value: &str| ScreenArgs { lang: Some(value.into()), ..args() };
        assert!(!style(&lang("C"), true).unicode);
        assert!(style(&lang("de_DE.UTF-8"), true).unicode);
        let outranked = ScreenArgs { lc_all: Some("POSIX".into()), ..lang("en_US.utf8") };
        assert!(!style(&outranked, true).unicode);
    }
}
