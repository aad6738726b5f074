//! Where it runs and how patient that makes it.

use crate::{Line, Variables, codes, doctor, document, page};

#[test]
fn doctor_tells_the_environment_with_its_evidence() {
    let variables = [
        ("K_SERVICE", "chat-staging"),
        ("ENVIRONMENT", "prodution"),
        ("TESTING", "true"),
        ("GOOGLE_CLOUD_PROJECT", "acme"),
    ];
    let (document, status) = document(&[], &variables, "");
    let place = &document["environment"];
    assert_eq!(
        (place["name"].as_str(), place["platform"].as_str()),
        (Some("staging"), Some("cloud_run"))
    );
    assert_eq!(place["unknown"][0]["variable"], "ENVIRONMENT");
    assert_eq!(place["unknown"][0]["value"], "prodution");
    assert_eq!(place["conflicts"].as_array().unwrap().len(), 1, "{place}");
    let evidence = place["evidence"].as_array().unwrap();
    let of = |name: &str| evidence.iter().find(|one| one["variable"] == name).unwrap();
    assert_eq!(
        (of("K_SERVICE")["says"].as_str(), of("K_SERVICE")["lost"].as_str()),
        (Some("cloud_run"), None)
    );
    for lost in ["ENVIRONMENT", "TESTING", "GOOGLE_CLOUD_PROJECT"] {
        assert!(of(lost)["lost"].is_string(), "{place}");
    }
    assert_eq!(status, 1);
    let found = codes(&document);
    assert!(
        found.contains(&"unknown_environment") && found.contains(&"test_on_platform"),
        "{found:?}"
    );
}

#[test]
fn doctor_tells_each_timeout_as_a_formula_with_its_source() {
    let rows: [(Variables<'_>, f64, f64, u64, u64); 4] = [
        (&[("K_SERVICE", "chat-staging")], 1.05, 1.1, 500, 5_000),
        (&[("K_SERVICE", "chat")], 1.5, 1.2, 500, 8_000),
        (&[("ENVIRONMENT", "development")], 0.3, 1.0, 0, 3_000),
        (
            &[("ENVIRONMENT", "staging"), ("KUBERNETES_SERVICE_HOST", "10.0.0.1")],
            0.7,
            1.1,
            0,
            5_000,
        ),
    ];
    for (variables, multiplier, margin, floor, budget) in rows {
        let (document, _) = document(&[], variables, "drain = \"7s\"\n");
        let times = &document["timeouts"];
        assert_eq!(times["multiplier"].as_f64(), Some(multiplier), "{variables:?}");
        assert_eq!(times["margin"].as_f64(), Some(margin), "{variables:?}");
        assert_eq!(times["floor_ms"].as_u64(), Some(floor), "{variables:?}");
        assert_eq!(times["validation_budget_ms"].as_u64(), Some(budget), "{variables:?}");
        assert_eq!(times["drain_ms"].as_u64(), Some(7_000));
        assert!(times["drain_formula"].as_str().unwrap().contains("vestibule.toml:1"), "{times}");
        for (key, value) in times.as_object().unwrap() {
            assert!(value.is_number() || value.is_null() || value.as_str() != Some(""), "{key}");
        }
    }
    let (document, _) = document(&[], &[("K_SERVICE", "chat-staging")], "");
    let formula = document["timeouts"]["multiplier_formula"].as_str().unwrap();
    assert!(formula.starts_with("0.7 in staging × 1.5 on "), "{formula}");
}

#[test]
fn doctor_finds_settings_that_a_platform_breaks() {
    let cloud_run = [("K_SERVICE", "chat")];
    let rows: [(Line<'_>, Variables<'_>, &str); 4] = [
        (&["--hold", "400s"], &cloud_run, "hold_beyond_request"),
        (&["--drain", "12s"], &cloud_run, "drain_beyond_kill"),
        (&[], &[("K_SERVICE", "chat"), ("ENVIRONMENT", "dev")], "impatient_environment"),
        (&["--max-held", "100000000000"], &[], "few_descriptors"),
    ];
    for (line, variables, code) in rows {
        let (document, status) = document(line, variables, "");
        assert!(codes(&document).contains(&code), "{line:?}: {document}");
        assert_eq!((document["status"].as_str(), status), (Some("warnings"), 1), "{line:?}");
    }
    let (document, status) = document(&["--public-health", "/started"], &cloud_run, "");
    assert_eq!((document["status"].as_str(), status), (Some("ok"), 0), "{document}");
}

#[test]
fn doctor_takes_the_settings_of_run_and_of_serve() {
    let of = |line: &[&str]| document(line, &[], "").0["command"].as_str().unwrap().to_owned();
    assert_eq!(of(&[]), "run");
    assert_eq!(of(&["--upstream", "8081"]), "serve");
    assert_eq!(of(&["serve", "--upstream", "8081"]), "serve");
    assert_eq!(of(&["run", "--hold", "5s", "--", "app", "--json"]), "run");
    assert_eq!(of(&["--", "app", "serve"]), "run");
    for wrong in [&["--hold", "soon"][..], &["serve"], &["run"], &["--bogus"]] {
        let output = doctor(wrong, &[], "");
        assert_eq!(output.status.code(), Some(78), "{wrong:?}");
        assert!(output.stdout.is_empty() && output.stderr.starts_with(b"error: "), "{output:?}");
    }
}

#[test]
fn a_page_of_the_doctor_is_plain_where_no_terminal_is() {
    let page = page(&[], &[("K_SERVICE", "chat-staging"), ("LANG", "C.UTF-8")], "");
    assert!(!page.contains('\u{1b}'), "{page}");
    assert!(page.lines().all(|line| line.chars().count() <= 100), "{page}");
    for heading in ["Environment", "Timeouts", "Checks", "Limits of this machine", "Status: "] {
        assert!(page.contains(&format!("\n{heading}")), "{page}");
    }
}
