//! What is known of a build: the commit, the compiler, the machine.
//!
//! Owns finding it out. Must never fail because there is no repository or no git, and never note a
//! time: the same sources make the same program.
#![expect(clippy::disallowed_methods, reason = "cargo speaks to the build script by variables")]

use std::env;
use std::path::Path;
use std::process::Command;

/// Digits of a commit: enough for any repository of this size, and what git shows by default there.
const COMMIT_DIGITS: &str = "12";
/// Names the commit where sources are built without their repository, as in an image. None of our
/// variables begin with `VESTIBULE_` here: at run time that is a setting's.
const COMMIT: &str = "SOURCE_COMMIT";

fn main() {
    println!("cargo::rerun-if-env-changed={COMMIT}");
    println!("cargo::rerun-if-changed=build.rs");
    let commit = commit().or_else(|| env::var(COMMIT).ok()).unwrap_or_default();
    println!("cargo::rustc-env=BUILD_COMMIT={commit}");
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    let rustc = said(Command::new(rustc).arg("--version")).unwrap_or_default();
    println!("cargo::rustc-env=BUILD_RUSTC={rustc}");
    for name in ["TARGET", "PROFILE"] {
        let value = env::var(name).unwrap_or_default();
        println!("cargo::rustc-env=BUILD_{name}={value}");
    }
    println!("cargo::rustc-env=BUILD_FEATURES={}", features().join(" "));
}

/// The commit of our own repository: sources unpacked inside another one have none.
fn commit() -> Option<String> {
    let git = |args: &[&str]| said(Command::new("git").args(args));
    let root = git(&["rev-parse", "--show-toplevel"])?;
    let own = Path::new(&env::var("CARGO_MANIFEST_DIR").ok()?).canonicalize().ok()?;
    if Path::new(&root).canonicalize().ok()?.join("crates/vestibule-cli") != own {
        return None;
    }
    // Written whenever HEAD comes to stand elsewhere.
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"])
        && Path::new(&log).exists()
    {
        println!("cargo::rerun-if-changed={log}");
    }
    git(&["rev-parse", &format!("--short={COMMIT_DIGITS}"), "HEAD"])
}

/// The features of this crate, sorted: cargo gives them as variables.
fn features() -> Vec<String> {
    let mut features: Vec<String> = env::vars()
        .filter_map(|(name, _)| name.strip_prefix("CARGO_FEATURE_").map(str::to_lowercase))
        .map(|name| name.replace('_', "-"))
        .collect();
    features.sort();
    features
}

/// One line of a command's stdout, if it succeeds.
fn said(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    let line = text.trim();
    (!line.is_empty() && !line.contains('\n')).then(|| line.to_owned())
}
