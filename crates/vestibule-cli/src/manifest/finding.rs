//! What a rule found.
//!
//! Owns what a rule is and what a finding carries. Must never decide anything.

use super::yaml::At;

/// How much it matters; the worst one is the exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// Worth knowing.
    Note,
    /// It will hurt somebody, some day.
    Warning,
    /// It does not work, or ends users' sockets.
    Error,
}

impl Severity {
    /// The word, the same in texts and in SARIF ("level").
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Where a rule's numbers come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) url: &'static str,
    /// It was read there, or in our own code; else recalled and to be confirmed.
    pub(crate) is_read: bool,
}

/// One rule.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    /// `VM` and a number that never changes its meaning.
    pub(crate) id: &'static str,
    /// The worst that it says.
    pub(crate) severity: Severity,
    pub(crate) title: &'static str,
    /// What happens to whom.
    pub(crate) reason: &'static str,
    /// Lines that mend it.
    pub(crate) fix: &'static str,
    pub(crate) source: Source,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) rule: &'static Rule,
    pub(crate) severity: Severity,
    pub(crate) at: At,
    /// What stands there, or is missing.
    pub(crate) what: String,
    /// Lines that mend it here.
    pub(crate) fix: String,
}

/// Findings as they come.
#[derive(Debug, Default)]
pub(crate) struct Findings(pub(crate) Vec<Finding>);

impl Findings {
    /// Adds what a rule says, with the rule's own severity and fix; the answer can be changed.
    pub(crate) fn add(
        &mut self,
        rule: &'static Rule,
        at: At,
        what: impl Into<String>,
    ) -> &mut Finding {
        let (severity, fix) = (rule.severity, rule.fix.to_owned());
        self.0.push(Finding { rule, severity, at, what: what.into(), fix });
        let last = self.0.len() - 1;
        &mut self.0[last]
    }
}

impl Finding {
    /// The same, less grave.
    pub(crate) const fn only(&mut self, severity: Severity) -> &mut Self {
        self.severity = severity;
        self
    }

    /// The same with other lines.
    pub(crate) fn mended_by(&mut self, fix: impl Into<String>) -> &mut Self {
        self.fix = fix.into();
        self
    }
}
