//! The log of the golden path: one line for each step, one correlation from the handshake to the last word, and no
//! secret in any of them.
//!
//! Breaks the path of a correlation (through the door, over the bus, into another instance) and shows canaries to
//! everything that logs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    dead_code,
    reason = "tests say what they expect by unwrapping; the stage is that of other plays, too"
)]

#[path = "stage/stage.rs"]
mod stage;

use serde_json::{Value, json};
use stage::account::{Http, PASSWORD};
use stage::service::Setup;
use stage::talk::open;
use stage::watched;

/// The steps of a message with one call of a tool, in the order in which they must be logged.
const STEPS: [&str; 12] = [
    "handshake",
    "authenticated",
    "opened",
    "message_received",
    "message_stored",
    "agent_started",
    "agent_thinking",
    "tool_executing",
    "tool_completed",
    "agent_completed",
    "delivered",
    "closed",
];

/// The service's own lines with this correlation, by their step.
fn steps_of(log: &[String], correlation: &str) -> Vec<(String, Value)> {
    let lines = log.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let own = lines.filter(|line| line["correlation"] == correlation);
    own.filter_map(|line| Some((line["step"].as_str()?.to_owned(), line))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_step_has_one_line_under_the_correlation_of_the_handshake() {
    watched("one correlation", async {
        let service = Setup::cold("600ms").behind_the_door().await;
        let account = Http::of(&service.address).sign_up().await;
        let thread = account.thread("logged").await;
        let trace = format!("{:032x}", fastrand::u128(1..));
        let parent = format!("00-{trace}-00f067aa0ba902b7-01");
        let mut talk = open(&account, None, &[("traceparent", &parent)]).await.unwrap();
        assert_eq!(talk.hello["correlation"], *trace, "the client can tell us what to look for");
        talk.say(&thread, "Is the service ready?").await;
        talk.until_completed(1).await.unwrap();
        drop(talk);
        service.logs_step("closed", 1).await;

        let log = service.process.log();
        let steps = steps_of(&log, &trace);
        let names: Vec<&str> = steps
            .iter()
            .map(|(name, _)| name.as_str())
            .filter(|name| *name != "agent_text")
            .collect();
        let count = |step: &str| names.iter().filter(|name| **name == step).count();
        for step in STEPS {
            assert_eq!(count(step), 1, "{step} in {names:?}");
        }
        assert_eq!(names.len(), STEPS.len(), "{names:?}");
        // The run is another task than the socket: each of the two is in order.
        let at = |step: &str| names.iter().position(|name| *name == step).unwrap();
        let (socket, run) = (
            ["handshake", "authenticated", "opened", "message_received", "message_stored"],
            &STEPS[5..11],
        );
        assert!(socket.map(at).is_sorted(), "{names:?}");
        assert!(run.iter().map(|step| at(step)).is_sorted(), "{names:?}");
        assert_eq!(at("closed"), names.len() - 1);
        for (_, line) in &steps {
            for field in ["timestamp", "level", "message"] {
                assert!(line[field].is_string(), "{field} in {line}");
            }
        }
        // The door's own line of this client can be joined to them.
        let is_doors = |line: &&String| line.contains(&*trace) && !line.contains("\"step\"");
        assert!(log.iter().any(|line| is_doors(&line)), "the door says nothing of {trace}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_messages_on_two_sockets_are_told_apart() {
    watched("two correlations", async {
        let service = Setup::cold("0s").behind_the_door().await;
        let http = Http::of(&service.address);
        let mut correlations = Vec::new();
        for _ in 0..2 {
            let account = http.sign_up().await;
            let thread = account.thread("one of two").await;
            let mut talk = open(&account, None, &[]).await.unwrap();
            talk.say(&thread, "help").await;
            talk.until_completed(1).await.unwrap();
            correlations.push(talk.hello["correlation"].as_str().unwrap().to_owned());
        }
        service.logs_step("closed", 2).await;
        assert_ne!(correlations[0], correlations[1]);
        for correlation in &correlations {
            let steps = steps_of(&service.process.log(), correlation);
            let completed = steps.iter().filter(|(name, _)| name == "agent_completed").count();
            assert_eq!((completed, steps[0].0.as_str()), (1, "handshake"), "{steps:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_and_no_word_of_a_user_is_logged() {
    watched("canaries", async {
        let service = Setup::cold("0s").with("LOG", "trace").behind_the_door().await;
        let http = Http::of(&service.address);
        let account = http.sign_up().await;
        let (thread, word) = (account.thread("canary-title-77aa").await, "canary-word-5e1d");
        let mut talk = open(&account, None, &[]).await.unwrap();
        talk.say(&thread, &format!("search for {word}")).await;
        talk.until_completed(1).await.unwrap();
        talk.send(&json!({ "type": "token", "access": "canary-token-31bc" })).await.unwrap();
        talk.send(&json!({ "type": "canary-frame-0d2a" })).await.unwrap();
        assert_eq!(talk.next().await.unwrap()["type"], "refused");
        assert_eq!(talk.next().await.unwrap()["type"], "refused");
        let wrong = json!({ "name": account.name, "password": "canary-wrong-88cd" });
        assert_eq!(http.post("/api/login", &wrong).await.0, 401);
        let (_, fresh) = http.post("/api/refresh", &json!({ "refresh": account.refresh })).await;
        assert_eq!(http.post("/api/refresh", &json!({ "refresh": account.refresh })).await.0, 401);
        let _ = talk.end().await;
        service.logs_step("closed", 1).await;

        let mut canaries = vec![
            PASSWORD,
            word,
            "canary-title-77aa",
            "canary-token-31bc",
            "canary-frame-0d2a",
            "canary-wrong-88cd",
        ];
        canaries.extend([&*account.access, &*account.refresh]);
        canaries.extend([fresh["access"].as_str().unwrap(), fresh["refresh"].as_str().unwrap()]);
        let log = service.process.log();
        assert!(
            log.iter().any(|line| line.contains("\"TRACE\"") || line.contains("\"DEBUG\"")),
            "not loud enough"
        );
        for canary in canaries {
            let found = log.iter().find(|line| line.contains(canary));
            assert_eq!(found, None, "a secret in the log");
        }
    })
    .await;
}
