//! What was put in, what came out, and the judgement on both.
//!
//! Owns the canaries. Must never let an output pass that was not looked at for all of them.

use std::sync::Mutex;

use crate::wicked::is_wicked;

/// So much of a canary gives it away: outputs cut what is long.
const GIVEN_AWAY_BY: usize = 12;

/// The canaries of one test, each with the place where it was put in.
#[derive(Default)]
pub(crate) struct Ledger {
    canaries: Mutex<Vec<(String, String)>>,
    outputs: Mutex<Vec<Output>>,
}

struct Output {
    name: String,
    text: String,
}

/// One canary that may be seen in one kind of output.
pub(crate) struct Allowed {
    /// How the place's name begins.
    pub(crate) place: &'static str,
    /// How the output's name begins.
    pub(crate) output: &'static str,
    /// Why this is right.
    pub(crate) because: &'static str,
}

impl Ledger {
    /// A new secret for this place. Letters and digits alone, so that it may stand anywhere.
    pub(crate) fn secret(&self, place: &str) -> String {
        self.known(place, format!("cn{:016x}", fastrand::u64(..)))
    }

    /// The same in the form that a trace identifier has.
    pub(crate) fn trace_id(&self, place: &str) -> String {
        self.known(place, format!("{:032x}", fastrand::u128(1 << 120..)))
    }

    /// A secret that has a form of its own.
    pub(crate) fn known(&self, place: &str, secret: String) -> String {
        let mut canaries = self.canaries.lock().unwrap();
        assert!(canaries.iter().all(|(known, _)| known != place), "twice: {place}");
        canaries.push((place.to_owned(), secret.clone()));
        secret
    }

    /// Something came out.
    pub(crate) fn came_out(&self, name: &str, text: impl Into<String>) {
        self.outputs.lock().unwrap().push(Output { name: name.to_owned(), text: text.into() });
    }

    /// Fails for every canary that came out without leave, for every character that acts on a terminal,
    /// and for leave that nothing needed.
    pub(crate) fn judge(&self, allowed: &[Allowed]) {
        let (canaries, outputs) = (self.canaries.lock().unwrap(), self.outputs.lock().unwrap());
        assert!(!canaries.is_empty() && outputs.iter().any(|output| !output.text.is_empty()));
        let mut leaks = Vec::new();
        let mut used = vec![false; allowed.len()];
        for output in outputs.iter() {
            let lower = output.text.to_ascii_lowercase();
            for (place, canary) in canaries.iter() {
                let clue = &canary.to_ascii_lowercase()[..GIVEN_AWAY_BY];
                if !lower.contains(clue) {
                    continue;
                }
                let leave = allowed.iter().position(|allowed| {
                    place.starts_with(allowed.place) && output.name.starts_with(allowed.output)
                });
                match leave {
                    Some(at) => used[at] = true,
                    None => leaks.push(format!(
                        "{place}, in {}: {}",
                        output.name,
                        line_of(&lower, clue)
                    )),
                }
            }
            if let Some(line) = output.text.split('\n').find(|line| line.contains(is_wicked)) {
                leaks.push(format!("a control character, in {}: {line:?}", output.name));
            }
        }
        assert!(leaks.is_empty(), "{} leaks:\n{}", leaks.len(), leaks.join("\n"));
        for (allowed, used) in allowed.iter().zip(used) {
            let Allowed { place, output, because } = allowed;
            assert!(used, "never seen: {place} in {output}, allowed because {because}");
        }
    }
}

fn line_of<'t>(text: &'t str, clue: &str) -> &'t str {
    text.lines().find(|line| line.contains(clue)).unwrap_or(text)
}

/// The proof proves nothing if it finds nothing.
#[test]
fn the_ledger_sees_what_leaks() {
    let fails = |text: fn(&str) -> String, allowed: &'static [Allowed]| {
        let ledger = Ledger::default();
        let secret = ledger.secret("a cookie");
        ledger.came_out("the log", text(&secret));
        std::panic::catch_unwind(move || ledger.judge(allowed)).is_err()
    };
    let leave = &[Allowed { place: "a cookie", output: "the log", because: "of this test" }];
    assert!(fails(|secret| format!("x {secret}"), &[]));
    assert!(fails(|secret| secret.to_ascii_uppercase(), &[]));
    assert!(fails(|secret| secret[..GIVEN_AWAY_BY].to_owned(), &[]));
    for control in ["\r", "\0", "\u{1b}", "\u{9b}", "\u{202e}", "\u{2028}"] {
        let ledger = Ledger::default();
        ledger.secret("anything");
        ledger.came_out("the log", format!("a{control}b"));
        assert!(std::panic::catch_unwind(move || ledger.judge(&[])).is_err(), "{control:?}");
    }
    assert!(!fails(|_| "a line\nand one more\n".to_owned(), &[]));
    assert!(!fails(str::to_owned, leave));
    assert!(fails(|_| "a line".to_owned(), leave), "an entry that nothing needs");
}
