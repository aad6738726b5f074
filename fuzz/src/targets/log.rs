//! The two forms of a log line.
//!
//! Input: a text, which an event carries as its message and in its fields. Holds: whatever the
//! text, the line ends with its only line feed, has no other control byte and nothing that a
//! terminal or a reader's eye obeys; the JSON form is one JSON object, and its fields lose nothing.

use std::cell::RefCell;
use std::sync::LazyLock;

use serde_json::Value;
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Event, Metadata, Subscriber};
use vestibule_cli::log_form;

/// See the module's lines.
pub fn log(input: &[u8]) {
    let text = &*String::from_utf8_lossy(input);
    let lines = written(|| {
        tracing::info!(field = text, shown = %text, debug = ?text, trace = text, "{text}");
    });
    let [plain, json, traced] = &lines;
    for line in &lines {
        let inner = line.strip_suffix('\n').unwrap_or_default();
        assert!(!inner.is_empty() && !inner.contains(is_obeyed), "{line:?}");
    }
    assert!(plain.contains(" INFO "), "{plain:?}");
    for line in [json, traced] {
        let object: Value = serde_json::from_str(line).unwrap_or_default();
        assert!(object.is_object(), "{line}");
        assert_eq!(object["severity"], "INFO");
        for name in ["field", "shown"] {
            assert_eq!(object[name], text, "{line}");
        }
        assert!(object["message"] == text || text.contains(is_obeyed), "{line}");
    }
}

/// Whether a terminal, or a reader's eye, would be led by it: control characters (C0, DEL, C1),
/// line and paragraph separators, and those that turn the direction of writing (Unicode, UAX #9).
pub(super) fn is_obeyed(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}')
        || matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The event in text, in JSON, and in JSON for a named project.
fn written(emit: impl FnOnce()) -> [String; 3] {
    static WRITER: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(Writer));
    LINES.take();
    tracing::dispatcher::with_default(&WRITER, emit);
    LINES.take()
}

thread_local! {
    static LINES: RefCell<[String; 3]> = const { RefCell::new([const { String::new() }; 3]) };
}

/// Keeps what the last event of this thread looked like.
struct Writer;

impl Subscriber for Writer {
    fn enabled(&self, _metadata: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _span: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _span: &Id, _values: &Record<'_>) {}

    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}

    fn event(&self, event: &Event<'_>) {
        LINES.set([
            log_form::text(event),
            log_form::json(event, None),
            log_form::json(event, Some("project")),
        ]);
    }

    fn enter(&self, _span: &Id) {}

    fn exit(&self, _span: &Id) {}
}
