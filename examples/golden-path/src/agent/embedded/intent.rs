//! What a user wants of the embedded model, by plain words.
//!
//! Owns that reading. Must never need a network, or luck.

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Intent {
    /// How the service is.
    State,
    /// Which threads there are.
    Threads,
    /// What was said about something.
    Search {
        /// About what.
        query: String,
    },
    /// What was said in this thread.
    Summary,
    /// What it can do.
    Help,
    /// Something else.
    Other,
}

/// Words that ask for what was said about something; what follows is searched.
const ABOUT: &[&str] = &[
    "search for ",
    "look for ",
    "find ",
    "search ",
    "said about ",
    "asked about ",
    "wrote about ",
    "say about ",
];

impl Intent {
    /// Reads a message.
    pub(super) fn of(text: &str) -> Self {
        let text = text.to_lowercase();
        let has = |words: &[&str]| {
            text.split(|c: char| !c.is_alphanumeric()).any(|word| words.contains(&word))
        };
        let about = ABOUT.iter().filter_map(|about| {
            let at = text.find(about)?;
            let is_word =
                text.get(..at).is_none_or(|before| !before.ends_with(char::is_alphanumeric));
            is_word.then(|| subject(text.get(at + about.len()..).unwrap_or_default()))
        });
        if let Some(query) = about.flatten().next() {
            return Self::Search { query };
        }
        if has(&["summarise", "summarize", "summary", "recap"]) {
            Self::Summary
        } else if has(&["help", "commands"]) || text.contains("what can you") {
            Self::Help
        } else if has(&[
            "ready", "state", "status", "health", "start", "started", "startup", "phases", "uptime",
        ]) {
            Self::State
        } else if has(&["threads", "chats", "conversations", "history"]) {
            Self::Threads
        } else {
            Self::Other
        }
    }

    /// What it is about to do, in a sentence.
    pub(super) const fn plan(&self) -> &'static str {
        match self {
            Self::State => "I ask the service how it is.",
            Self::Threads => "I look which threads you have.",
            Self::Search { .. } => "I search your own messages.",
            Self::Summary => "I read this thread again.",
            Self::Help => "I look at what I can see, to tell what I can do.",
            Self::Other => "I know no answer to this by heart, so I look at your threads.",
        }
    }
}

/// What is asked about: without the marks around it.
fn subject(text: &str) -> Option<String> {
    let marks = |c: char| c.is_whitespace() || matches!(c, '?' | '!' | '.' | '"' | '\'' | ',');
    let subject: String = text.trim_matches(marks).chars().take(200).collect();
    (!subject.is_empty()).then_some(subject)
}
