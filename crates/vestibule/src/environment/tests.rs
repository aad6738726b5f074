//! Breaks the detection with the tables of variables that platforms and people really set: wrong spellings,
//! two platforms at once, test variables in a cloud.

use std::collections::HashMap;

use super::*;

type Row = (&'static [(&'static str, &'static str)], Name, Platform);

use Name::{Development, Local, Production, Staging, Test};
use Platform::{AppEngine, CloudRun, CloudRunJob, GoogleCloud, Knative, Kubernetes, LocalHost};

#[rustfmt::skip]
const QUIET: &[Row] = &[
    (&[], Development, LocalHost),
    (&[("ENVIRONMENT", "production")], Production, LocalHost),
    (&[("ENVIRONMENT", "prod")], Production, LocalHost),
    (&[("ENVIRONMENT", "  PROD\n")], Production, LocalHost),
    (&[("ENVIRONMENT", "Staging")], Staging, LocalHost),
    (&[("ENVIRONMENT", "stg")], Staging, LocalHost),
    (&[("ENVIRONMENT", "stage")], Staging, LocalHost),
    (&[("ENVIRONMENT", "dev")], Development, LocalHost),
    (&[("ENVIRONMENT", "development")], Development, LocalHost),
    (&[("ENVIRONMENT", "test")], Test, LocalHost),
    (&[("ENVIRONMENT", "testing")], Test, LocalHost),
    (&[("ENVIRONMENT", "Local ")], Local, LocalHost),
    (&[("ENVIRONMENT", "")], Development, LocalHost),
    (&[("ENVIRONMENT", "   ")], Development, LocalHost),
    (&[("TESTING", "true")], Test, LocalHost),
    (&[("TESTING", "TRUE")], Test, LocalHost),
    (&[("TESTING", "1")], Test, LocalHost),
    (&[("TESTING", "false")], Development, LocalHost),
    (&[("TESTING", "0")], Development, LocalHost),
    (&[("PYTEST_CURRENT_TEST", "a.py::b (call)")], Test, LocalHost),
    (&[("VITEST", "true")], Test, LocalHost),
    (&[("TESTING", "true"), ("ENVIRONMENT", "staging")], Staging, LocalHost),
    (&[("K_SERVICE", "chat")], Production, CloudRun),
    (&[("K_SERVICE", "chat"), ("K_REVISION", "chat-00001"), ("K_CONFIGURATION", "chat")], Production, CloudRun),
    (&[("K_SERVICE", "chat-staging")], Staging, CloudRun),
    (&[("K_SERVICE", "chat-stg")], Staging, CloudRun),
    (&[("K_SERVICE", "chat-prod")], Production, CloudRun),
    (&[("K_SERVICE", "chat-dev")], Production, CloudRun),
    (&[("K_SERVICE", "chat-test")], Production, CloudRun),
    (&[("K_SERVICE", "staging")], Production, CloudRun),
    (&[("K_SERVICE", "chat"), ("GOOGLE_CLOUD_PROJECT", "acme-staging")], Staging, CloudRun),
    (&[("K_SERVICE", "chat-prod"), ("GOOGLE_CLOUD_PROJECT", "acme-staging")], Production, CloudRun),
    (&[("K_SERVICE", "chat-staging"), ("ENVIRONMENT", "production")], Production, CloudRun),
    (&[("K_SERVICE", " ")], Development, LocalHost),
    (&[("K_REVISION", "chat-00001")], Development, LocalHost),
    (&[("CLOUD_RUN_JOB", "migrate-staging")], Staging, CloudRunJob),
    (&[("CLOUD_RUN_JOB", "migrate")], Production, CloudRunJob),
    (&[("GAE_APPLICATION", "s~acme"), ("GAE_ENV", "standard"), ("GAE_SERVICE", "default")], Production, AppEngine),
    (&[("GAE_APPLICATION", "s~acme-staging")], Staging, AppEngine),
    (&[("GAE_ENV", "standard"), ("GOOGLE_CLOUD_PROJECT", "acme")], Production, AppEngine),
    (&[("GOOGLE_CLOUD_PROJECT", "acme")], Production, GoogleCloud),
    (&[("GCP_PROJECT_ID", "acme-staging")], Staging, GoogleCloud),
    (&[("GOOGLE_CLOUD_PROJECT", "acme"), ("ENVIRONMENT", "dev")], Development, GoogleCloud),
    (&[("KUBERNETES_SERVICE_HOST", "10.0.0.1")], Production, Kubernetes),
    (&[("KUBERNETES_SERVICE_HOST", "10.0.0.1"), ("ENVIRONMENT", "development")], Development, Kubernetes),
    (&[("KUBERNETES_SERVICE_HOST", "10.0.0.1"), ("GOOGLE_CLOUD_PROJECT", "acme-staging")], Staging, Kubernetes),
    (&[("KUBERNETES_SERVICE_HOST", "10.0.0.1"), ("K_SERVICE", "chat")], Production, Knative),
    (&[("KUBERNETES_SERVICE_HOST", "10.0.0.1"), ("K_SERVICE", "chat-stg"), ("GCP_PROJECT_ID", "x")], Staging, Knative),
];

#[rustfmt::skip]
const CONFLICTING: &[(Row, &str)] = &[
    ((&[("ENVIRONMENT", "qa")], Development, LocalHost), "ENVIRONMENT=qa is none of production, staging, development, test, local"),
    ((&[("ENVIRONMENT", "prodution"), ("TESTING", "1")], Test, LocalHost), "ENVIRONMENT=prodution is none of production, staging, development, test, local"),
    ((&[("ENVIRONMENT", "qa"), ("K_SERVICE", "chat-staging")], Staging, CloudRun), "ENVIRONMENT=qa is none of production, staging, development, test, local"),
    ((&[("ENVIRONMENT", "development"), ("K_SERVICE", "chat")], Development, CloudRun), "ENVIRONMENT says development, but this is cloud_run: its patience is kept"),
    ((&[("ENVIRONMENT", "local"), ("GAE_ENV", "standard")], Local, AppEngine), "ENVIRONMENT says local, but this is app_engine: its patience is kept"),
    ((&[("TESTING", "true"), ("K_SERVICE", "chat")], Production, CloudRun), "TESTING is set, but this is cloud_run: it does not count"),
    ((&[("VITEST", "1"), ("KUBERNETES_SERVICE_HOST", "10.0.0.1")], Production, Kubernetes), "VITEST is set, but this is kubernetes: it does not count"),
    ((&[("K_SERVICE", "chat"), ("GAE_ENV", "standard")], Production, CloudRun), "GAE_ENV is a marker of app_engine, but this was taken for cloud_run"),
    ((&[("K_SERVICE", "chat"), ("CLOUD_RUN_JOB", "j")], Production, CloudRun), "CLOUD_RUN_JOB is a marker of cloud_run_job, but this was taken for cloud_run"),
];

fn detect_in(variables: &[(&'static str, &'static str)]) -> Environment {
    let map: HashMap<_, _> = variables.iter().copied().collect();
    detect(&map)
}

#[test]
fn every_row_that_agrees_is_found_without_a_conflict() {
    for (variables, name, platform) in QUIET {
        let found = detect_in(variables);
        assert_eq!((found.name, found.platform), (*name, *platform), "{variables:?}");
        assert_eq!(found.conflicts, [], "{variables:?}");
    }
}

#[test]
fn every_contradiction_is_found_and_named() {
    for ((variables, name, platform), conflict) in CONFLICTING {
        let found = detect_in(variables);
        assert_eq!((found.name, found.platform), (*name, *platform), "{variables:?}");
        let told: Vec<_> = found.conflicts.iter().map(Conflict::to_string).collect();
        assert_eq!(told, [*conflict], "{variables:?}");
    }
}

#[test]
fn a_managed_platform_keeps_its_patience_whatever_the_name() {
    for name in Name::ALL {
        for platform in Platform::ALL {
            let kept = patience(name, platform);
            if name.is_patient() || !platform.is_managed() {
                assert_eq!(kept, name);
            } else {
                assert_eq!(kept, Production);
            }
        }
    }
}

#[test]
fn every_variable_that_spoke_is_evidence_with_its_fate() {
    let found = detect_in(&[
        ("K_SERVICE", "chat-staging"),
        ("K_REVISION", "chat-00007"),
        ("GCP_PROJECT_ID", "acme-prod"),
        ("ENVIRONMENT", " Prod "),
        ("TESTING", "no"),
    ]);
    let told: Vec<_> = found
        .evidence
        .iter()
        .map(|e| (e.variable, e.value.as_str(), e.says, e.lost.is_none()))
        .collect();
    let expected = [
        ("K_SERVICE", "chat-staging", Says::Platform(CloudRun), true),
        ("GCP_PROJECT_ID", "acme-prod", Says::Platform(GoogleCloud), false),
        ("K_REVISION", "chat-00007", Says::Nothing, false),
        ("ENVIRONMENT", "Prod", Says::Name(Production), true),
        ("TESTING", "no", Says::Nothing, false),
        ("K_SERVICE", "chat-staging", Says::Name(Staging), false),
        ("GCP_PROJECT_ID", "acme-prod", Says::Name(Production), false),
    ];
    assert_eq!(told, expected);
}

#[test]
fn names_are_read_as_they_are_written() {
    for name in Name::ALL {
        assert_eq!(Name::parse(name.as_str()), Some(name));
    }
    assert_eq!(Name::parse("production2"), None);
    assert_eq!(Name::parse(""), None);
}
