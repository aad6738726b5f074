//! Breaks the detection with the tables of variables that platforms and people really set: wrong spellings,
//! two platforms at once, test variables in a cloud, blanks, secrets that went astray.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

use Name::{Production, Staging};
use Platform::{CloudRun, GoogleCloud};

/// One row of the table.
struct Row {
    line: usize,
    text: &'static str,
    variables: HashMap<String, String>,
    expected: [String; 4],
}

/// Every variable that may speak.
const SPEAKING: [&str; 16] = [
    "ENVIRONMENT",
    "K_SERVICE",
    "K_REVISION",
    "K_CONFIGURATION",
    "CLOUD_RUN_JOB",
    "GAE_APPLICATION",
    "GAE_ENV",
    "GAE_SERVICE",
    "KUBERNETES_SERVICE_HOST",
    "GOOGLE_CLOUD_PROJECT",
    "GCP_PROJECT_ID",
    "PYTEST_CURRENT_TEST",
    "JEST_WORKER_ID",
    "VITEST",
    "NEXTEST",
    "TESTING",
];

fn detect_in(variables: &[(&'static str, &'static str)]) -> Environment {
    let map: HashMap<_, _> = variables.iter().copied().collect();
    detect(&map)
}

fn rows() -> Vec<Row> {
    let lines = include_str!("cases.txt")
        .lines()
        .enumerate()
        .filter(|(_, text)| text.contains(" | ") && !text.starts_with("    "));
    lines
        .map(|(index, text)| {
            let mut columns = text.split('|').map(str::trim);
            let variables = columns.next().unwrap_or_default();
            let variables = variables.split(", ").filter_map(|pair| pair.split_once('='));
            let variables = variables.map(|(name, value)| (name.to_owned(), unquoted(value)));
            let expected = std::array::from_fn(|_| columns.next().unwrap_or_default().to_owned());
            Row { line: index + 1, text, variables: variables.collect(), expected }
        })
        .collect()
}

/// A value in quotes has escapes in it.
fn unquoted(text: &str) -> String {
    let Some(inner) = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) else {
        return text.to_owned();
    };
    let mut out = inner.to_owned();
    for (escape, meant) in [("\\t", "\t"), ("\\n", "\n"), ("\\x1b", "\u{1b}"), ("\\x00", "\0")] {
        out = out.replace(escape, meant);
    }
    out
}

#[test]
fn every_row_of_the_table_is_found_and_told() {
    let rows = rows();
    assert!(rows.len() >= 200, "{} rows", rows.len());
    for Row { line, text, variables, expected } in rows {
        let found = detect(&variables);
        let told: Vec<_> = found.warnings().collect();
        let (name, platform) = (found.name.to_string(), found.platform.to_string());
        let is = [name, platform, found.patience().to_string(), told.join("; ")];
        assert_eq!(is, expected, "cases.txt:{line}: {text}");
    }
}

/// Would break if a test of the table were about a variable that nothing reads.
#[test]
fn every_variable_that_may_speak_has_its_rows() {
    let rows = rows();
    for variable in SPEAKING {
        assert!(rows.iter().any(|row| row.variables.contains_key(variable)), "{variable}");
        let alone = HashMap::from([(variable, "true")]);
        assert!(detect(&alone).evidence.iter().any(|e| e.variable == variable), "{variable}");
    }
}

#[test]
fn an_unknown_name_is_no_conflict_and_never_another_name() {
    let found = detect_in(&[("ENVIRONMENT", " qa "), ("K_SERVICE", "chat")]);
    let unknown = Unknown { variable: "ENVIRONMENT", value: "qa".to_owned() };
    assert_eq!((found.unknown, found.conflicts), (vec![unknown], Vec::new()));
    let evidence = &found.evidence[1];
    assert_eq!((evidence.value.as_str(), evidence.says), ("qa", Says::Nothing));
    assert_eq!(evidence.lost, Some("not a known name"));
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

/// Words, slips, blanks, and whatever a variable may hold.
fn value() -> impl Strategy<Value = String> {
    let words =
        ["prod", "STG", "dev ", "test", "local", "qa", "chat-staging", "chat-dev", "1", " "];
    prop_oneof![
        proptest::sample::select(words.to_vec()).prop_map(str::to_owned),
        any::<String>(),
        Just("canary-s3cr3t:p@ss\u{1b}[2J\u{202e}".to_owned()),
    ]
}

proptest! {
    #[test]
    fn whatever_is_set_is_found_the_same_way_twice_and_told_decently(
        variables in proptest::collection::hash_map(proptest::sample::select(&SPEAKING[..]), value(), 0..8),
    ) {
        let variables: HashMap<String, String> =
            variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let found = detect(&variables);
        prop_assert_eq!(&found, &detect(&variables));
        for told in found.warnings() {
            prop_assert!(!told.contains("canary"), "{told:?}");
            prop_assert!(!told.chars().any(|c| c.is_control() || c == '\u{202e}'), "{told:?}");
        }
        let explicit = variables.get("ENVIRONMENT").and_then(|text| Name::parse(text));
        prop_assert!(explicit.is_none_or(|explicit| explicit == found.name));
        let set = variables.iter().filter(|(_, value)| !value.trim().is_empty());
        for (variable, _) in set.filter(|(name, _)| MARKERS.iter().any(|(known, _)| known == name)) {
            let spoke = found.evidence.iter().any(|evidence| evidence.variable == variable);
            prop_assert!(spoke && found.platform.is_cloud(), "{variable}");
        }
    }

    /// The classic outage: a development timeout that runs in a cloud.
    #[test]
    fn no_variable_makes_a_managed_platform_less_patient_than_staging(
        marker in proptest::sample::select(vec!["K_SERVICE", "CLOUD_RUN_JOB", "GAE_ENV"]),
        variables in proptest::collection::hash_map(proptest::sample::select(&SPEAKING[..]), value(), 0..8),
    ) {
        let mut variables: HashMap<String, String> =
            variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        variables.insert(marker.to_owned(), "chat".to_owned());
        let found = detect(&variables);
        prop_assert!(found.platform.is_managed() && found.patience().is_patient());
        let kept = crate::timeouts::Factors::derive(found.name, found.platform);
        let least = crate::timeouts::Factors::derive(Staging, found.platform);
        prop_assert!(kept.multiplier.value >= least.multiplier.value);
        prop_assert!(kept.margin.value >= least.margin.value);
        prop_assert!(kept.validation.value >= least.validation.value);
        prop_assert!(kept.floor.value >= least.floor.value);
    }
}
