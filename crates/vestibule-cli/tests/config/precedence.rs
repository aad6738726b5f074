//! Breaks the order of the layers: each pair of them contradicts each other, in each kind of value.

use crate::{FILE, of_text};

/// `hold = "5s"  # FROM`, as `check-config` shows it.
fn shown(key: &str, flags: &str, variables: &[&str], file: &str) -> (String, String) {
    let output =
        of_text(&format!("check-config run --config {FILE}{flags} -- app"), variables, Some(file));
    let text = String::from_utf8(output.stdout).unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let line = text.lines().find(|line| line.starts_with(&format!("{key} = ")));
    let line = line.unwrap_or_else(|| panic!("{key} is not in {text}{said}"));
    let (value, place) = line.split_once("  # ").unwrap();
    (value.trim().split_once(" = ").unwrap().1.to_owned(), place.to_owned())
}

#[test]
fn flags_outrank_variables_outrank_the_file_outranks_what_is_derived() {
    let (flag, variable, file) = (" --hold 1s", "VESTIBULE_HOLD=2s", "hold = \"3s\"");
    let rows: [(&str, &[&str], &str, &str, &str); 8] = [
        (flag, &[variable], file, "\"1s\"", "flag"),
        (flag, &[variable], "", "\"1s\"", "flag"),
        (flag, &[], file, "\"1s\"", "flag"),
        (flag, &[], "", "\"1s\"", "flag"),
        ("", &[variable], file, "\"2s\"", "variable VESTIBULE_HOLD"),
        ("", &[variable], "", "\"2s\"", "variable VESTIBULE_HOLD"),
        ("", &[], file, "\"3s\"", "vestibule.toml:1"),
        ("", &[], "", "\"10s\"", "derived: default in development"),
    ];
    for (flags, variables, file, value, place) in rows {
        let wanted = (value.to_owned(), place.to_owned());
        assert_eq!(shown("hold", flags, variables, file), wanted, "{flags} {variables:?} {file}");
    }
}

#[test]
fn a_higher_layer_can_say_no_and_replaces_a_list_whole() {
    let file = "verbose = true\ntrust_proxy = [\"10.0.0.0/8\", \"10.1.0.0/16\"]\n";
    let verbose = |flags, variables| shown("verbose", flags, variables, file).0;
    assert_eq!(verbose("", &[]), "true");
    assert_eq!(verbose("", &["VESTIBULE_VERBOSE=false"]), "false");
    assert_eq!(verbose(" --verbose=false", &["VESTIBULE_VERBOSE=1"]), "false");
    assert_eq!(verbose(" --verbose", &["VESTIBULE_VERBOSE=0"]), "true");
    let trust = |flags, variables| shown("trust_proxy", flags, variables, file).0;
    assert_eq!(trust("", &[]), "[\"10.0.0.0/8\", \"10.1.0.0/16\"]");
    assert_eq!(trust("", &["VESTIBULE_TRUST_PROXY=127.0.0.1, ::1"]), "[\"127.0.0.1\", \"::1\"]");
    assert_eq!(
        trust(" --trust-proxy 10.9.0.0/16", &["VESTIBULE_TRUST_PROXY=::1"]),
        "[\"10.9.0.0/16\"]"
    );
}

#[test]
fn of_two_that_exclude_each_other_the_higher_layers_word_is_the_word_on_both() {
    let file = "ready_path = \"/health\"\n";
    assert_eq!(shown("ready", " --ready notify", &[], file).0, "\"notify\"");
    assert_eq!(shown("ready", "", &["VESTIBULE_READY=tcp"], file).0, "\"tcp\"");
    assert_eq!(shown("ready_path", "", &[], file).0, "\"/health\"");
}

#[test]
fn the_typed_command_outranks_the_files_and_the_named_file_the_variables() {
    let file = "command = [\"from-file\"]\n";
    assert_eq!(shown("command", "", &[], file).0, "[\"app\"]");
    let words = "check-config run";
    let output = of_text(words, &["VESTIBULE_CONFIG=vestibule.toml"], Some(file));
    assert!(String::from_utf8(output.stdout).unwrap().contains("[\"from-file\"]"));
    // The variable's file is not even looked for.
    let variables = ["VESTIBULE_CONFIG=nowhere.toml"];
    assert_eq!(shown("command", "", &variables, file).0, "[\"app\"]");
}
