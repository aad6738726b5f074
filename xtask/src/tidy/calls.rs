//! Calls that belong in one room, or nowhere.
//!
//! Owns the table of them, each with its reason and what to write instead. `clippy.toml` bans
//! some of the same by type; this table also knows rooms, and cannot be silenced line by line.

use crate::tidy::Violation;
use crate::tidy::rust_text::RustText;

/// Where a rule holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    Everywhere,
    OutsideTests,
    InTests,
}

struct Ban {
    call: &'static str,
    holds: Holds,
    /// Paths that start so may.
    rooms: &'static [&'static str],
    instead: &'static str,
}

/// The rooms where tasks are born: each owns the end of those it starts.
const SPAWNING_ROOMS: &[&str] = &[
    "crates/vestibule/src/validation",
    "crates/vestibule/src/door.rs",
    "crates/vestibule-front/src/",
    "crates/vestibule-race/src/",
    "crates/vestibule-cli/src/commands",
    "examples/",
    "bench/",
];

/// How far above a pause its loop may start.
const POLL_LINES_MAX: usize = 8;

const BANS: &[Ban] = &[
    Ban {
        call: "env::var",
        holds: Holds::OutsideTests,
        rooms: &[
            "crates/vestibule/src/environment/source.rs",
            "crates/vestibule-cli/build.rs",
            "crates/vestibule-cli/src/settings",
            "examples/slow-backends/axum/src/settings.rs",
        ],
        instead: "only environment/source.rs and settings.rs read the world: take a value, or an EnvSource",
    },
    Ban {
        call: "env::set_var",
        holds: Holds::Everywhere,
        rooms: &[],
        instead: "tests share one process: use a map as EnvSource, or set it on the child's Command",
    },
    Ban {
        call: "tokio::spawn(",
        holds: Holds::OutsideTests,
        rooms: SPAWNING_ROOMS,
        instead: "a task must have an owner that ends it: spawn in a room of the front, the race or a command",
    },
    Ban {
        call: ".unwrap()",
        holds: Holds::OutsideTests,
        rooms: &[],
        instead: "return the error, or make the impossible case impossible by type",
    },
    Ban {
        call: ".expect(",
        holds: Holds::OutsideTests,
        rooms: &[],
        instead: "return the error, or make the impossible case impossible by type",
    },
    Ban {
        call: "panic!(",
        holds: Holds::OutsideTests,
        rooms: &[],
        instead: "a panic ends a connection without its answer: return an error",
    },
    Ban {
        call: "println!(",
        holds: Holds::OutsideTests,
        rooms: &["crates/vestibule-cli/", "xtask/", "examples/", "bench/"],
        instead: "only the CLI prints: log with tracing, or return the text",
    },
    Ban {
        call: "thread::sleep",
        holds: Holds::Everywhere,
        rooms: &["xtask/", "bench/"],
        instead: "it blocks a runtime's thread: await a tokio timer, or wait for the event itself",
    },
    Ban {
        call: "sleep(",
        holds: Holds::InTests,
        rooms: &[],
        instead: "sleep-and-hope: pause the clock (start_paused), or look for the condition in a bounded loop",
    },
    Ban {
        call: "#[ignore",
        holds: Holds::Everywhere,
        rooms: &[],
        instead: "a test that does not run proves nothing: fix it, or move it to `cargo xtask nightly`",
    },
    Ban {
        call: "todo!(",
        holds: Holds::Everywhere,
        rooms: &[],
        instead: "finish it, or leave it out",
    },
    Ban {
        call: "unimplemented!(",
        holds: Holds::Everywhere,
        rooms: &[],
        instead: "finish it, or leave it out",
    },
    Ban {
        call: "unsafe ",
        holds: Holds::Everywhere,
        rooms: &["crates/vestibule-front/src/process"],
        instead: "only the process room talks to the system so: ask it, or use rustix",
    },
];

pub(super) fn check(rust: &RustText) -> Vec<Violation> {
    // A paused clock makes a sleep exact.
    let is_paused = rust.code.iter().any(|line| line.contains("start_paused = true"));
    let mut found = Vec::new();
    for ban in BANS.iter().filter(|ban| !ban.rooms.iter().any(|room| rust.path.starts_with(room))) {
        for (line, code, in_test) in rust.code_lines() {
            let holds = match ban.holds {
                Holds::Everywhere => true,
                Holds::OutsideTests => !in_test,
                Holds::InTests => in_test && !is_paused,
            };
            let is_poll = ban.holds == Holds::InTests && is_in_loop(&rust.code[..line]);
            if holds && !is_poll && contains_call(code, ban.call) {
                let message = format!("`{}`: {}", ban.call.trim(), ban.instead);
                found.push(Violation::new(rust.path, line, message));
            }
        }
    }
    found
}

/// Whether a loop starts shortly above: a pause between two looks is no hope.
fn is_in_loop(code_to_here: &[String]) -> bool {
    let above = code_to_here.iter().rev().take(POLL_LINES_MAX);
    above
        .map(|line| line.trim_start())
        .any(|line| line.starts_with("for ") || line.starts_with("while "))
}

/// As a word of its own: `sleep(` is not in `oversleep(`.
fn contains_call(code: &str, call: &str) -> bool {
    code.match_indices(call).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        !call.starts_with(char::is_alphabetic)
            || !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::{BANS, Holds, check};
    use crate::tidy::rust_text::RustText;

    fn found(path: &str, text: &str) -> Vec<usize> {
        check(&RustText::new(path, text)).into_iter().map(|violation| violation.line).collect()
    }

    #[test]
    fn every_ban_finds_its_call() {
        for ban in BANS {
            let path = if ban.holds == Holds::InTests {
                "crates/x/tests/a.rs"
            } else {
                "crates/x/src/a.rs"
            };
            assert!(
                !found(path, &format!("//! A.\n    {}x);\n", ban.call)).is_empty(),
                "{}",
                ban.call
            );
        }
    }

    #[test]
    fn rooms_tests_comments_and_literals_are_free() {
        let call = "    std::env::var(\"A\");\n";
        assert_eq!(found("crates/vestibule/src/gate.rs", call), [1]);
        for (path, text) in [
            ("crates/vestibule/src/environment/source.rs", call),
            ("crates/x/src/a.rs", "// .unwrap()\nlet a = \".unwrap()\";\n"),
            ("crates/x/src/a.rs", "#[cfg(test)]\nmod tests {\n    a.unwrap();\n}\n"),
        ] {
            assert!(found(path, text).is_empty(), "{text}");
        }
    }

    #[test]
    fn a_test_may_sleep_only_on_a_paused_clock_or_between_looks() {
        let sleep = "    tokio::time::sleep(LONG).await;\n";
        assert_eq!(found("crates/x/tests/a.rs", sleep), [1]);
        assert!(
            found("crates/x/tests/a.rs", &format!("#[tokio::test(start_paused = true)]\n{sleep}"))
                .is_empty()
        );
        assert!(found("crates/x/tests/a.rs", &format!("for _ in 0..100 {{\n{sleep}")).is_empty());
        assert!(found("crates/x/src/a.rs", sleep).is_empty());
    }
}
