//! Who may know whom: arrows between crates, and between rooms of a crate.
//!
//! Owns both tables; DESIGN draws the same arrows. Development dependencies are free.

use crate::tidy::Violation;
use crate::tidy::rust_text::RustText;

/// A crate, and those of ours that it may depend on.
const CRATES: &[(&str, &[&str])] = &[
    ("vestibule", &[]),
    ("vestibule-checks", &["vestibule"]),
    ("vestibule-front", &["vestibule"]),
    ("vestibule-race", &["vestibule"]),
    ("vestibule-cli", &["vestibule", "vestibule-checks", "vestibule-front", "vestibule-race"]),
    ("golden-path", &["vestibule"]),
    ("in-process", &["vestibule"]),
    ("slow-axum", &[]),
    ("vestibule-bench", &[]),
    ("vestibule-fuzz", &["vestibule-cli", "vestibule-front"]),
    ("vestibule-fuzz-run", &["vestibule-fuzz"]),
    ("xtask", &[]),
];

/// A room (paths that start so), what it must not name, and why.
const ROOMS: &[(&str, &[&str], &str)] = &[
    (
        "crates/vestibule/src/readiness",
        &["crate::gate", "super::gate"],
        "readiness never knows who waits for it",
    ),
    (
        "crates/vestibule/src/gate",
        &["http::", "hyper::", "httparse::"],
        "the gate admits whatever waits: it knows no HTTP",
    ),
    (
        "crates/vestibule/src/startup",
        &["http::", "crate::gate", "crate::layer", "crate::door"],
        "a start never knows who waits for it",
    ),
    (
        "crates/vestibule/src/connection",
        &["http::", "crate::gate", "crate::layer", "crate::door"],
        "what watches bytes knows no requests",
    ),
    (
        "crates/vestibule/src/door",
        &["http::"],
        "the door joins what others own: only the layer knows HTTP",
    ),
    (
        "crates/vestibule/src/",
        &["hyper::", "TcpListener", "UnixListener"],
        "the library never listens and serves nobody",
    ),
    (
        "crates/vestibule-front/src/tunnel",
        &["check::", "checks::", "validation::", "vestibule::readiness", "vestibule_checks"],
        "an open tunnel outlives any check",
    ),
    (
        "crates/vestibule-front/src/head",
        &["vestibule::gate", "vestibule::readiness", "crate::tunnel"],
        "a head is judged by its bytes alone",
    ),
];

/// Checks the `[dependencies]` of one manifest.
pub(super) fn check_manifest(path: &str, text: &str) -> Vec<Violation> {
    let Some(name) = package_name(text) else {
        return Vec::new();
    };
    let Some((_, allowed)) = CRATES.iter().find(|(known, _)| *known == name) else {
        let message =
            format!("crate `{name}` has no arrows: add it to CRATES in xtask/src/tidy/arrows.rs");
        return vec![Violation::new(path, 1, message)];
    };
    let is_ours = |name: &str| CRATES.iter().any(|(known, _)| *known == name);
    let mut found = Vec::new();
    let mut section = "";
    for (index, line) in text.lines().enumerate() {
        if line.starts_with('[') {
            section = line.trim();
        }
        let dependency = line.split(['.', '=', ' ']).next().unwrap_or_default();
        if section == "[dependencies]" && is_ours(dependency) && !allowed.contains(&dependency) {
            let message = format!(
                "`{name}` must not know `{dependency}`: arrows go cli -> race, front, checks -> vestibule"
            );
            found.push(Violation::new(path, index + 1, message));
        }
    }
    found
}

/// Checks what the code of a room names; its tests may know more.
pub(super) fn check_rooms(rust: &RustText) -> Vec<Violation> {
    let mut found = Vec::new();
    for (room, forbidden, why) in ROOMS.iter().filter(|(room, ..)| rust.path.starts_with(room)) {
        for (line, code, in_test) in rust.code_lines() {
            let named = forbidden.iter().find(|name| !in_test && names(code, name));
            if let Some(name) = named {
                let message = format!("`{name}` in {room}: {why}");
                found.push(Violation::new(rust.path, line, message));
            }
        }
    }
    found
}

fn names(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
    })
}

fn package_name(manifest: &str) -> Option<&str> {
    let package = manifest.split("[package]").nth(1)?;
    let line = package.lines().find(|line| line.starts_with("name"))?;
    line.split('"').nth(1)
}

#[cfg(test)]
mod tests {
    use super::{check_manifest, check_rooms};
    use crate::tidy::rust_text::RustText;

    #[test]
    fn an_arrow_that_points_back_is_found() {
        let manifest = |section: &str| {
            format!(
                "[package]\nname = \"vestibule\"\n\n[{section}]\nvestibule-front.workspace = true\n"
            )
        };
        let found = check_manifest("crates/vestibule/Cargo.toml", &manifest("dependencies"));
        assert_eq!(found.first().map(|violation| violation.line), Some(5));
        assert_eq!(
            check_manifest("crates/vestibule/Cargo.toml", &manifest("dev-dependencies")),
            []
        );
    }

    #[test]
    fn a_crate_without_arrows_is_found_and_the_workspace_has_none() {
        assert_eq!(check_manifest("x/Cargo.toml", "[package]\nname = \"new\"\n").len(), 1);
        assert_eq!(check_manifest("Cargo.toml", "[workspace]\n"), []);
    }

    #[test]
    fn a_room_that_names_the_next_is_found() {
        let found = |path, text| check_rooms(&RustText::new(path, text)).len();
        assert_eq!(found("crates/vestibule/src/readiness.rs", "use crate::gate::Gate;\n"), 1);
        assert_eq!(found("crates/vestibule/src/gate/queue.rs", "use http::StatusCode;\n"), 1);
        assert_eq!(
            found(
                "crates/vestibule-front/src/tunnel/half.rs",
                "use vestibule::validation::Pass;\n"
            ),
            1
        );
        assert_eq!(
            found(
                "crates/vestibule/src/layer.rs",
                "use crate::gate::Gate;\nuse http::StatusCode;\n"
            ),
            0
        );
        assert_eq!(found("crates/vestibule/src/readiness.rs", "//! Unlike crate::gate, …\n"), 0);
    }
}
