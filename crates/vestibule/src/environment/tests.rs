//! Breaks the detection with the tables of variables that platforms and people really set: wrong spellings,
//! two platforms at once, test variables in a cloud.

use std::collections::HashMap;

use super::*;

type Row = (&'static [(&'static str, &'static str)], Name, Platform);

use Name::{Development, Local, Production, Staging, Test};
use Platform::{
    AppEngine, CloudRunJob, CloudRunService, GoogleCloud, Knative, Kubernetes, PlainHost,
};

#[rustfmt::skip]
const QUIET: &[Row] = &[
    (&[], Development, PlainHost),
    (&[("ENVIRONMENT", "production")], Production, PlainHost),
    (&[("ENVIRONMENT", "prod")], Production, PlainHost),
    (&[("ENVIRONMENT", "  PROD\n")], Production, PlainHost),
    (&[("ENVIRONMENT", "Staging")], Staging, PlainHost),
    (&[("ENVIRONMENT", "stg")], Staging, PlainHost),
    (&[("ENVIRONMENT", "stage")], Staging, PlainHost),
    (&[("ENVIRONMENT", "dev")], Development, PlainHost),
    (&[("ENVIRONMENT", "development")], Development, PlainHost),
    (&[("ENVIRONMENT", "test")], Test, PlainHost),
    (&[("ENVIRONMENT", "testing")], Test, PlainHost),
    (&[("ENVIRONMENT", "Local ")], Local, PlainHost),
    (&[("ENVIRONMENT", "")], Development, PlainHost),
    (&[("ENVIRONMENT", "   ")], Development, PlainHost),
    (&[("TESTING", "true")], Test, PlainHost),
    (&[("TESTING", "TRUE")], Test, PlainHost),
    (&[("TESTING", "1")], Test, PlainHost),
    (&[("TESTING", "false")], Development, PlainHost),
    (&[("TESTING", "0")], Development, PlainHost),
    (&[("PYTEST_CURRENT_TEST", "a.py::b (call)")], Test, PlainHost),
    (&[("VITEST", "true")], Test, PlainHost),
    (&[("TESTING", "true"), ("ENVIRONMENT", "staging")], Staging, PlainHost),
    (&[("K_SERVICE", "chat")], Production, CloudRunService),
    (&[("K_SERVICE", "chat"), ("K_REVISION", "chat-00001"), ("K_CONFIGURATION", "chat")], Production, CloudRunService),
    (&[("K_SERVICE", "chat-staging")], Staging, CloudRunService),
    (&[("K_SERVICE", "chat-stg")], Staging, CloudRunService),
    (&[("K_SERVICE", "chat-prod")], Production, CloudRunService),
    (&[("K_SERVICE", "chat-dev")], Production, CloudRunService),
    (&[("K_SERVICE", "chat-test")], Production, CloudRunService),
    (&[("K_SERVICE", "staging")], Production, CloudRunService),
    (&[("K_SERVICE", "chat"), ("GOOGLE_CLOUD_PROJECT", "acme-staging")], Staging, CloudRunService),
    (&[("K_SERVICE", "chat-prod"), ("GOOGLE_CLOUD_PROJECT", "acme-staging")], Production, CloudRunService),
    (&[("K_SERVICE", "chat-staging"), ("ENVIRONMENT", "production")], Production, CloudRunService),
    (&[("K_SERVICE", " ")], Development, PlainHost),
    (&[("K_REVISION", "chat-00001")], Development, PlainHost),
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
    ((&[("ENVIRONMENT", "qa")], Development, PlainHost), "ENVIRONMENT=qa is none of production, staging, development, test, local"),
    ((&[("ENVIRONMENT", "prodution"), ("TESTING", "1")], Test, PlainHost), "ENVIRONMENT=prodution is none of production, staging, development, test, local"),
    ((&[("ENVIRONMENT", "qa"), ("K_SERVICE", "chat-staging")], Staging, CloudRunService), "ENVIRONMENT=qa is none of production, staging, development, test, local"),
    ((&[("ENVIRONMENT", "development"), ("K_SERVICE", "chat")], Development, CloudRunService), "ENVIRONMENT says development, but this is cloud_run_service: its patience is kept"),
    ((&[("ENVIRONMENT", "local"), ("GAE_ENV", "standard")], Local, AppEngine), "ENVIRONMENT says local, but this is app_engine: its patience is kept"),
    ((&[("TESTING", "true"), ("K_SERVICE", "chat")], Production, CloudRunService), "TESTING is set, but this is cloud_run_service: it does not count"),
    ((&[("VITEST", "1"), ("KUBERNETES_SERVICE_HOST", "10.0.0.1")], Production, Kubernetes), "VITEST is set, but this is kubernetes: it does not count"),
    ((&[("K_SERVICE", "chat"), ("GAE_ENV", "standard")], Production, CloudRunService), "GAE_ENV is a marker of app_engine, but this was taken for cloud_run_service"),
    ((&[("K_SERVICE", "chat"), ("CLOUD_RUN_JOB", "j")], Production, CloudRunService), "CLOUD_RUN_JOB is a marker of cloud_run_job, but this was taken for cloud_run_service"),
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
        ("K_SERVICE", "chat-staging", Says::Platform(CloudRunService), true),
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
