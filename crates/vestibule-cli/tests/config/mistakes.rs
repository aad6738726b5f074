//! Breaks settings in each way of the table, and expects to be told of it word for word.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use crate::vestibule;

/// One entry of the table.
#[derive(Default)]
struct Case {
    name: String,
    words: Vec<OsString>,
    variables: Vec<OsString>,
    file: Option<Vec<u8>>,
    said: String,
}

#[test]
fn every_mistake_is_told_with_its_place_and_what_to_do() {
    let cases = table(include_str!("mistakes.txt"));
    assert!(cases.len() >= 100, "{} cases", cases.len());
    each_is_told(cases);
}

/// And would break if what is said of a check had a secret of it in it: `canary` stands for one.
#[test]
fn a32_every_mistake_in_a_check_is_told_and_no_value_of_it() {
    let cases = table(include_str!("checks.txt"));
    assert!(cases.len() >= 60, "{} cases", cases.len());
    for case in &cases {
        assert!(!case.said.contains("canary"), "{}: {}", case.name, case.said);
    }
    each_is_told(cases);
}

fn each_is_told(cases: Vec<Case>) {
    let mut failed = Vec::new();
    for case in cases {
        let output = vestibule(&case.words, &case.variables, case.file.as_deref());
        let said = String::from_utf8(output.stderr).unwrap();
        let status = if case.said.is_empty() { 0 } else { 78 };
        if said != case.said || output.status.code() != Some(status) {
            failed.push(format!("== {}\n{}\n{said}", case.name, output.status));
        }
        // A terminal must not be told anything but text.
        assert!(said.chars().all(|c| c == '\n' || !c.is_control()), "{}: {said:?}", case.name);
    }
    assert!(failed.is_empty(), "said something else:\n{}", failed.join("\n"));
}

fn table(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("== ") {
            cases.push(Case { name: name.to_owned(), ..Case::default() });
        }
        let Some(case) = cases.last_mut() else { continue };
        if let Some(words) = line.strip_prefix("$ ") {
            case.words = words.split(' ').map(|word| OsString::from_vec(bytes(word))).collect();
        } else if let Some(variable) = line.strip_prefix("& ") {
            case.variables.push(OsString::from_vec(bytes(variable)));
        } else if let Some(text) = line.strip_prefix('|') {
            let file = case.file.get_or_insert_default();
            file.extend(bytes(text.strip_prefix(' ').unwrap_or(text)));
            file.push(b'\n');
        } else if let Some(said) = line.strip_prefix("> ") {
            case.said.push_str(said);
            case.said.push('\n');
        }
    }
    cases
}

/// `\xNN` is a byte.
fn bytes(text: &str) -> Vec<u8> {
    let mut parts = text.split("\\x");
    let mut out = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        out.push(u8::from_str_radix(&part[..2], 16).unwrap());
        out.extend_from_slice(&part.as_bytes()[2..]);
    }
    out
}
