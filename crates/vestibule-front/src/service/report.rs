//! What a service says of its own start.
//!
//! Owns the reading of it, from a status line or from a body. Must never believe a word of it: who sent it is
//! judged elsewhere, and what follows from it, too.

use serde_json::Value;

use crate::admin::shown::shown;

/// Longest name of a phase that is looked up.
const NAME_MAX: usize = 64;

/// One report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// It goes on to the phase of this name, which may be no phase at all.
    Phase(String),
    /// Its start failed, for this reason: one short line, fit to be shown.
    Failed(String),
}

/// Why a report changed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// The list has no such phase.
    #[error("it is not in the list of phases")]
    Unknown,
    /// Phases only go forward.
    #[error("it lies behind, and phases only go forward")]
    Behind,
    /// The start has failed, and a failure latches.
    #[error("the start has failed; a new one begins with its first phase")]
    Latched,
    /// There is no start that could fail.
    #[error("the start is over")]
    Over,
}

impl NotTaken {
    /// The word in answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown_phase",
            Self::Behind => "behind",
            Self::Latched => "failed",
            Self::Over => "over",
        }
    }
}

impl Report {
    /// Reads a status line (`STATUS=` of sd_notify(3)): `phase: database`, `failed: no licence`. The key's case and
    /// white space around name and key do not matter. `None` for all other lines.
    pub fn of_status(status: &str) -> Option<Self> {
        let (key, value) = status.split_once(':')?;
        match key.trim() {
            key if key.eq_ignore_ascii_case("phase") => Self::phase(value),
            key if key.eq_ignore_ascii_case("failed") => Some(Self::failed(value)),
            _ => None,
        }
    }

    /// Reads a body: a phase's name, or one JSON object, `{"phase": "database"}` or `{"failed": "no licence"}`.
    pub fn of_body(body: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(body).ok()?.trim();
        if !text.starts_with('{') {
            return Self::phase(text);
        }
        let Ok(Value::Object(said)) = serde_json::from_str(text) else { return None };
        match (said.get("phase"), said.get("failed")) {
            (Some(Value::String(name)), None) => Self::phase(name),
            (None, Some(Value::String(reason))) => Some(Self::failed(reason)),
            _ => None,
        }
    }

    /// A name is one word.
    fn phase(name: &str) -> Option<Self> {
        let name = name.trim();
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
        let fits = !name.is_empty() && name.chars().count() <= NAME_MAX;
        (fits && name.chars().all(is_name)).then(|| Self::Phase(name.to_owned()))
    }

    fn failed(reason: &str) -> Self {
        let reason = shown(reason.trim());
        Self::Failed(if reason.is_empty() { "no reason given".to_owned() } else { reason })
    }
}

#[cfg(test)]
mod tests {
    //! Tries to be a report without being one, and to carry what must not be shown.

    use proptest::prelude::*;

    use super::*;
    use crate::terminal::is_obeyed;

    fn phase(name: &str) -> Option<Report> {
        Some(Report::Phase(name.to_owned()))
    }

    fn failed(reason: &str) -> Option<Report> {
        Some(Report::Failed(reason.to_owned()))
    }

    #[test]
    fn a_status_is_a_report_or_a_status() {
        let rows = [
            ("phase: database", phase("database")),
            ("phase:database", phase("database")),
            ("  Phase \u{a0}:   database  ", phase("database")),
            ("PHASE: load-models.2_b", phase("load-models.2_b")),
            ("phase: data base", None),
            ("phase:", None),
            ("phase database", None),
            ("phases: database", None),
            ("database", None),
            ("phase: a/b", None),
            ("failed: no licence", failed("no licence")),
            ("Failed :no licence", failed("no licence")),
            ("failed:", failed("no reason given")),
            ("failed: postgres://me:pw@db/app?x=pw is gone", failed("postgres://db/app is gone")),
            ("failed to load: x", None),
        ];
        for (status, wanted) in rows {
            assert_eq!(Report::of_status(status), wanted, "{status}");
        }
    }

    #[test]
    fn a_body_is_a_name_or_one_object_with_one_meaning() {
        let rows = [
            ("database", phase("database")),
            ("database\n", phase("database")),
            ("{\"phase\":\"database\"}", phase("database")),
            (" {\"phase\": \" cache \", \"more\": 1}", phase("cache")),
            ("{\"failed\":\"no licence\"}", failed("no licence")),
            ("{\"phase\":\"a\",\"failed\":\"b\"}", None),
            ("{\"phase\":1}", None),
            ("{}", None),
            ("{", None),
            ("[\"database\"]", None),
            ("\"database\"", None),
            ("", None),
        ];
        for (body, wanted) in rows {
            assert_eq!(Report::of_body(body.as_bytes()), wanted, "{body}");
        }
        assert_eq!(Report::of_body(b"\xff"), None);
        assert_eq!(Report::of_body("a".repeat(65).as_bytes()), None);
    }

    proptest! {
        #[test]
        fn a33_any_bytes_give_a_short_and_harmless_report(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let said = [Report::of_body(&bytes), Report::of_status(&text), Report::of_status(&format!("failed:{text}"))];
            for report in said.into_iter().flatten() {
                let (Report::Phase(words) | Report::Failed(words)) = report;
                prop_assert!(words.chars().count() <= 256 && !words.chars().any(is_obeyed));
            }
        }
    }
}
