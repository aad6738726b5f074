//! The incident's second half: Cloud Run was taken for a laptop, and a development timeout ran in the cloud.
//!
//! Breaks the patience of checks with what one variable says, then reads the same variables as `vestibule` does,
//! in the library and by `vestibule doctor`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests say what they expect by unwrapping")]

#[path = "incident/watchdog.rs"]
mod watchdog;

use std::collections::HashMap;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::sleep;
use vestibule::check::{Check, CheckFuture, Checked, Saw, Spec, Stage, Trouble};
use vestibule::environment::{Name, Platform, detect};
use vestibule::timeouts::Factors;
use vestibule::validation::{Mode, Opinion, Validation};
use watchdog::watched;

/// Every variable that says where we run.
const MARKERS: [&str; 12] = [
    "ENVIRONMENT",
    "K_SERVICE",
    "K_REVISION",
    "K_CONFIGURATION",
    "CLOUD_RUN_JOB",
    "GAE_APPLICATION",
    "GAE_ENV",
    "GAE_SERVICE",
    "GOOGLE_CLOUD_PROJECT",
    "GCP_PROJECT_ID",
    "KUBERNETES_SERVICE_HOST",
    "TESTING",
];

type Variables = &'static [(&'static str, &'static str)];

/// What the incident's service did: one variable, and a laptop if it says nothing.
fn by_one_variable(variables: Variables) -> (Name, Platform) {
    let said = variables.iter().find(|(name, _)| *name == "ENVIRONMENT");
    let name = said.and_then(|(_, value)| Name::parse(value)).unwrap_or(Name::Local);
    (name, Platform::LocalHost)
}

/// A dependency that answers after 1.5 s, as one does whose machine is cold, too.
struct Slow;

impl Check for Slow {
    fn try_once<'a>(&'a self, _: &'a Stage) -> CheckFuture<'a, Result<Saw, Trouble>> {
        Box::pin(async {
            sleep(Duration::from_millis(1500)).await;
            Ok(Saw::new("pong"))
        })
    }
}

/// One pass over the slow dependency, whose base timeout is 4 s: 1.2 s in development.
async fn validated((name, platform): (Name, Platform)) -> Opinion {
    let factors = Factors::derive(name, platform);
    let spec = Spec::new("database").within(Duration::from_secs(4), 1);
    Validation::new(vec![Checked::new(spec, Arc::new(Slow))], factors).pass(Mode::Gate).await
}

#[tokio::test(start_paused = true)]
async fn a_development_timeout_in_a_cloud_fails_what_the_platforms_patience_passes() {
    const INCIDENT: Variables = &[("ENVIRONMENT", "development"), ("K_SERVICE", "chat")];
    watched("1.2 s is not enough for 1.5 s", async {
        let guessed = by_one_variable(INCIDENT);
        let left = Duration::from_secs(60);
        let timeout =
            Factors::derive(guessed.0, guessed.1).check_timeout(Duration::from_secs(4), left).value;
        assert_eq!(timeout, Duration::from_millis(1200));
        let map: HashMap<_, _> = INCIDENT.iter().copied().collect();
        let found = detect(&map);
        assert_eq!((found.name, found.platform), (Name::Development, Platform::CloudRun));
        let (by_one, by_all) =
            tokio::join!(validated(guessed), validated((found.name, found.platform)));
        assert_eq!(by_one, Opinion::Waiting { passed: None });
        assert_eq!(by_all, Opinion::Ready { degraded: Vec::new() });
        assert_eq!(found.conflicts.len(), 1, "the contradiction is named");
    })
    .await;
}

/// What `vestibule doctor` says where exactly these variables are set.
fn doctor(variables: Variables) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
    for name in MARKERS {
        command.env_remove(name);
    }
    let output =
        command.args(["doctor", "--json"]).envs(variables.iter().copied()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"))
}

/// Variables, what one of them says, then what is found: platform, name, whose patience, budget, multiplier.
type Row = (Variables, Name, &'static str, &'static str, &'static str, u64, f64);
const ROWS: [Row; 7] = [
    (&[("K_SERVICE", "chat")], Name::Local, "cloud_run", "production", "production", 8_000, 1.5),
    (
        &[("K_SERVICE", "chat"), ("ENVIRONMENT", "development")],
        Name::Development,
        "cloud_run",
        "development",
        "production",
        8_000,
        1.5,
    ),
    (&[("K_SERVICE", "chat-staging")], Name::Local, "cloud_run", "staging", "staging", 5_000, 1.05),
    (
        &[("GOOGLE_CLOUD_PROJECT", "acme-staging")],
        Name::Local,
        "google_cloud",
        "staging",
        "staging",
        5_000,
        0.7,
    ),
    (
        &[("GOOGLE_CLOUD_PROJECT", "acme")],
        Name::Local,
        "google_cloud",
        "production",
        "production",
        8_000,
        1.0,
    ),
    (
        &[("GAE_APPLICATION", "e~acme"), ("ENVIRONMENT", "dev")],
        Name::Development,
        "app_engine",
        "development",
        "production",
        8_000,
        1.0,
    ),
    (&[], Name::Local, "local", "development", "development", 3_000, 0.3),
];

// Breaks the detection with the variables of each place, and with the one variable that misled.
#[test]
fn each_marker_of_google_cloud_is_found_where_one_variable_sees_a_laptop() {
    for (variables, misread, platform, name, patience, budget_ms, multiplier) in ROWS {
        assert_eq!(by_one_variable(variables), (misread, Platform::LocalHost));
        let said = doctor(variables);
        let place = &said["environment"];
        assert_eq!(
            (&place["platform"], &place["name"], &place["patience"]),
            (&platform.into(), &name.into(), &patience.into()),
            "{variables:?}"
        );
        let timeouts = &said["timeouts"];
        assert_eq!(timeouts["validation_budget_ms"], budget_ms, "{variables:?}");
        assert!((timeouts["multiplier"].as_f64().unwrap() - multiplier).abs() < 1e-9, "{timeouts}");
        let evidence = place["evidence"].as_array().unwrap();
        for (variable, _) in variables {
            assert!(evidence.iter().any(|one| one["variable"] == *variable), "{place}");
        }
    }
}

#[test]
fn an_impatient_name_in_a_cloud_is_named_as_the_contradiction_it_is() {
    let said = doctor(&[("K_SERVICE", "chat"), ("ENVIRONMENT", "development")]);
    let findings = said["findings"].as_array().unwrap();
    let found = findings.iter().find(|one| one["code"] == "impatient_environment").unwrap();
    assert_eq!(found["severity"], "warning");
    assert!(found["advice"].as_str().unwrap().contains("ENVIRONMENT"), "{found}");
    // And nothing of that kind where nothing contradicts.
    let calm = doctor(&[("K_SERVICE", "chat"), ("ENVIRONMENT", "production")]);
    let findings = calm["findings"].as_array().unwrap();
    assert!(findings.iter().all(|one| one["code"] != "impatient_environment"), "{findings:?}");
}
