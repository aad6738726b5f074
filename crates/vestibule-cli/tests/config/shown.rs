//! Breaks what `check-config` shows: a value without its place, a secret, a picture that is no file.

use crate::{FILE, of_text};

const TEXT: &str = "\
hold = \"5s\"
ready_path = \"/health\"
trust_proxy = [\"10.0.0.0/8\"]
command = [\"app\", \"--api-token\", \"canary-1\", \"--db=postgres://me:canary-2@db/x?k=canary-3\"]
";

fn output(line: &str, variables: &[&str]) -> String {
    let output = of_text(line, variables, Some(TEXT));
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_value_is_shown_with_the_place_that_it_comes_from() {
    let variables = ["K_SERVICE=chat", "VESTIBULE_DRAIN=4s", "VESTIBULE_HODL=1s", "PORT=9000"];
    let line = format!("check-config run --config {FILE} --verbose");
    assert_eq!(output(&line, &variables), include_str!("shown.txt"));
}

#[test]
fn what_is_shown_is_a_file_that_says_the_same() {
    let values = |text: &str| -> Vec<String> {
        text.lines().map(|line| line.split("  # ").next().unwrap().trim().to_owned()).collect()
    };
    let first = output(&format!("check-config --config {FILE}"), &[]);
    let again = of_text(&format!("check-config --config {FILE}"), &[], Some(&first));
    assert_eq!(values(&first), values(&String::from_utf8(again.stdout).unwrap()));
}

#[test]
fn machines_get_the_same_with_the_place_in_parts() {
    let line = format!("check-config run --config {FILE} --json --max-held 5");
    let document: serde_json::Value = serde_json::from_str(&output(&line, &[])).unwrap();
    let setting = |key: &str| {
        let settings = document["settings"].as_array().unwrap();
        settings.iter().find(|setting| setting["key"] == key).unwrap().clone()
    };
    assert_eq!((&setting("hold")["file"], &setting("hold")["line"]), (&FILE.into(), &1.into()));
    assert_eq!(setting("max_held")["value"], 5);
    assert_eq!(setting("max_held")["from"], "flag");
    assert_eq!(setting("drain")["from"], "derived");

    let wrong = of_text("check-config run --json --max-held 0 -- app", &[], None);
    assert_eq!(wrong.status.code(), Some(78));
    let document: serde_json::Value = serde_json::from_slice(&wrong.stdout).unwrap();
    assert_eq!(document["mistakes"][0]["key"], "max_held");
}

#[test]
fn a32_no_secret_of_a_file_is_shown() {
    for line in [
        "check-config run --config vestibule.toml",
        "check-config run --json --config vestibule.toml",
    ] {
        let text = output(line, &[]);
        assert!(!text.contains("canary"), "{text}");
    }
}

#[test]
fn whose_settings_are_meant_is_seen_in_the_file() {
    let first_line = |file: &str| {
        let output = of_text(&format!("check-config --config {FILE}"), &[], Some(file));
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().next().unwrap().to_owned()
    };
    assert!(first_line("").starts_with("# vestibule run:"));
    assert!(first_line("upstream = \"127.0.0.1:81\"").starts_with("# vestibule serve:"));
}

#[test]
fn kubernetes_words_about_a_service_of_our_name_are_no_settings() {
    let variables = [
        "VESTIBULE_SERVICE_HOST=10.0.0.1",
        "VESTIBULE_SERVICE_PORT_HTTP=80",
        "VESTIBULE_PORT=tcp://10.0.0.1:80",
        "VESTIBULE_PORT_80_TCP_ADDR=10.0.0.1",
        "VESTIBULE_CHAT_SERVICE_HOST=10.0.0.2",
        "VESTIBULE_CHILD_PORT=tcp://10.0.0.3:80",
        "VESTIBULE_CHILD_PORT_80_TCP_ADDR=10.0.0.3",
        "VESTIBULE_CHILD_SERVICE_PORT_HTTP=80",
    ];
    let text = output(&format!("check-config --config {FILE}"), &variables);
    assert!(!text.contains("warning"), "{text}");
}

#[test]
fn a_variable_for_the_other_command_is_named_as_that() {
    let text = output("check-config run --config vestibule.toml", &["VESTIBULE_UPSTREAM=81"]);
    let words = "VESTIBULE_UPSTREAM: a setting of `serve` alone, it changes nothing here";
    assert!(text.contains(words), "{text}");
}
