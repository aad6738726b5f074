//! Breaks a key that is defined as one type and read as another: a file with every key of a command in it
//! is taken, and each value is shown as it was written.

use crate::{FILE, of_text};

const SHARED: &str = r#"
listen = ":9000"
ready_path = "/health"
startup_timeout = "90s"
hold = "45s"
max_held = 2000
max_held_per_client = 20
refusal = "close"
public_health = "/healthz"
settle = "200ms"
dial_ahead = 16
try_timeout = "2s"
late_routes = true
trust_proxy = ["10.0.0.0/8"]
request_timeout = "600s"
head_timeout = "5s"
head_bytes_max = 16384
head_fields_max = 64
client_idle = "60s"
lame_duck = "1s"
drain = "20s"
child_grace = "5s"
drain_code = 1001
log = "json"
verbose = true
profile = "chat"
timeout_multiplier = 2.5
timeout_margin = 1.25
timeout_floor = "100ms"
validation_budget = "6s"
phases = ["init", "models", "first-load"]
admin = "127.0.0.1:9001"
admin_allow_remote = false
admin_host = ["admin.internal"]
"#;

const OF_RUN: &str = r#"
child_port = 9002
restart = "on-failure"
child_term = "first"
command = ["app", "--port", "{port}"]
"#;

/// What the profile's addresses are taken from.
const VARIABLES: [&str; 6] = [
    "DATABASE_URL=tcp://db:1",
    "REDIS_URL=tcp://cache:1",
    "AUTH_URL=tcp://auth:1",
    "AGENT_SUPERVISOR_URL=tcp://agents:1",
    "WEBSOCKET_BRIDGE_URL=tcp://bridge:1",
    "INTEGRATION_URL=tcp://app:1",
];

const OF_SERVE: &str = "upstream = \"127.0.0.1:9003\"\n";

#[test]
fn every_key_is_taken_and_shown_as_it_was_written() {
    for (command, own) in [("run", OF_RUN), ("serve", OF_SERVE)] {
        let file = format!("{SHARED}{own}");
        let line = format!("check-config {command} --config {FILE}");
        let output = of_text(&line, &VARIABLES, Some(&file));
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{said}");
        let shown = String::from_utf8(output.stdout).unwrap();
        // Checks are for `declared`.
        let shown = shown.split("\n[[check]]").next().unwrap();
        for line in file.lines().filter(|line| !line.is_empty()) {
            let found = shown.lines().find(|shown| shown.starts_with(line));
            let place = found.unwrap_or_else(|| panic!("{line} is not in {shown}"));
            assert!(place.contains("# vestibule.toml:"), "{place}");
        }
        let others =
            shown.lines().filter(|line| line.contains(" = ") && !line.contains("vestibule.toml:"));
        assert_eq!(others.collect::<Vec<_>>(), [""; 0], "a key is missing in this test");
    }
}
