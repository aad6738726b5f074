//! A panic, in a process of its own.
//!
//! Nothing makes the door panic that we know of. So this program starts itself again, with the door's own
//! way of telling, and panics there with what a request might have said.

use std::io::Write;
use std::process::Command;

use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};
use vestibule_cli::log_form;

use crate::ledger::Ledger;

const WORDS: &str = "VESTIBULE_TEST_PANICS_WITH";
const FORM: &str = "VESTIBULE_TEST_PANICS_IN";

/// Before the log begins, and in its two forms.
const FORMS: [(&str, &str); 3] =
    [("none", "error: panicked at "), ("text", "20"), ("json", "{\"at\":\"")];

#[test]
fn a32_a33_a_panic_is_told_in_one_line_without_data() {
    for (form, start) in FORMS {
        let ledger = Ledger::default();
        let secret = ledger.secret("a text that is cut amid a character");
        let own = std::env::current_exe().unwrap();
        let output = Command::new(own)
            .args(["--exact", "panics::this_process_panics", "--nocapture", "--test-threads=1"])
            .env(WORDS, format!("\u{e9}\u{1b}]0;{secret}\n\u{202e}"))
            .env(FORM, form)
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(said.lines().count(), 3, "{said}");
        assert!(said.lines().all(|line| line.starts_with(start)), "{said}");
        assert!(said.contains("secrets/panics.rs:") && said.contains("a word of ours"), "{said}");
        ledger.came_out("the panics", said);
        ledger.judge(&[]);
    }
}

/// The log's forms, without its queue.
struct Lines {
    json: bool,
}

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let line = if self.json { log_form::json(event, None) } else { log_form::text(event) };
        std::io::stderr().lock().write_all(line.as_bytes()).unwrap();
    }
}

/// Only when it is asked to.
#[test]
fn this_process_panics() {
    #[expect(clippy::disallowed_methods, reason = "how this program tells itself what to do")]
    let Ok(words) = std::env::var(WORDS) else { return };
    vestibule_cli::panics::tell();
    #[expect(clippy::disallowed_methods, reason = "how this program tells itself what to do")]
    let form = std::env::var(FORM).unwrap();
    if form != "none" {
        let subscriber = tracing_subscriber::registry().with(Lines { json: form == "json" });
        tracing::subscriber::set_global_default(subscriber).unwrap();
    }
    let panics: [fn(&str); 3] =
        [|data| _ = &data[1..], |data| panic!("{data}"), |_| panic!("a word of ours")];
    for panics in panics {
        let words = words.clone();
        std::thread::spawn(move || panics(&words)).join().unwrap_err();
    }
}
