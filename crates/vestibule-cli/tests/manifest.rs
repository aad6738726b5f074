//! `vestibule doctor --manifest`, the real binary.
//!
//! Broken with faults in a manifest that is clean without them; the list of rules may not drift from its page.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests say what they expect by unwrapping"
)]

use std::fs;
use std::process::Command;

const CLEAN: &str = include_str!("../../../deploy/cloud-run/service.yaml");
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

#[test]
fn our_own_cloud_run_service_has_no_finding() {
    let (told, status) = judged(CLEAN);
    assert_eq!(status, 0, "{told}");
    assert!(told.contains("1 with a door: 0 errors, 0 warnings, 0 notes"), "{told}");
}

#[test]
fn a_fault_in_a_clean_manifest_is_found_by_its_rule() {
    for (line, fault, rule, wanted) in [
        ("timeoutSeconds: 3600", "timeoutSeconds: 300", "VM001", 1),
        ("sessionAffinity: \"true\"", "sessionAffinity: \"false\"", "VM002", 1),
        ("failureThreshold: 240", "failureThreshold: 20", "VM004", 1),
        ("name: http1", "name: h2c", "VM006", 2),
        ("ingress: all", "ingress: internal", "VM007", 1),
        ("path: /started", "path: /nothing", "VM009", 1),
        ("https://chat", "http://chat", "VM010", 1),
        ("containerConcurrency: 250", "containerConcurrency: 1", "VM011", 1),
        ("name: ENVIRONMENT", "name: PORT", "VM013", 2),
    ] {
        let (told, status) = judged(&CLEAN.replace(line, fault));
        assert!(told.contains(rule), "{rule}: {told}");
        assert_eq!(status, wanted, "{rule}: {told}");
    }
}

#[test]
fn the_page_has_every_rule() {
    let (list, status) = doctor(&["--rules"]);
    assert_eq!((status, list.lines().count()), (0, 30));
    for line in list.lines() {
        let (id, rest) = line.split_once(' ').unwrap();
        let (severity, title) = rest.trim().split_once(' ').unwrap();
        let row = format!("| {id} | {severity} | {} |", title.trim());
        assert!(PAGE.contains(&row), "{row}");
    }
}
