//! What is too slow for the test command.
//!
//! Owns the list: each chore is a command line. One that fails does not keep the next from
//! running. Must never hold what users are promised: that is in `./test`.

use std::path::Path;
use std::process::Command;

struct Chore {
    name: &'static str,
    environment: &'static [(&'static str, &'static str)],
    /// Run by the shell, from the repository's root.
    script: &'static str,
}

const CHORES: &[Chore] = &[
    Chore {
        name: "dependencies: licences, bans, sources",
        environment: &[],
        // Minutes to build: the reason why the test command only reads the licences itself.
        script: "command -v cargo-deny >/dev/null || cargo install --locked cargo-deny@0.20.2; \
                 cargo deny check licenses bans sources",
    },
    Chore {
        name: "property tests, many more cases",
        environment: &[("PROPTEST_CASES", "20000")],
        script: "cargo test --workspace",
    },
    Chore {
        name: "the parsers under libFuzzer, ten minutes each",
        environment: &[],
        script: "cargo xtask fuzz",
    },
    Chore {
        name: "SIGTERM at 200 random moments of a cold start",
        environment: &[("VESTIBULE_TEST_ROUNDS", "200")],
        script: "cargo test -p vestibule-cli --test e2e random_moments",
    },
    Chore {
        name: "the full matrix: 7,200 clients",
        environment: &[],
        script: "cargo build --release --workspace && cargo xtask matrix --release",
    },
];

/// Runs every chore.
///
/// # Errors
/// The names of those that failed.
pub(crate) fn run(root: &Path) -> Result<String, String> {
    let mut failed = Vec::new();
    for chore in CHORES {
        announce(chore.name);
        let status = Command::new("sh")
            .args(["-ec", chore.script])
            .envs(chore.environment.iter().copied())
            .current_dir(root)
            .status();
        if !status.is_ok_and(|status| status.success()) {
            failed.push(chore.name);
        }
    }
    if failed.is_empty() {
        Ok(format!("nightly: {} chores passed", CHORES.len()))
    } else {
        Err(format!("nightly: failed: {}", failed.join("; ")))
    }
}

#[expect(clippy::print_stdout, reason = "a chore talks to whoever ran it")]
fn announce(name: &str) {
    println!("\n== {name}");
}
