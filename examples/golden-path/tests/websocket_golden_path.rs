//! The golden path across a cold start: sign up, open a socket, chat, watch the agent, come again, leave.
//!
//! Breaks the start at each of its phases while a user is on the way.
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

use reqwest::Method;
use serde_json::json;
use stage::account::{Account, Http};
use stage::service::Setup;
use stage::talk::{End, GOLDEN, Refusal, kinds, open, told};
use stage::watched;

/// The whole path of one user.
async fn walk(account: &Account) {
    let thread = account.thread("first steps").await;
    let mut talk = open(account, None, &[]).await.unwrap();
    let message = talk.say(&thread, "Is the service ready?").await;
    let events = talk.until_completed(1).await.unwrap();
    assert_eq!(kinds(&events), GOLDEN, "{events:#?}");
    assert_eq!(events[0]["message"], *message);
    let end = events.last().unwrap();
    assert_eq!(
        (end["outcome"].as_str(), end["text"].as_str()),
        (Some("completed"), Some(&*told(&events)))
    );
    assert!(end["text"].as_str().unwrap().starts_with("The service is ready."), "{end}");
    assert_eq!(account.events(&thread).await, events, "what was told is what is stored");
    // From every place: each missed event once and in order.
    let (first, last) = (events[0]["id"].as_i64().unwrap(), talk.last);
    for after in first - 1..=last {
        let mut again = open(account, Some(after), &[]).await.unwrap();
        for event in events.iter().filter(|event| event["id"].as_i64().unwrap() > after) {
            assert_eq!(again.next().await.unwrap(), *event);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_who_comes_in_any_phase_of_the_start_walks_the_whole_path() {
    watched("the golden path", async {
        let phases = ["dependencies", "database", "cache", "services", "websocket", "finalize"];
        let plays = phases.map(|phase| async move {
            let service = Setup::cold(&format!("{phase}=600ms")).behind_the_door().await;
            assert!(!service.has_been_ready(), "too late to see anything");
            let account = Http::of(&service.address).sign_up().await;
            walk(&account).await;
        });
        futures_util::future::join_all(plays).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_that_comes_again_during_the_start_is_held_and_then_served() {
    watched("a socket over a restart", async {
        let scratch = tempfile::tempdir().unwrap();
        let database = format!("sqlite:{}", scratch.path().join("kept.db").display());
        let setup = |cold: &str| Setup::cold(cold).with("DATABASE_URL", &database);
        let mut first = setup("0s").behind_the_door().await;
        let account = Http::of(&first.address).sign_up().await;
        let thread = account.thread("before and after").await;
        let mut talk = open(&account, None, &[]).await.unwrap();
        talk.say(&thread, "Which threads do I have?").await;
        let events = talk.until_completed(1).await.unwrap();
        let (ended, closed) = tokio::join!(first.process.terminate(), talk.end());
        assert_eq!((ended, closed), (0, End::Closed(1012)));
        // The next instance: the socket comes at once, with the old token, and misses nothing.
        let second = setup("600ms").behind_the_door().await;
        assert!(!second.has_been_ready(), "too late to see anything");
        let account = account.at(&second.address);
        let mut talk = open(&account, Some(events[0]["id"].as_i64().unwrap()), &[]).await.unwrap();
        assert!(second.has_been_ready());
        assert_eq!(talk.until_completed(1).await.unwrap(), events[1..]);
        talk.say(&thread, "What have I said about threads?").await;
        assert_eq!(kinds(&talk.until_completed(1).await.unwrap()), GOLDEN);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_can_be_cancelled_and_a_log_out_closes_the_socket() {
    watched("cancel and log out", async {
        let service = Setup::cold("0s").with("MODEL_PACE", "500ms").behind_the_door().await;
        let account = Http::of(&service.address).sign_up().await;
        let thread = account.thread("cut short").await;
        let mut talk = open(&account, None, &[]).await.unwrap();
        talk.say(&thread, "help").await;
        let run = loop {
            let event = talk.next().await.unwrap();
            if event["type"] == "agent_started" {
                break event["run"].clone();
            }
        };
        talk.send(&json!({ "type": "cancel", "run": run })).await.unwrap();
        let events = talk.until_completed(1).await.unwrap();
        assert_eq!(events.last().unwrap()["outcome"], "cancelled");
        // Another session of the same user stays.
        let other = account.http.log_in(&account.name).await;
        let mut stays = open(&other, None, &[]).await.unwrap();
        account.log_out().await;
        assert_eq!(talk.end().await, End::Closed(4401));
        assert_eq!(open(&account, None, &[]).await.err(), Some(Refusal::Status(401)));
        let (status, _) = account.http.send(account.request(Method::GET, "/api/me")).await;
        assert_eq!(status, 401);
        stays.send(&json!({ "type": "ping" })).await.unwrap();
        stays.say(&thread, "hello again").await;
        assert_eq!(kinds(&stays.until_completed(1).await.unwrap()), GOLDEN);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_users_with_different_histories_get_different_answers() {
    watched("two histories", async {
        let service = Setup::cold("0s").behind_the_door().await;
        let http = Http::of(&service.address);
        let mut answers = Vec::new();
        for title in ["tea", "coffee"] {
            let account = http.sign_up().await;
            let thread = account.thread(title).await;
            let mut talk = open(&account, None, &[]).await.unwrap();
            talk.say(&thread, "Which threads do I have?").await;
            let events = talk.until_completed(1).await.unwrap();
            let answer = events.last().unwrap()["text"].as_str().unwrap().to_owned();
            assert!(answer.contains(title), "{answer}");
            answers.push(answer);
        }
        assert_ne!(answers[0], answers[1]);
    })
    .await;
}

// What the door is for: the same users, without it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_door_the_same_user_is_turned_away() {
    watched("the incident", async {
        let service = Setup::cold("services=2s").bare().await;
        let http = Http::of(&service.address);
        let (status, _) =
            http.post("/api/signup", &json!({ "name": "anna", "password": "correct horse" })).await;
        assert_eq!(status, 503);
        let nobody =
            Account { http, name: String::new(), access: "none".into(), refresh: String::new() };
        assert_eq!(open(&nobody, None, &[]).await.err(), Some(Refusal::Closed(1011)));
        assert!(!service.has_been_ready(), "too late to see anything");
    })
    .await;
}
