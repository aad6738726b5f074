//! Every crate that we build has a licence from `deny.toml`, and comes from the one registry.
//!
//! `cargo deny` says the same and more, but takes minutes to install: it runs nightly, this with
//! every test. Both read the same list.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::tidy::Violation;

/// What Cargo calls its own registry.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// `deny.toml` names the platforms too; one is enough to know the crates that we build here.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";

/// Asks Cargo what is built, and judges each package.
///
/// # Errors
/// Cargo could not be asked, or its answer could not be read.
pub(super) fn check(root: &Path, deny: &str) -> Result<Vec<Violation>, String> {
    let cargo = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--locked", "--filter-platform", PLATFORM])
        .current_dir(root)
        .output()
        .map_err(|error| format!("cargo metadata: {error}"))?;
    if !cargo.status.success() {
        return Err(format!("cargo metadata: {}", String::from_utf8_lossy(&cargo.stderr)));
    }
    let metadata: Value = serde_json::from_slice(&cargo.stdout)
        .map_err(|error| format!("cargo metadata: {error}"))?;
    Ok(judge(&metadata, &allowed(deny)))
}

fn judge(metadata: &Value, allowed: &[&str]) -> Vec<Violation> {
    let used = metadata["resolve"]["nodes"].as_array().into_iter().flatten();
    let used: Vec<&str> = used.filter_map(|node| node["id"].as_str()).collect();
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let mut found = Vec::new();
    for package in packages.filter(|package| used.iter().any(|id| package["id"] == *id)) {
        let name = package["name"].as_str().unwrap_or("?");
        let licence = package["license"].as_str().unwrap_or("none");
        if !is_allowed(licence, allowed) {
            let message = format!(
                "{name} is under `{licence}`: do without it, or allow the licence and say why"
            );
            found.push(Violation::new("deny.toml", 1, message));
        }
        if package["source"].as_str().is_some_and(|source| source != REGISTRY) {
            let message =
                format!("{name} does not come from the registry: depend on a published version");
            found.push(Violation::new("Cargo.lock", 1, message));
        }
    }
    found
}

/// The strings of `allow = [ … ]` under `[licenses]`.
fn allowed(deny: &str) -> Vec<&str> {
    let section = deny.split("[licenses]").nth(1).unwrap_or_default();
    let list = section.split("allow = [").nth(1).and_then(|rest| rest.split(']').next());
    list.unwrap_or_default().split('"').skip(1).step_by(2).collect()
}

/// An SPDX expression: `OR` binds less than `AND`, and parentheses most.
fn is_allowed(expression: &str, allowed: &[&str]) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let (answer, rest) = any(&words, allowed);
    answer && rest.is_empty()
}

fn any<'w>(words: &'w [&'w str], allowed: &[&str]) -> (bool, &'w [&'w str]) {
    let (mut answer, mut rest) = all(words, allowed);
    while let ["OR", more @ ..] = rest {
        let (next, left) = all(more, allowed);
        (answer, rest) = (answer || next, left);
    }
    (answer, rest)
}

fn all<'w>(words: &'w [&'w str], allowed: &[&str]) -> (bool, &'w [&'w str]) {
    let (mut answer, mut rest) = one(words, allowed);
    while let ["AND", more @ ..] = rest {
        let (next, left) = one(more, allowed);
        (answer, rest) = (answer && next, left);
    }
    (answer, rest)
}

fn one<'w>(words: &'w [&'w str], allowed: &[&str]) -> (bool, &'w [&'w str]) {
    match words {
        ["(", inner @ ..] => match any(inner, allowed) {
            (answer, [")", rest @ ..]) => (answer, rest),
            (_, rest) => (false, rest),
        },
        // An exception only adds freedom to its licence.
        [name, "WITH", _, rest @ ..] | [name, rest @ ..] => (allowed.contains(name), rest),
        [] => (false, words),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{allowed, is_allowed, judge};

    #[test]
    fn expressions_are_read_as_spdx_means_them() {
        let list = ["MIT", "Apache-2.0", "Unicode-3.0"];
        for good in [
            "MIT OR GPL-3.0",
            "GPL-2.0/MIT",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception OR GPL-3.0",
        ] {
            assert!(is_allowed(good, &list), "{good}");
        }
        for bad in
            ["GPL-3.0", "MIT AND GPL-3.0", "(MIT OR Apache-2.0) AND GPL-3.0", "none", "", "(MIT"]
        {
            assert!(!is_allowed(bad, &list), "{bad}");
        }
    }

    #[test]
    fn a_foreign_licence_and_a_foreign_source_are_found() {
        let package = |id: &str, licence: &str, source: &str| json!({ "id": id, "name": id, "license": licence, "source": source });
        let metadata = json!({
            "resolve": { "nodes": [{ "id": "a" }, { "id": "b" }] },
            "packages": [
                package("a", "GPL-3.0", super::REGISTRY),
                package("b", "MIT", "git+https://example.com/b"),
                package("unused", "GPL-3.0", super::REGISTRY),
            ],
        });
        let found = judge(&metadata, &["MIT"]);
        let places: Vec<&str> = found.iter().map(|violation| violation.path.as_str()).collect();
        assert_eq!(places, ["deny.toml", "Cargo.lock"]);
    }

    #[test]
    fn the_list_is_read_from_its_own_section() {
        let deny =
            "[bans]\nallow = [\"x\"]\n[licenses]\nallow = [\n  \"MIT\",\n  \"ISC\", # why\n]\n";
        assert_eq!(allowed(deny), ["MIT", "ISC"]);
    }
}
