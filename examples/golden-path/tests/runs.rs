//! Runs: the five events, whatever becomes of the model, the tools, the user and the instance.
//!
//! Breaks an instance at every point of a run, two instances over one run, and everything that a run depends on but the
//! database, which the suites of outages break.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests say what they expect by unwrapping"
)]

#[path = "runs/given.rs"]
mod given;

use std::time::Duration;

use given::{Given, Script, answered, call, count, kinds, text, told};
use golden_path::agent::{ModelError, Piece};
use golden_path::chat::{ChatError, RUNS_MAX, TEXT_MAX};
use golden_path::clock::now_ms;
use golden_path::event::{Event, Outcome, What};
use golden_path::store::Claim;
use serde_json::json;
use tokio::time::timeout;
use uuid::Uuid;

/// So short that another instance takes over soon.
const SHORT: Duration = Duration::from_millis(300);
/// So long that nothing is taken over in a test.
const LONG: Duration = Duration::from_secs(600);

/// Thinks, speaks, calls a tool, and ends its sentence with what the tool has said.
const GOLDEN: Script = |turn| match answered(turn) {
    0 => vec![Ok(Piece::Thinking("Hm.".into())), text("Let me see. "), call(1, "well")],
    _ => vec![text("It is "), text("don"), text("e.")],
};

const FIVE: [&str; 6] = [
    "user_message",
    "agent_started",
    "agent_thinking",
    "tool_executing",
    "tool_completed",
    "agent_completed",
];

fn end(events: &[Event]) -> (Outcome, String) {
    match &events.last().unwrap().what {
        What::AgentCompleted { outcome, text } => (*outcome, text.clone()),
        other => panic!("no end: {other:?}"),
    }
}

#[tokio::test]
async fn a_run_says_its_five_events_in_order_and_its_text_makes_up_the_answer() {
    let given = Given::new().await;
    let chat = given.chat("one", GOLDEN, LONG);
    given.say(&chat).await;
    let events = given.ended(1).await;
    assert_eq!(kinds(&events), FIVE);
    assert_eq!(end(&events), (Outcome::Completed, "Let me see. It is done.".into()));
    assert_eq!(told(&events), "Let me see. It is done.");
    assert!(events.iter().map(|event| event.id).eq(1..=i64::try_from(events.len()).unwrap()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_said_again_is_one_message_with_one_run() {
    let given = Given::new().await;
    let (one, two) = (given.chat("one", GOLDEN, LONG), given.chat("two", GOLDEN, LONG));
    let message = Uuid::new_v4();
    let (first, second) = tokio::join!(given.say_as(&one, message), given.say_as(&two, message));
    assert_eq!(first, second);
    given.ended(1).await;
    assert_eq!(given.say_as(&one, message).await, first);
    assert_eq!(kinds(&given.events().await), FIVE);
}

#[tokio::test]
async fn a_user_has_so_many_runs_at_once_and_messages_have_bounds() {
    let given = Given::new().await;
    let chat = given.chat("one", |_| vec![call(1, "hang")], LONG);
    for text in ["", " \n ", "nul\0", &"x".repeat(TEXT_MAX + 1)] {
        let sent = chat.send(given.user, given.thread, Uuid::new_v4(), text, "c").await;
        assert!(matches!(sent, Err(ChatError::Unfit)), "{sent:?}");
    }
    let nowhere = chat.send(given.user, Uuid::new_v4(), Uuid::new_v4(), "Hello?", "c").await;
    assert!(matches!(nowhere, Err(ChatError::NoSuchThread)), "{nowhere:?}");
    let (first, number) = (given.say(&chat).await, RUNS_MAX - 1);
    for _ in 0..number {
        given.say(&chat).await;
    }
    let more = chat.send(given.user, given.thread, Uuid::new_v4(), "Hello?", "c").await;
    assert!(matches!(more, Err(ChatError::TooMany)), "{more:?}");
    // What is stored is known, however many there are.
    let What::UserMessage { message, .. } = first.what else { panic!("{first:?}") };
    assert_eq!(given.say_as(&chat, message).await, first);
}

#[tokio::test]
async fn a_run_is_cancelled_wherever_it_is_and_a_tool_that_hangs_holds_up_nobody() {
    let given = Given::new().await;
    let one = given.chat("one", |_| vec![text("Well, "), call(1, "hang")], SHORT);
    let two = given.chat("two", GOLDEN, SHORT);
    given.say(&one).await;
    let events = given.until(|events| count(events, "tool_executing") == 1).await;
    let run = events.last().unwrap().run.unwrap();
    // Somebody else's run is nobody's; and the other instance is asked, which tells the first.
    assert!(!two.cancel(Uuid::new_v4(), run).await.unwrap());
    assert!(two.cancel(given.user, run).await.unwrap());
    let events = given.ended(1).await;
    assert_eq!(end(&events), (Outcome::Cancelled, "Well, ".into()));
    assert!(!two.cancel(given.user, run).await.unwrap(), "it has ended");
}

/// Instances die when so many events are stored, one after another; the next takes the run over.
async fn dies_behind(points: &[usize]) {
    let given = Given::new().await;
    let mut chat = given.chat("first", GOLDEN, SHORT);
    given.say(&chat).await;
    for (number, point) in points.iter().enumerate() {
        given.until(|events| events.len() >= *point || count(events, "agent_completed") == 1).await;
        drop(chat);
        chat = given.chat(&format!("next {number}"), GOLDEN, SHORT);
    }
    let events = given.ended(1).await;
    assert_eq!(kinds(&events), FIVE, "died behind {points:?}: {events:#?}");
    let answer = "Let me see. It is done.";
    assert_eq!(end(&events), (Outcome::Completed, answer.into()), "died behind {points:?}");
    assert_eq!(told(&events), answer, "died behind {points:?}: {events:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_may_die_at_any_point_of_a_run_and_the_next_one_too() {
    let given = Given::new().await;
    let chat = given.chat("whole", GOLDEN, LONG);
    given.say(&chat).await;
    let whole = given.ended(1).await.len();
    let once = (1..=whole).map(|point| vec![point]);
    let twice = (1..=whole).flat_map(|first| [1, 2, 3].map(|more| vec![first, first + more]));
    let deaths: Vec<Vec<usize>> = once.chain(twice).collect();
    futures_util::future::join_all(deaths.iter().map(|points| dies_behind(points))).await;
}

#[tokio::test]
async fn a_run_that_was_taken_away_says_nothing_more() {
    let given = Given::new().await;
    let slow: Script = |turn| match answered(turn) {
        0..8 => vec![call(answered(turn) + 1, "well")],
        _ => vec![text("Done.")],
    };
    let one = given.chat("one", slow, LONG);
    given.say(&one).await;
    given.until(|events| count(events, "tool_completed") >= 2).await;
    // Another instance believes that the first is dead, and it is not.
    let late = now_ms() + 3_600_000;
    let claim = Claim { instance: "two", now_ms: late, until_ms: late, at_most: 8 };
    let lease = given.store.take_over(claim).await.unwrap().remove(0);
    let said = given.store.append(&lease, &What::AgentThinking { text: "Mine.".into() }).await;
    let mine = said.unwrap().id;
    timeout(Duration::from_secs(10), one.close(Duration::from_secs(5))).await.expect("it ends");
    assert_eq!(given.events().await.last().unwrap().id, mine, "two instances spoke at once");
}

#[tokio::test]
async fn what_goes_wrong_with_a_model_or_a_tool_is_told_and_ends_the_run() {
    let wrong: [(Script, Outcome, &str); 7] = [
        (
            |_| vec![text("W"), Err(ModelError::Unavailable("canary".into()))],
            Outcome::Failed,
            "does not answer now",
        ),
        (|_| vec![Err(ModelError::Setup("canary".into()))], Outcome::Failed, "set up wrongly"),
        (|_| panic!("canary"), Outcome::Failed, "broke off"),
        (|turn| vec![call(answered(turn) + 1, "well")], Outcome::Failed, "no end"),
        (
            |_| (1..=40).map(|number| call(number, "well")).collect(),
            Outcome::Failed,
            "too many tools",
        ),
        (|_| vec![text(&"x".repeat(100_000))], Outcome::Failed, "too long"),
        (
            |turn| match answered(turn) {
                0 => vec![call(1, "panic"), call(2, "fail"), call(3, "flood")],
                _ => vec![text("All the same.")],
            },
            Outcome::Completed,
            "All the same.",
        ),
    ];
    for (script, outcome, words) in wrong {
        let given = Given::new().await;
        let chat = given.chat("one", script, LONG);
        given.say(&chat).await;
        let events = given.ended(1).await;
        let (found, said) = end(&events);
        assert!(found == outcome && said.contains(words), "{words}: {found:?} {said}");
        assert!(!format!("{events:?}").contains("canary"), "{words}: {events:?}");
        assert!(serde_json::to_string(&events).unwrap().len() < 200_000, "{words}");
    }
}

#[tokio::test]
async fn what_a_tool_could_not_do_is_an_answer_too() {
    let given = Given::new().await;
    let chat = given.chat(
        "one",
        |turn| match answered(turn) {
            0 => vec![Ok(Piece::Call { call: "a".into(), tool: "none".into(), input: json!({}) })],
            _ => vec![text("No.")],
        },
        LONG,
    );
    given.say(&chat).await;
    let events = given.ended(1).await;
    let completed = events.iter().find_map(|event| match &event.what {
        What::ToolCompleted { ok, output, .. } => Some((*ok, output.clone())),
        _ => None,
    });
    assert_eq!(completed, Some((false, json!({ "error": "there is no such tool" }))));
    assert_eq!(end(&events).0, Outcome::Completed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_lets_runs_end_and_gives_the_others_back_at_once() {
    let given = Given::new().await;
    let short = given.chat("short", GOLDEN, LONG);
    given.say(&short).await;
    short.close(Duration::from_secs(10)).await;
    assert_eq!(kinds(&given.events().await), FIVE, "a run that could end was cut off");
    let refused = short.send(given.user, given.thread, Uuid::new_v4(), "Hello?", "c").await;
    assert!(matches!(refused, Err(ChatError::Leaving)), "{refused:?}");

    let given = Given::new().await;
    let hangs = given.chat("hangs", |_| vec![call(1, "hang")], LONG);
    given.say(&hangs).await;
    given.until(|events| count(events, "tool_executing") == 1).await;
    hangs.close(Duration::from_millis(100)).await;
    drop(hangs);
    // Without the word of the first, its lease would last for ten minutes.
    let next = given.chat("next", GOLDEN, LONG);
    let events = given.until(|events| count(events, "tool_executing") == 1).await;
    let run = events.last().unwrap().run.unwrap();
    assert!(next.cancel(given.user, run).await.unwrap());
    assert_eq!(end(&given.ended(1).await).0, Outcome::Cancelled);
}

#[tokio::test]
async fn the_supervisor_tells_how_it_is() {
    let given = Given::new().await;
    let chat = given.chat("one", |_| vec![call(1, "hang")], LONG);
    given.say(&chat).await;
    let told = chat.supervisor().unwrap();
    assert_eq!(told["runs"], 1);
}
