//! A panic's last words.
//!
//! Owns telling of a defect of ours in the log's own form, on one line. Must never show what a
//! panic formatted, such as the text that was cut in the middle of a character or the `Err` that
//! nobody expected: that may be a request's.

use std::any::Any;
use std::io::Write;
use std::panic::PanicHookInfo;

use crate::config::shown::fit;
use crate::log;

/// How messages of the standard library begin that hold nothing but numbers.
const NUMBERS_ALONE: [&str; 4] = [
    "index out of bounds: the len is ",
    "range start index ",
    "range end index ",
    "slice index starts at ",
];
/// What is said instead of any other message that was formatted.
const NOT_SHOWN: &str = "(not shown: its words may hold data of a request)";

/// From now on panics are told here, and by nobody else.
pub fn tell() {
    std::panic::set_hook(Box::new(told));
}

fn told(info: &PanicHookInfo<'_>) {
    let at = info.location().map(|at| format!("{}:{}", at.file(), at.line())).unwrap_or_default();
    let words = words(info.payload());
    let thread = std::thread::current();
    let thread = thread.name().unwrap_or_default();
    if tracing::dispatcher::has_been_set() && thread != log::THREAD {
        tracing::error!(at, thread, words, "panicked: a defect of ours, please report it");
    } else {
        let line = fit(&format!("panicked at {at}: {words}: a defect of ours, please report it"));
        // There is nowhere to say that this failed.
        let _ = std::io::stderr().lock().write_all(format!("error: {line}\n").as_bytes());
    }
}

/// A message that the program was built with, or one of numbers.
fn words(payload: &dyn Any) -> &str {
    if let Some(constant) = payload.downcast_ref::<&'static str>() {
        return constant;
    }
    let formatted = payload.downcast_ref::<String>();
    let shown = formatted.filter(|text| NUMBERS_ALONE.iter().any(|start| text.starts_with(start)));
    shown.map_or(NOT_SHOWN, |text| text)
}

#[cfg(test)]
mod tests {
    //! Breaks it with panics that carry what a request said.
    use super::*;

    #[test]
    fn a32_a_panic_shows_no_data() {
        let caught = |panics: fn(&str)| {
            // Where a message begins does not depend on who prints it.
            std::panic::catch_unwind(move || panics(std::hint::black_box("é-canary"))).unwrap_err()
        };
        let said = |panics: fn(&str)| words(caught(panics).as_ref()).to_owned();
        assert_eq!(said(|_| panic!("a word of ours")), "a word of ours");
        assert_eq!(said(|data| panic!("{data}")), NOT_SHOWN);
        assert_eq!(said(|data| _ = &data[1..]), NOT_SHOWN);
        assert_eq!(
            said(|data| _ = String::from_utf8(data.as_bytes()[1..].to_vec()).unwrap()),
            NOT_SHOWN
        );
        let index = said(|data| _ = data.as_bytes()[data.len()]);
        assert_eq!(index, "index out of bounds: the len is 9 but the index is 9");
        let range = said(|data| _ = &data.as_bytes()[10..]);
        assert!(range.starts_with("range start index 10 out of range"), "{range}");
    }
}
