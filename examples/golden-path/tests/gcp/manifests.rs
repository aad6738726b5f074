//! What the platform is told: our manifest for Cloud Run, whole, and with one requirement broken at a time.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::stage::door::vestibule;

fn ours() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/cloud-run/service.yaml")
}

/// What the doctor says of a manifest: its exit status and its words.
fn doctor(manifest: &Path, more: &[&str]) -> (i32, String) {
    let mut command = Command::new(vestibule());
    command.args(["doctor", "--manifest"]).arg(manifest).args(more);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code().unwrap(), said)
}

/// Our manifest with one text in another's place; the doctor must name this rule.
fn broken(what: &str, by: &str, rule: &str) {
    let whole = std::fs::read_to_string(ours()).unwrap();
    assert_eq!(whole.matches(what).count(), 1, "{what} in our manifest");
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("service.yaml");
    std::fs::write(&file, whole.replace(what, by)).unwrap();
    let (status, said) = doctor(&file, &[]);
    assert!(status != 0 && said.contains(rule), "{what} -> {by}: {status}\n{said}");
}

#[test]
fn the_manifest_that_we_recommend_has_no_finding() {
    let (status, said) = doctor(&ours(), &["--measured-start", "60s"]);
    assert_eq!(status, 0, "{said}");
}

#[test]
fn a_request_timeout_under_an_hour_is_found() {
    broken("timeoutSeconds: 3600", "timeoutSeconds: 300", "VM001");
}

#[test]
fn missing_session_affinity_is_found() {
    broken(
        "run.googleapis.com/sessionAffinity: \"true\"",
        "run.googleapis.com/sessionAffinity: \"false\"",
        "VM002",
    );
}

#[test]
fn a_startup_probe_that_gives_up_early_is_found() {
    broken("failureThreshold: 240", "failureThreshold: 3", "VM004");
}

#[test]
fn an_ingress_that_lets_nobody_in_is_found() {
    broken("run.googleapis.com/ingress: all", "run.googleapis.com/ingress: internal", "VM007");
}

#[test]
fn a_health_path_that_the_door_does_not_answer_is_found() {
    broken("--public-health, /started, ", "", "VM009");
}

#[test]
fn an_origin_without_https_is_found() {
    broken("https://chat.example.org", "http://chat.example.org", "VM010");
}

#[test]
fn http2_to_the_container_is_found() {
    broken("name: http1", "name: h2c", "VM006");
}
