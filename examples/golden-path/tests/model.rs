//! Breaks the model behind an endpoint: answers cut at every byte, refusals, silence, floods and lies, over real HTTP.
//!
//! The endpoint is a server in this process that says exactly the bytes a test wants, so that what reaches the client
//! is known to the byte.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests say what they expect by unwrapping"
)]

#[path = "model/endpoint.rs"]
mod endpoint;
#[path = "model/log.rs"]
mod log;

use std::time::Duration;

use futures_util::StreamExt as _;
use golden_path::agent::openai::Patience;
use golden_path::agent::{Model as _, ModelError, Piece, Said, ToolSpec, Turn};
use serde_json::{Value, json};

use self::endpoint::{Answer, End, Endpoint, KEY};
use self::log::Log;

/// Longer than anything takes that goes well.
const PATIENT: Patience = Patience {
    connect: Duration::from_secs(10),
    silence: Duration::from_secs(20),
    whole: Duration::from_secs(60),
};

fn turn() -> Turn {
    let input = json!({ "type": "object" });
    let tool = ToolSpec { name: "clock".into(), description: "Tells the time.".into(), input };
    Turn { conversation: vec![Said::User("canary-prompt".into())], tools: vec![tool] }
}

fn delta(delta: impl Into<Value>) -> Value {
    let delta = delta.into();
    json!({ "choices": [{ "index": 0, "delta": delta, "finish_reason": null }] })
}

fn finish(why: &str) -> Value {
    json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": why }] })
}

fn text(said: &str) -> Piece {
    Piece::Text(said.to_owned())
}

fn call(id: &str, tool: &str, input: Value) -> Piece {
    Piece::Call { call: id.to_owned(), tool: tool.to_owned(), input }
}

/// What is said, and why it ended.
async fn ask(endpoint: &Endpoint, patience: Patience) -> (Vec<Piece>, Option<ModelError>) {
    let mut said = endpoint.model(patience).respond(turn());
    let mut pieces = Vec::new();
    while let Some(piece) = said.next().await {
        match piece {
            Ok(piece) => pieces.push(piece),
            Err(error) => {
                assert!(said.next().await.is_none(), "something comes after {error}");
                return (pieces, Some(error));
            }
        }
    }
    (pieces, None)
}

async fn answered(answer: Answer) -> (Vec<Piece>, Option<ModelError>) {
    ask(&Endpoint::start([answer]).await, PATIENT).await
}

/// An answer with all that there is: a thought, words beyond ASCII, and two calls whose parts come crosswise.
fn everything() -> Answer {
    let part = |parts: Value| delta(json!({ "tool_calls": parts }));
    Answer::stream(&[
        delta(json!({ "role": "assistant", "content": "" })),
        delta(json!({ "reasoning_content": "I look ", "reasoning": "I look " })),
        delta(json!({ "reasoning_content": "at 🕰." })),
        delta(json!({ "content": "Grüße, " })),
        delta(json!({ "content": "世界 🌍", "reasoning": null })),
        part(
            json!([{ "index": 0, "id": "a", "type": "function", "function": { "name": "clock", "arguments": "" } }]),
        ),
        part(json!([{ "index": 0, "function": { "arguments": "{\"zone\":" } }])),
        part(json!([
            { "index": 1, "id": "b", "function": { "name": "search", "arguments": "{\"query\":\"" } },
            { "index": 0, "function": { "arguments": "\"UTC\"" } },
        ])),
        part(json!([{ "index": 1, "function": { "arguments": "é\"}" } }])),
        part(json!([{ "index": 0, "id": "a", "function": { "name": "clock", "arguments": "}" } }])),
        finish("tool_calls"),
        json!({ "choices": [], "usage": { "total_tokens": 12 } }),
    ])
}

fn all_of_it() -> Vec<Piece> {
    vec![
        Piece::Thinking("I look at 🕰.".into()),
        text("Grüße, "),
        text("世界 🌍"),
        call("a", "clock", json!({ "zone": "UTC" })),
        call("b", "search", json!({ "query": "é" })),
    ]
}

/// Breaks if a part of an answer is lost, told twice, or put together wrongly; or if the question is not what was asked.
#[tokio::test]
async fn model_tells_thoughts_text_and_parallel_calls() {
    let endpoint = Endpoint::start([everything()]).await;
    assert_eq!(ask(&endpoint, PATIENT).await, (all_of_it(), None));
    let [asked] = &endpoint.asked()[..] else { panic!("asked once") };
    assert!(asked.head.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"), "{}", asked.head);
    assert!(asked.head.contains(&format!("authorization: Bearer {KEY}\r\n")), "{}", asked.head);
    assert_eq!(asked.body["model"], "small-1");
    assert_eq!(asked.body["stream"], true);
    assert_eq!(asked.body["messages"][1], json!({ "role": "user", "content": "canary-prompt" }));
    assert_eq!(asked.body["tools"][0]["function"]["name"], "clock");
}

/// Breaks if an answer depends on where the network cuts it: inside of a character, a line end or a call.
#[tokio::test]
async fn model_tells_the_same_wherever_its_answer_is_cut() {
    let whole = everything();
    let bytes = whole.bytes();
    let each = whole.clone().parts(bytes.iter().map(|byte| vec![*byte]));
    assert_eq!(answered(each).await, (all_of_it(), None), "each byte by itself");
    // Seven and the lengths of the events have no common measure; the reader has a test with every pair of cuts.
    let cuts: Vec<usize> = (1..bytes.len()).step_by(7).collect();
    let answers = cuts.iter().map(|cut| {
        let (first, rest) = bytes.split_at(*cut);
        whole.clone().parts([first.to_vec(), rest.to_vec()])
    });
    let endpoint = Endpoint::start(answers).await;
    let model = endpoint.model(PATIENT);
    for cut in cuts {
        let told: Vec<_> =
            model.respond(turn()).map(|piece| piece.expect("it is whole")).collect().await;
        assert_eq!(told, all_of_it(), "cut at {cut}");
    }
}

/// Breaks if line ends that the standard allows, or comments, are taken for something else.
#[tokio::test]
async fn model_reads_every_line_end_and_skips_comments() {
    for end in ["\n", "\r\n", "\r"] {
        let event = |event: &Value| format!("data:{event}{end}{end}");
        let (hello, stop) = (event(&delta(json!({ "content": "hello" }))), event(&finish("stop")));
        let body =
            format!(": wait{end}{end}event: x{end}{hello}: wait{end}{stop}data: [DONE]{end}{end}");
        let answer = Answer::stream(&[]).parts([body.into_bytes()]);
        assert_eq!(answered(answer).await, (vec![text("hello")], None), "{end:?}");
    }
}

/// Breaks if it waits for more after the end, or wants one that some servers leave out.
#[tokio::test]
async fn model_is_content_with_either_end() {
    let hello = delta(json!({ "content": "hello" }));
    let held = Answer::stream(std::slice::from_ref(&hello)).end(End::Held);
    assert_eq!(answered(held).await, (vec![text("hello")], None), "[DONE], and nothing more");
    let mut finished = Answer::stream(&[hello, finish("stop")]);
    finished.parts.pop();
    assert_eq!(answered(finished).await, (vec![text("hello")], None), "no [DONE]");
}

/// Breaks if an answer that broke off passes for a whole one, or its beginning is lost, or it is asked for again.
#[tokio::test]
async fn model_takes_no_broken_answer_for_a_whole_one() {
    let hello = delta(json!({ "content": "hello" }));
    for end in [End::Whole, End::Cut] {
        let mut answer = Answer::stream(std::slice::from_ref(&hello)).end(end);
        answer.parts.pop();
        let endpoint = Endpoint::start([answer, everything()]).await;
        let (said, error) = ask(&endpoint, PATIENT).await;
        assert_eq!(said, [text("hello")], "{end:?}");
        assert!(matches!(error, Some(ModelError::Unavailable(_))), "{end:?}: {error:?}");
        assert_eq!(endpoint.asked().len(), 1, "{end:?}");
    }
}

/// Breaks if what can't be read is passed over, or what came before it is.
#[tokio::test]
async fn model_says_so_when_an_answer_can_not_be_read() {
    let hello = format!("data: {}\n\n", delta(json!({ "content": "hello" })));
    let bad_call = json!({ "tool_calls": [{ "index": 0, "id": "a", "function": { "name": "clock", "arguments": "{" } }] });
    let nameless =
        json!({ "tool_calls": [{ "index": 0, "id": "a", "function": { "arguments": "{}" } }] });
    let far =
        json!({ "tool_calls": [{ "index": 4_000_000_000_u32, "function": { "name": "clock" } }] });
    let cases = [
        "data: {\"choices\":\n\ndata: [DONE]\n\n".to_owned(),
        format!("data: {}\n\ndata: [DONE]\n\n", delta(bad_call)),
        format!("data: {}\n\ndata: [DONE]\n\n", delta(nameless)),
        format!("data: {}\n\ndata: [DONE]\n\n", delta(far)),
        format!("data: {}\n\ndata: [DONE]\n\n", finish("length")),
    ];
    for case in cases {
        let answer = Answer::stream(&[]).parts([format!("{hello}{case}").into_bytes()]);
        let (said, error) = answered(answer).await;
        assert_eq!(said, [text("hello")], "{case}");
        assert!(matches!(error, Some(ModelError::Misunderstood(_))), "{case}: {error:?}");
    }
    let document = Answer::status("200 OK", "Content-Type: application/json; charset=utf-8\r\n");
    assert!(matches!(answered(document).await.1, Some(ModelError::Misunderstood(_))));
}

/// Breaks if an error in the stream is taken for a chunk without words.
#[tokio::test]
async fn model_hears_an_error_inside_an_answer() {
    let answer = Answer::stream(&[json!({ "error": { "message": KEY } })]);
    let (said, error) = answered(answer).await;
    assert!(said.is_empty());
    assert!(matches!(error, Some(ModelError::Unavailable(_))), "{error:?}");
}

/// Breaks if a flood is kept or read for ever: a line, comments, or words without an end.
#[tokio::test]
async fn model_gives_up_an_endless_answer() {
    let word = format!("data: {}\n\n", delta(json!({ "content": "x".repeat(60_000) })));
    let comments = ": nothing\n\n".repeat(5000);
    for flood in ["x".repeat(65_536), comments, word] {
        let answer = Answer::stream(&[]).parts([flood.clone().into_bytes()]).end(End::Endless);
        let endpoint = Endpoint::start([answer]).await;
        let (_, error) = ask(&endpoint, PATIENT).await;
        assert!(matches!(error, Some(ModelError::Misunderstood(_))), "{}: {error:?}", &flood[..9]);
        endpoint.left().await;
    }
}

/// Breaks if a busy endpoint is given up at once, or asked without end.
#[tokio::test]
async fn model_asks_again_before_an_answer_and_not_for_ever() {
    let now = "Retry-After: 0\r\n";
    let busy = || Answer::status("429 Too Many Requests", now);
    let broken = || Answer::status("500 Internal Server Error", now);
    let endpoint = Endpoint::start([busy(), broken(), everything()]).await;
    assert_eq!(ask(&endpoint, PATIENT).await, (all_of_it(), None));
    assert_eq!(endpoint.asked().len(), 3);

    let endpoint = Endpoint::start([broken(), broken(), broken(), everything()]).await;
    let (said, error) = ask(&endpoint, PATIENT).await;
    assert!(said.is_empty());
    assert_eq!(error, Some(ModelError::Unavailable("status 500".into())));
    assert_eq!(endpoint.asked().len(), 3);
}

/// Breaks if a mistake in the settings is asked again, followed elsewhere with the key, or not said to be one.
#[tokio::test]
async fn model_says_when_it_is_set_up_wrongly() {
    let elsewhere = Endpoint::start([everything()]).await;
    let found = format!("Location: http://{}/v1/chat/completions\r\n", elsewhere.address());
    for (status, fields) in [
        ("400 Bad Request", ""),
        ("401 Unauthorized", ""),
        ("403 Forbidden", ""),
        ("404 Not Found", ""),
        ("307 Temporary Redirect", found.as_str()),
    ] {
        let endpoint = Endpoint::start([Answer::status(status, fields), everything()]).await;
        let (said, error) = ask(&endpoint, PATIENT).await;
        assert!(said.is_empty());
        let Some(ModelError::Setup(why)) = error else { panic!("{status}: {error:?}") };
        assert!(why.contains(&status[..3]), "{why}");
        assert_eq!(endpoint.asked().len(), 1, "{status}");
    }
    assert!(elsewhere.asked().is_empty());
}

/// Breaks if silence is waited out: before the first byte, or between two. What was said stays said.
#[tokio::test]
async fn model_waits_for_no_silent_endpoint() {
    let brief = Patience { silence: Duration::from_millis(300), ..PATIENT };
    let mut mute = Answer::stream(&[]).parts([]).end(End::Held);
    mute.head.clear();
    let mut stops = Answer::stream(&[delta(json!({ "content": "hello" }))]).end(End::Held);
    stops.parts.pop();
    for (answer, begun) in [(mute, vec![]), (stops.clone(), vec![text("hello")])] {
        let endpoint = Endpoint::start([answer, everything()]).await;
        let (said, error) = ask(&endpoint, brief).await;
        assert_eq!(said, begun);
        assert!(matches!(error, Some(ModelError::Unavailable(_))), "{error:?}");
        assert_eq!(endpoint.asked().len(), 1, "it had the question");
        endpoint.left().await;
    }
    // Comments keep the line busy; the whole has a limit of its own.
    let whole = Patience { whole: Duration::from_millis(300), ..PATIENT };
    let (said, error) = ask(&Endpoint::start([stops]).await, whole).await;
    assert_eq!(said, [text("hello")]);
    assert!(matches!(error, Some(ModelError::Unavailable(_))), "{error:?}");
}

/// Breaks if a run that is cancelled goes on costing money.
#[tokio::test]
async fn model_that_is_dropped_closes_its_connection() {
    let mut answer = Answer::stream(&[delta(json!({ "content": "hello" }))]).end(End::Held);
    answer.parts.pop();
    let endpoint = Endpoint::start([answer]).await;
    let model = endpoint.model(PATIENT);
    let mut said = model.respond(turn());
    assert_eq!(said.next().await, Some(Ok(text("hello"))));
    drop(said);
    endpoint.left().await;
}

/// Breaks if the key, the question or the answer is in an error or in the log, whatever goes wrong.
#[tokio::test]
async fn model_never_tells_its_key_or_what_was_said() {
    let log = Log::default();
    let _guard = log.listen();
    let wrong =
        Answer::stream(&[]).parts([format!("data: {{{KEY} canary-answer\n\n").into_bytes()]);
    let whole = Answer::stream(&[delta(json!({ "content": "canary-answer" })), finish("stop")]);
    let answers =
        [Answer::status("401 Unauthorized", ""), wrong, whole.clone().end(End::Cut), whole];
    let mut told = String::new();
    for answer in answers {
        let endpoint = Endpoint::start([answer]).await;
        if let (_, Some(error)) = ask(&endpoint, PATIENT).await {
            told.push_str(&format!("{error} {error:?}"));
        }
    }
    let nobody = Endpoint::start([]).await;
    let model = nobody.model(Patience { whole: Duration::from_millis(50), ..PATIENT });
    drop(nobody);
    let error = model.respond(turn()).next().await.expect("a word").expect_err("nobody listens");
    told.push_str(&format!("{error} {error:?}"));
    tracing::warn!("the log is heard");
    told.push_str(&log.text());
    assert!(told.contains("the log is heard"));
    assert!(!told.contains("canary"), "{told}");
}
