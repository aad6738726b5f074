//! `vestibule doctor --manifest`, the real binary.
//!
//! Broken with faults in a manifest that is clean without them; the list of rules may not drift from its page.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests say what they expect by unwrapping"
)]

#[path = "manifest/faults.rs"]
mod faults;

use std::fs;
use std::process::Command;

use faults::{FAULTS, Fault};

const DEPLOY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy");
const DEPLOYED: [&str; 6] = [
    "Dockerfile",
    "compose.yaml",
    "cloud-run/service.yaml",
    "knative/service.yaml",
    "kubernetes/entrypoint.yaml",
    "kubernetes/sidecar.yaml",
];
const PAGE: &str = include_str!("../../../docs/manifests.md");

fn doctor(words: &[&str]) -> (String, i32) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
    let output = command.arg("doctor").args(words).env_clear().output().unwrap();
    (String::from_utf8(output.stdout).unwrap(), output.status.code().unwrap())
}

fn judged(text: &str) -> (String, i32) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("service.yaml");
    fs::write(&file, text).unwrap();
    doctor(&["--manifest", file.to_str().unwrap()])
}

fn file(name: &str) -> String {
    fs::read_to_string(format!("{DEPLOY}/{name}")).unwrap()
}

/// Each file that we recommend, and all of them together: the image's file says what compose starts.
#[test]
fn what_we_recommend_has_no_finding() {
    let each = DEPLOYED.map(|name| format!("{DEPLOY}/{name}"));
    let (told, status) = doctor(
        &["--manifest"].into_iter().chain(each.iter().map(String::as_str)).collect::<Vec<_>>(),
    );
    assert_eq!(status, 0, "{told}");
    assert!(told.ends_with("5 with a door: 0 errors, 0 warnings, 0 notes\n"), "{told}");
    for name in &each {
        let (told, status) = doctor(&["--manifest", name]);
        assert_eq!(status, 0, "{told}");
        assert!(told.contains(" 0 errors, 0 warnings, 0 notes"), "{told}");
    }
}

/// Breaks if a rule does not see its fault, names another place, or sees it where it is mended: without the fault the
/// same file has no finding.
#[test]
fn each_fault_is_found_by_its_rule_at_its_place() {
    let (mut rules, mut wrong) = (Vec::new(), Vec::new());
    for Fault { rule, file: name, changes, at } in FAULTS {
        let mut text = file(name);
        for (sound, faulty) in *changes {
            assert_eq!(text.matches(sound).count(), 1, "{rule}: {sound} in {name}");
            text = text.replace(sound, faulty);
        }
        let place = text.find(at).unwrap_or_else(|| panic!("{rule}: {at}")) + at.len();
        let line = 1 + text[..place].matches('\n').count();
        let (told, status) = judged(&text);
        let found: Vec<&str> = told.lines().filter(|line| line.contains(" VM0")).collect();
        let place = format!("service.yaml:{line}:");
        if found.len() != 1 || !found[0].contains(rule) || !found[0].contains(&place) {
            wrong.push(format!("{rule} at {line}: {found:?}"));
        }
        let worst =
            ["0 errors, 0 warnings", "0 errors", ""].iter().position(|none| told.contains(none));
        assert_eq!(
            Some(status),
            worst.and_then(|worst| i32::try_from(worst).ok()),
            "{rule}: {told}"
        );
        rules.push(rule);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    rules.sort_unstable();
    rules.dedup();
    assert_eq!(rules.len(), 30, "a rule without its fault");
}

/// Breaks if a manifest of a service without WebSockets is scolded for what only they need.
#[test]
fn a_manifest_without_a_door_has_no_finding_of_its_own() {
    for name in DEPLOYED {
        let plain = file(name).replace("vestibule", "something").replace("VESTIBULE_", "OTHER_");
        let (told, status) = judged(&plain.replace("timeoutSeconds: 3600", "timeoutSeconds: 60"));
        assert_eq!(status, 0, "{name}: {told}");
        assert!(told.contains(" 0 with a door: 0 errors, 0 warnings"), "{name}: {told}");
    }
}

/// What tools read: each result has a rule that is described, a place, and words.
#[test]
fn sarif_says_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("service.yaml");
    fs::write(&path, file("cloud-run/service.yaml").replace("3600\n", "300\n")).unwrap();
    let (told, status) = doctor(&["--manifest", path.to_str().unwrap(), "--format", "sarif"]);
    let report: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!((report["version"].as_str(), status), (Some("2.1.0"), 1));
    let run = &report["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(rules.len(), 30);
    for rule in rules {
        for field in ["id", "shortDescription", "fullDescription", "help"] {
            assert!(!rule[field].is_null(), "{field} of {rule}");
        }
        let page = rule["helpUri"].as_str();
        assert!(page.is_none_or(|page| page.starts_with("https://")), "{rule}");
    }
    let results = run["results"].as_array().unwrap();
    assert!(!results.is_empty());
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(result["ruleId"], rules[index]["id"]);
        assert!(result["message"]["text"].as_str().is_some_and(|text| !text.is_empty()));
        let region = &result["locations"][0]["physicalLocation"]["region"];
        assert!(region["startLine"].as_u64() > Some(0) && region["startColumn"].as_u64() > Some(0));
    }
}

/// Breaks if what can't be read is taken for something clean, or ends in a panic.
#[test]
fn what_can_not_be_read_is_said_with_its_place() {
    for broken in
        ["a: [", "a: b: c", "\t- x", "kind: Service\nkind: Service\n  x", "&a [*a, *a]", "\u{0}"]
    {
        let (told, status) = judged(broken);
        assert!(status == 78 || status == 0, "{broken:?}: {status} {told}");
    }
    let (_, status) = doctor(&["--manifest", "/nowhere/service.yaml"]);
    assert_eq!(status, 78);
    let (_, status) = doctor(&["--explain", "VM999"]);
    assert_ne!(status, 0);
    let (told, status) = doctor(&["--explain", "VM001"]);
    assert!(status == 0 && told.contains("fix:") && told.contains("source:"), "{told}");
}

#[test]
fn the_page_has_every_rule() {
    let (list, status) = doctor(&["--rules"]);
    assert_eq!((status, list.lines().count()), (0, 30));
    for line in list.lines() {
        let (id, rest) = line.split_once(' ').unwrap();
        let (severity, title) = rest.trim().split_once(' ').unwrap();
        let row = format!("| [{id}](#{}) | {severity} | {} |", id.to_lowercase(), title.trim());
        assert!(PAGE.contains(&row), "{row}");
        // What `--explain` says stands there, word for word.
        let (explained, _) = doctor(&["--explain", id]);
        for line in explained.lines().skip(2).map(str::trim).filter(|line| *line != "fix:") {
            assert!(PAGE.contains(line), "{id}: {line}");
        }
    }
}
