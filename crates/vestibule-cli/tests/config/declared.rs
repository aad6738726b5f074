//! Breaks checks as they are declared: layers that contradict each other key by key, secrets in every place where one
//! may stand, a picture that is no file, more checks than there may be.

use crate::{FILE, of_text};

const TEXT: &str = "\
hold = \"5s\"
timeout_margin = 1.5

[[check]]
name = \"database\"
url = \"postgres://me:${DB_PASSWORD}@${DB_HOST:-db}/chat?sslmode=require&token=canary-1\"
timeout = \"3s\"
attempts = 5

[[check]]
name = \"api\"
kind = \"http\"
url = \"https://api/health?key=canary-3\"
headers = [\"Authorization: Bearer canary-4\", \"${API_HEADER}\"]
group = \"services\"
critical = false

[[check]]
name = \"bus\"
url = \"nats://me:canary-2@bus:4222\"
token = \"canary-8\"

[[check]]
name = \"self\"
url = \"http://127.0.0.1:{port}/health\"
group = \"integration\"
gate = \"always\"
";

const VARIABLES: [&str; 3] =
    ["DB_PASSWORD=canary-5", "API_HEADER=X-Key: canary-6", "VESTIBULE_CHECK_API_TIMEOUT=4s"];

fn output(line: &str, variables: &[&str], text: &str) -> String {
    let output = of_text(line, variables, Some(text));
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What `check-config` shows from the first check on.
fn checks(line: &str, variables: &[&str], text: &str) -> String {
    let shown = output(line, variables, text);
    let at = shown.find("\n[[check]]").unwrap_or_else(|| panic!("no check is in {shown}"));
    shown[at + 1..].to_owned()
}

#[test]
fn every_check_is_shown_with_every_key_and_its_place() {
    let line =
        format!("check-config run --config {FILE} --check other=nats://canary-7@bus:4222 -- app");
    assert_eq!(checks(&line, &VARIABLES, TEXT), include_str!("declared.txt"));
}

#[test]
fn what_is_shown_of_checks_is_a_file_that_says_the_same() {
    let values = |text: &str| -> Vec<String> {
        text.lines().map(|line| line.split("  # ").next().unwrap().trim().to_owned()).collect()
    };
    let line = format!("check-config run --config {FILE} -- app");
    let text = TEXT
        .replace("me:canary-2@", "")
        .replace("token = \"canary-8\"\n", "")
        .replace("?key=canary-3", "")
        .replace("&token=canary-1", "");
    let text = text.replace("\"Authorization: Bearer canary-4\", ", "");
    let first = output(&line, &VARIABLES, &text);
    assert!(!first.contains("(hidden)"), "{first}");
    let again = output(&line, &VARIABLES[..2], &first);
    assert_eq!(values(&first), values(&again));
}

#[test]
fn a32_no_secret_of_a_check_is_shown_wherever_it_stands() {
    for line in [
        "check-config run --config vestibule.toml -- app",
        "check-config run --json --config vestibule.toml -- app",
    ] {
        let text = output(line, &VARIABLES, TEXT);
        assert!(text.contains("database") && !text.contains("canary"), "{text}");
    }
    // Nor where something beside it is wrong.
    let wrong = TEXT.replace("attempts = 5", "attempts = 50\nmin_kys = 3");
    for line in ["check-config run --config vestibule.toml", "run --config vestibule.toml -- app"] {
        let output = of_text(line, &VARIABLES, Some(&wrong));
        let said =
            [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap()).concat();
        assert_eq!(output.status.code(), Some(78), "{said}");
        assert!(said.contains("attempts = 50") && !said.contains("canary"), "{said}");
    }
}

#[test]
fn machines_get_every_check_with_the_place_in_parts() {
    let line =
        format!("check-config run --config {FILE} --json --check other=tcp://other:1 -- app");
    let document: serde_json::Value =
        serde_json::from_str(&output(&line, &VARIABLES, TEXT)).unwrap();
    let checks = document["checks"].as_array().unwrap();
    let names: Vec<_> = checks.iter().map(|check| check["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["database", "api", "bus", "self", "other"]);
    let setting = |check: usize, key: &str| {
        let settings = checks[check]["settings"].as_array().unwrap();
        settings.iter().find(|setting| setting["key"] == key).unwrap().clone()
    };
    assert_eq!(setting(0, "timeout")["value"], "3s");
    assert_eq!(setting(0, "timeout")["line"], 7);
    assert_eq!(setting(1, "timeout")["variable"], "VESTIBULE_CHECK_API_TIMEOUT");
    assert_eq!(setting(1, "critical")["value"], false);
    assert_eq!(setting(4, "url")["from"], "flag");
    assert_eq!(setting(4, "kind")["from"], "derived");
}

/// `timeout = "3s"` and the place of it, of the only check.
fn line_of(key: &str, flags: &str, variables: &[&str], file: &str) -> (String, String) {
    let shown = checks(&format!("check-config run --config {FILE}{flags} -- app"), variables, file);
    let line = shown.lines().find(|line| line.starts_with(&format!("{key} = ")));
    let (value, place) = line.unwrap().split_once("  # ").unwrap();
    (value.trim().split_once(" = ").unwrap().1.trim_matches('"').to_owned(), place.to_owned())
}

#[test]
fn flags_outrank_variables_outrank_the_file_key_by_key() {
    let file = "[[check]]\nname = \"main-db\"\nurl = \"tcp://file:1\"\ntimeout = \"1s\"\n";
    let (flag, listed) = (" --check main-db=tcp://flag:1", "VESTIBULE_CHECK=main-db=tcp://list:1");
    let (url, timeout) =
        ("VESTIBULE_CHECK_MAIN_DB_URL=tcp://var:1", "VESTIBULE_CHECK_MAIN_DB_TIMEOUT=2s");
    let rows: [(&str, &[&str], &str, &str); 6] = [
        ("", &[], "tcp://file:1", "vestibule.toml:3"),
        ("", &[listed], "tcp://list:1", "variable VESTIBULE_CHECK"),
        ("", &[url], "tcp://var:1", "variable VESTIBULE_CHECK_MAIN_DB_URL"),
        ("", &[listed, url], "tcp://var:1", "variable VESTIBULE_CHECK_MAIN_DB_URL"),
        (flag, &[listed], "tcp://flag:1", "flag"),
        (flag, &[url, timeout], "tcp://flag:1", "flag"),
    ];
    for (flags, variables, value, place) in rows {
        let wanted = (value.to_owned(), place.to_owned());
        assert_eq!(line_of("url", flags, variables, file), wanted, "{flags} {variables:?}");
    }
    // What the higher layer does not say stays as the lower has it.
    assert_eq!(line_of("timeout", flag, &[], file).0, "1s");
    assert_eq!(line_of("timeout", flag, &[timeout], file).0, "2s");
}

#[test]
fn a_profile_lies_under_the_tables_of_its_names() {
    let file = "profile = \"chat\"\n[[check]]\nname = \"database\"\ntimeout = \"9s\"\n";
    let variables = [
        "DATABASE_URL=tcp://db:1",
        "REDIS_URL=tcp://cache:1",
        "AUTH_URL=https://id/jwks.json",
        "AGENT_SUPERVISOR_URL=grpc://agents:1",
        "WEBSOCKET_BRIDGE_URL=http://bridge/health",
        "INTEGRATION_URL=http://app/health",
    ];
    let shown = checks(&format!("check-config run --config {FILE} -- app"), &variables, file);
    let told = |key: &str| -> Vec<String> {
        let lines = shown.lines().filter(|line| line.starts_with(&format!("{key} = ")));
        lines.map(|line| line.split(['=', '#']).nth(1).unwrap().trim().replace('"', "")).collect()
    };
    let names =
        ["database", "cache", "auth", "agent-supervisor", "websocket-bridge", "integration"];
    assert_eq!(told("name"), names);
    assert_eq!(told("kind"), ["tcp", "tcp", "jwks", "grpc", "http", "http"]);
    assert_eq!(told("timeout"), ["9s", "1500ms", "2s", "2s", "1s", "1s"]);
    assert_eq!(told("attempts"), ["5", "3", "2", "3", "2", "2"]);
    assert_eq!(told("url")[0], "${DATABASE_URL}");
}

/// Would break if a file of thousands made a pass of thousands.
#[test]
fn there_are_at_most_sixty_four_checks() {
    let checks = |count| -> String {
        (0..count).map(|n| format!("[[check]]\nname = \"c{n}\"\nurl = \"tcp://h:1\"\n")).collect()
    };
    let line = format!("check-config run --config {FILE} -- app");
    assert_eq!(of_text(&line, &[], Some(&checks(64))).status.code(), Some(0));
    let output = of_text(&line, &[], Some(&checks(65)));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(78), "{said}");
    assert!(
        said.starts_with("error: vestibule.toml:193: check c64: more than 64 checks"),
        "{said}"
    );
}

/// A schema that lacks a key makes an editor call it wrong.
#[test]
fn the_schema_has_every_key_of_every_kind() {
    let output = of_text("check-config --schema", &[], None);
    let schema: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let properties = &schema["properties"]["check"]["items"]["properties"];
    for kind in vestibule_checks::Kind::ALL {
        assert!(!kind.keys().is_empty(), "{kind:?}");
        for key in kind.keys() {
            let said = properties[key.name]["description"].as_str();
            assert!(
                said.is_some_and(|said| said.contains(kind.as_str())),
                "{kind:?}: {}",
                key.name
            );
        }
    }
    for common in ["name", "kind", "group", "timeout", "attempts", "critical", "gate", "max_age"] {
        assert!(properties[common].is_object(), "{common}");
    }
}

#[test]
fn each_factor_is_set_alone_and_says_so() {
    let line = "check-config run --timeout-multiplier 2 -- app";
    let output = of_text(line, &["K_SERVICE=chat-staging", "VESTIBULE_VALIDATION_BUDGET=6s"], None);
    let text = String::from_utf8(output.stdout).unwrap();
    for wanted in [
        ("timeout_multiplier = 2.0", "flag"),
        ("timeout_margin = 1.1", "derived: in staging"),
        ("timeout_floor = \"500ms\"", "derived: on cloud_run"),
        ("validation_budget = \"6s\"", "variable VESTIBULE_VALIDATION_BUDGET"),
    ] {
        let line = text.lines().find(|line| line.starts_with(wanted.0));
        assert!(line.is_some_and(|line| line.ends_with(wanted.1)), "{wanted:?} is not in {text}");
    }
}
