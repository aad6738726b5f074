//! The library's public API, held against the list that was agreed on.
//!
//! Owns the list's making: rustdoc's JSON, read by the `public-api` crate. Must never change the list unless
//! told to renew it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The list.
const LIST: &str = "crates/vestibule/api.txt";

/// What renews it.
const RENEW: &str = "cargo xtask api --renew";

/// The JSON format of Rust 1.95, which our `public-api` reads.
const FORMAT: u64 = 57;

/// Checks the API, or writes its list anew with `--renew`.
///
/// # Errors
/// What was added to the API and what is gone, or what kept us from looking.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<String, String> {
    let renews = match arguments {
        [] => false,
        [flag] if flag == "--renew" => true,
        other => return Err(format!("only --renew is known, not {other:?}")),
    };
    let json = document(root)?;
    let format = format(&json)?;
    if format != FORMAT {
        // Other toolchains may build and test; who changes the API uses this one.
        return Ok(format!("api: not checked: rustdoc writes format {format}, Rust 1.95 {FORMAT}"));
    }
    let seen = list(&json)?;
    let path = root.join(LIST);
    if renews {
        fs::write(&path, &seen).map_err(|error| format!("can't write {LIST}: {error}"))?;
        return Ok(format!("api: {LIST} renewed, {} items", seen.lines().count()));
    }
    let agreed = fs::read_to_string(&path).map_err(|error| format!("no {LIST}: {error}"))?;
    match difference(&agreed, &seen) {
        None => Ok(format!("api: as agreed, {} items", seen.lines().count())),
        Some(lines) => Err(format!(
            "the public API is not as {LIST} has it:\n{lines}\nIf that is meant, say so in CHANGELOG.md, and: {RENEW}"
        )),
    }
}

/// Lets rustdoc write what it knows of the library with all features.
fn document(root: &Path) -> Result<PathBuf, String> {
    let cargo = || {
        let mut command = Command::new("cargo");
        command.current_dir(root);
        command
    };
    let documented = cargo()
        .args(["rustdoc", "--quiet", "--package", "vestibule", "--lib", "--all-features"])
        .args(["--", "-Z", "unstable-options", "--output-format", "json"])
        .env("RUSTDOC", root.join("xtask/src/api/rustdoc"))
        .output()
        .map_err(|error| format!("can't run cargo: {error}"))?;
    if !documented.status.success() {
        return Err(String::from_utf8_lossy(&documented.stderr).into_owned());
    }
    let metadata = cargo()
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .output()
        .map_err(|error| format!("can't run cargo: {error}"))?;
    let metadata: Value = serde_json::from_slice(&metadata.stdout)
        .map_err(|error| format!("cargo metadata: {error}"))?;
    let target = metadata["target_directory"].as_str().ok_or("cargo names no target directory")?;
    Ok(Path::new(target).join("doc/vestibule.json"))
}

fn format(json: &Path) -> Result<u64, String> {
    let text = fs::read(json).map_err(|error| format!("{}: {error}", json.display()))?;
    let document: Value =
        serde_json::from_slice(&text).map_err(|error| format!("rustdoc's JSON: {error}"))?;
    document["format_version"].as_u64().ok_or_else(|| "rustdoc's JSON has no format".to_owned())
}

/// One item a line, without what every type has.
fn list(json: &Path) -> Result<String, String> {
    let api = public_api::Builder::from_rustdoc_json(json)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .build()
        .map_err(|error| format!("rustdoc's JSON: {error}"))?;
    let items = api.items().map(|item| format!("{item}\n"));
    // What a macro makes for itself.
    Ok(items.filter(|item| !item.contains("::__private::")).collect())
}

/// What is gone and what is new; `None` if nothing is.
fn difference(agreed: &str, seen: &str) -> Option<String> {
    let [agreed, seen] = [agreed, seen].map(|list| list.lines().collect::<BTreeSet<_>>());
    let gone = agreed.difference(&seen).map(|line| format!("- {line}"));
    let new = seen.difference(&agreed).map(|line| format!("+ {line}"));
    let lines: Vec<_> = gone.chain(new).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

#[cfg(test)]
mod tests {
    //! Breaks the list with items that came and went, and holds it against the library as it is.

    use super::{difference, run};

    #[test]
    fn what_came_and_what_went_is_named() {
        assert_eq!(difference("pub a\npub b\n", "pub a\npub b\n"), None);
        let both = difference("pub a\npub b\n", "pub b\npub c\n");
        assert_eq!(both.as_deref(), Some("- pub a\n+ pub c"));
    }

    #[test]
    fn the_public_api_is_as_agreed() {
        match run(&crate::root(), &[]) {
            Ok(summary) => println!("{summary}"),
            Err(difference) => panic!("\n{difference}"),
        }
    }
}
