//! The two forms of a log line.
//!
//! Owns text for people and JSON for Cloud Logging. Must never let a control character through.

use std::fmt::{self, Write};
use std::time::SystemTime;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Level};
use vestibule_front::terminal::{is_obeyed, visible};

/// `2026-11-23T14:00:00.123Z INFO  ready after_ms=612 held=200`, and a newline.
pub fn text(event: &Event<'_>) -> String {
    let fields = Fields::of(event);
    let mut line = format!("{} {:5} {}", now(), event.metadata().level(), fields.message);
    for (name, value) in &fields.rest {
        let shown = match value {
            Value::String(text) if text.contains([' ', '"', '=']) || text.is_empty() => {
                format!("{text:?}")
            }
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let _ = write!(line, " {name}={shown}");
    }
    clean(&line) + "\n"
}

/// One JSON object with the fields that Cloud Logging reads
/// (<https://cloud.google.com/logging/docs/structured-logging>), and a newline.
pub fn json(event: &Event<'_>, project: Option<&str>) -> String {
    let fields = Fields::of(event);
    let mut object = Map::new();
    object.insert("severity".into(), severity(*event.metadata().level()).into());
    object.insert("time".into(), now().into());
    object.insert("message".into(), clean(&fields.message).into());
    for (name, value) in fields.rest {
        match (name.as_str(), project) {
            ("trace", Some(project)) => {
                let trace = value.as_str().unwrap_or_default();
                let full = format!("projects/{project}/traces/{trace}");
                object.insert("logging.googleapis.com/trace".into(), full.into());
            }
            ("span", _) => {
                object.insert("logging.googleapis.com/spanId".into(), value);
            }
            ("sampled", _) => {
                object.insert("logging.googleapis.com/trace_sampled".into(), value);
            }
            _ => {
                object.insert(name, value);
            }
        }
    }
    escape(&Value::Object(object).to_string()) + "\n"
}

/// The line that says how many others were not written.
pub(crate) fn lost(count: u64, json: bool) -> String {
    if json {
        let time = now();
        format!(
            "{{\"severity\":\"WARNING\",\"time\":\"{time}\",\"message\":\"log lines dropped\",\"count\":{count}}}\n"
        )
    } else {
        format!("{} WARN  log lines dropped count={count}\n", now())
    }
}

/// Log levels as Cloud Logging names them.
fn severity(level: Level) -> &'static str {
    match level {
        Level::ERROR => "ERROR",
        Level::WARN => "WARNING",
        Level::INFO => "INFO",
        _ => "DEBUG",
    }
}

#[expect(clippy::disallowed_methods, reason = "the time of a log line is the wall clock's")]
fn now() -> String {
    let now = jiff::Timestamp::try_from(SystemTime::now()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    format!("{now:.3}")
}

/// What a terminal obeys, and what turns text around, would let bytes from outside write on a
/// screen or forge a line.
fn clean(text: &str) -> String {
    text.chars().map(visible).collect()
}

/// The same for JSON, where nothing is lost: RFC 8259 section 7 makes a writer escape C0 alone.
/// Outside of strings a document of ours has no such character, and all of them are in the
/// first plane.
fn escape(document: &str) -> String {
    let mut escaped = String::with_capacity(document.len());
    for c in document.chars() {
        if is_obeyed(c) {
            let _ = write!(escaped, "\\u{:04x}", u32::from(c));
        } else {
            escaped.push(c);
        }
    }
    escaped
}

#[derive(Default)]
struct Fields {
    message: String,
    rest: Vec<(String, Value)>,
}

impl Fields {
    fn of(event: &Event<'_>) -> Self {
        let mut fields = Self::default();
        event.record(&mut fields);
        fields
    }

    fn take(&mut self, field: &Field, value: Value) {
        match (field.name(), value) {
            ("message", Value::String(text)) => self.message = text,
            (name, value) => self.rest.push((name.into(), value)),
        }
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.take(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.take(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.take(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.take(field, value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.take(field, format!("{value:?}").into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A33: what came from outside never moves a terminal's cursor or begins a line of its own.
    #[test]
    fn a33_no_control_character_leaves_the_log() {
        for bad in
            ["a\nb", "a\r\nb", "\u{1b}[2J", "\u{9b}31m", "\u{202e}abc", "\u{2028}", "\u{61c}", "\0"]
        {
            assert!(!clean(bad).contains(is_obeyed), "{bad:?}");
            let json = escape(&Value::from(bad).to_string());
            assert!(!json.contains(is_obeyed), "{bad:?}");
            assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), bad);
        }
        assert_eq!((clean("größer ✓"), escape("größer ✓")), ("größer ✓".into(), "größer ✓".into()));
    }
}
