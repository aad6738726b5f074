//! The page in a real browser: Chromium, real clicks and keys, across real cold starts.
//!
//! Breaks the start under a user who has the page open or opens it, with the door and without. Pictures of it all are
//! left in the target folder, under `golden-path-screenshots`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    dead_code,
    reason = "tests say what they expect by unwrapping; the stage is that of other plays, too"
)]

#[path = "browser/play.rs"]
mod play;
#[path = "stage/stage.rs"]
mod stage;

use play::Play;
use serde_json::{Value, json};
use stage::ports::free_port;
use stage::service::Setup;
use stage::watched;

/// What a run of the embedded model shows: its text is no step.
const SHOWN: [&str; 5] =
    ["agent_started", "agent_thinking", "tool_executing", "tool_completed", "agent_completed"];

fn one_whole_run(seen: &Value) {
    let runs = seen["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 1, "{seen:#}");
    assert_eq!(runs[0]["kinds"], json!(SHOWN), "{seen:#}");
    assert_eq!(runs[0]["outcome"], "completed", "{seen:#}");
    let words = runs[0]["words"].as_str().unwrap();
    assert!(words.starts_with("The service is ready."), "{words}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_opens_the_page_during_a_long_cold_start_chats_and_sees_no_error() {
    watched("the page over a cold start", async {
        let address = format!("127.0.0.1:{}", free_port());
        let mut play = Play::begin("cold_start", &address);
        assert_eq!(play.says().await["at"], "ready");
        let _service = Setup::cold("8s").at(&address).behind_the_door().await;
        let seen = play.goes_on().await.end().await;
        assert!(seen["held"].as_f64().unwrap() > 4000.0, "too late to see anything: {seen:#}");
        one_whole_run(&seen);
        assert_eq!((&seen["troubles"], &seen["complaints"]), (&json!([]), &json!([])), "{seen:#}");
        assert_eq!(seen["sideways"], 0, "{seen:#}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_door_the_same_user_has_no_page_and_no_socket() {
    watched("the page of a bare cold start", async {
        let address = format!("127.0.0.1:{}", free_port());
        let mut play = Play::begin("bare", &address);
        assert_eq!(play.says().await["at"], "ready");
        let service = Setup::cold("8s").at(&address).bare().await;
        let seen = play.goes_on().await.end().await;
        assert!(!service.has_been_ready(), "too late to see anything");
        assert_eq!((&seen["status"], &seen["hasForm"]), (&json!(503), &json!(0)), "{seen:#}");
        assert_eq!(
            (&seen["closed"]["code"], &seen["asked"]),
            (&json!(1011), &json!(503)),
            "{seen:#}"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_page_waits_for_a_cold_instance_and_sends_once_what_was_typed_meanwhile() {
    watched("the page over a restart", async {
        let scratch = tempfile::tempdir().unwrap();
        let database = format!("sqlite:{}", scratch.path().join("kept.db").display());
        let setup = |cold: &str| Setup::cold(cold).with("DATABASE_URL", &database);
        let mut first = setup("0s").behind_the_door().await;
        let mut play = Play::begin("restart", &first.address);
        assert_eq!(play.says().await["at"], "live");
        assert_eq!(first.process.terminate().await, 0);
        let _second = setup("4s").at(&first.address).behind_the_door().await;
        let seen = play.end().await;
        assert_eq!(seen["meanwhile"], 1, "{seen:#}");
        let waiting = seen["waiting"].as_str().unwrap();
        assert!(waiting.contains("Waiting for the service to start"), "{waiting}");
        assert_eq!(seen["said"], json!(["Is the service ready?", "Which threads do I have?"]));
        assert_eq!(
            (&seen["runs"][1]["kinds"], &seen["pending"]),
            (&json!(SHOWN), &json!(0)),
            "{seen:#}"
        );
        assert_eq!(seen["troubles"], json!([]), "{seen:#}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reload_in_the_middle_of_a_run_and_two_windows_show_all_of_it_once() {
    watched("reloads and two windows", async {
        let service = Setup::cold("0s").with("MODEL_PACE", "200ms").behind_the_door().await;
        let seen = Play::begin("reload", &service.address).end().await;
        let windows = seen["windows"].as_array().unwrap();
        assert_eq!(windows[0], windows[1], "{seen:#}");
        assert_eq!(
            windows[0]["said"],
            json!(["Which threads do I have?", "Is the service ready?"])
        );
        for run in windows[0]["runs"].as_array().unwrap() {
            assert_eq!((&run["kinds"], &run["outcome"]), (&json!(SHOWN), &json!("completed")));
        }
        assert_eq!(seen["troubles"], json!([]), "{seen:#}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_whole_path_is_walked_by_keyboard_alone() {
    watched("keys alone", async {
        let service = Setup::cold("0s").behind_the_door().await;
        let seen = Play::begin("keyboard", &service.address).end().await;
        one_whole_run(&seen);
        assert_eq!((&seen["outline"], &seen["isOpen"]), (&json!(true), &json!(true)), "{seen:#}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_look_and_size_of_the_page_shuts_anybody_out() {
    watched("accessibility", async {
        let service = Setup::cold("0s").behind_the_door().await;
        let seen = Play::begin("accessible", &service.address).end().await;
        let looks = seen["seen"].as_object().unwrap();
        assert_eq!(looks.len(), 12);
        for (look, found) in looks {
            assert_eq!(found, &json!({ "faults": [], "sideways": 0 }), "{look}");
        }
    })
    .await;
}
