//! Breaks the embedded model's promises: the same for the same, different for different, and true.

use super::*;
use crate::agent::ToolSpec;

fn turn(text: &str, tools: Vec<Said>) -> Turn {
    let known = ["service_state", "my_threads", "search_my_messages"];
    let tools_known = known.map(|name| ToolSpec {
        name: name.into(),
        description: String::new(),
        input: json!({}),
    });
    let mut conversation = vec![Said::User(text.to_owned())];
    conversation.extend(tools);
    Turn { conversation, tools: tools_known.to_vec() }
}

fn answered(tool: &str, output: Value) -> Said {
    Said::Tool { call: "call-1".into(), tool: tool.into(), input: json!({}), output }
}

fn text(turn: &Turn) -> String {
    let texts = pieces(turn).into_iter().map(|piece| match piece {
        Piece::Text(text) => text,
        other => panic!("{other:?}"),
    });
    texts.collect()
}

/// Breaks if it answers before it has asked, or asks for ever.
#[test]
fn it_thinks_and_calls_a_tool_before_it_answers() {
    for (question, tool) in [
        ("Is the service ready?", "service_state"),
        ("Which threads do I have?", "my_threads"),
        ("What have I said about tea?", "search_my_messages"),
        ("Summarise this thread", "my_threads"),
        ("Good morning", "my_threads"),
    ] {
        let asks = pieces(&turn(question, Vec::new()));
        assert!(
            matches!(&*asks, [Piece::Thinking(_), Piece::Call { tool: called, .. }] if called == tool)
        );
        let answer = text(&turn(question, vec![answered(tool, json!({}))]));
        assert!(!answer.is_empty(), "{question}");
    }
    let help = |tools| pieces(&turn("help", tools));
    let first = vec![answered("service_state", json!({}))];
    assert!(
        matches!(&help(first)[1], Piece::Call { tool, call, .. } if tool == "my_threads" && call == "call-2")
    );
}

/// Breaks if it invents something, or leaves out what it was told.
#[test]
fn it_says_what_its_tools_said() {
    let state = json!({
        "status": "ready", "instance": "i-1",
        "phases": [{ "phase": "database", "ms": 700 }, { "phase": "cache", "ms": 20 }],
    });
    let said = text(&turn("status?", vec![answered("service_state", state)]));
    assert_eq!(
        said,
        "The service is ready. Its start took 720 ms in 2 phases; the longest was database with 700 ms. \
         You talk to the instance i-1."
    );
    let found = json!({
        "query": "tea", "count": 2,
        "matches": [{ "thread": "a", "text": "search for tea" }, { "thread": "b", "text": "tea is good" }],
    });
    let said = text(&turn("search for tea", vec![answered("search_my_messages", found)]));
    assert_eq!(said, "You wrote about \"tea\" once before. In \"b\" you wrote: \"tea is good\".");
    let failed = answered("service_state", json!({ "error": "no" }));
    assert_eq!(text(&turn("status?", vec![failed])), "I could not learn how the service is.");
}

/// Breaks if two users with different histories get one answer, or if one user gets two.
#[test]
fn the_same_gives_the_same_and_other_histories_other_answers() {
    let ask = |title: &str| {
        let threads = json!({ "threads": [{ "title": title, "messages": 2 }] });
        pieces(&turn("hello", vec![answered("my_threads", threads)]))
    };
    assert_eq!(ask("tea"), ask("tea"));
    assert_ne!(ask("tea"), ask("coffee"));
}

/// Breaks if a piece is lost between two others.
#[test]
fn pieces_make_up_the_answer() {
    for text in ["", " ", "one", "a b c d e f g h i", "  two  spaces   here  and é there "] {
        assert_eq!(words(text).collect::<String>(), text);
    }
}

/// Breaks if a question is counted as an answer to itself, or something earlier is left out since it looks like one.
#[test]
fn a_search_leaves_out_the_question_and_nothing_else() {
    let search = |question: &str, texts: &[&str]| {
        let matches = texts.iter().map(|text| json!({ "thread": "t", "text": text }));
        let matches: Vec<Value> = matches.collect();
        let found = json!({ "query": "tea", "count": texts.len(), "matches": matches });
        text(&turn(question, vec![answered("search_my_messages", found)]))
    };
    let nothing = "You have not written about \"tea\" before.";
    let once = "You wrote about \"tea\" once before. In \"t\" you wrote: \"tea is good\".";
    assert_eq!(search("find tea", &["find tea"]), nothing);
    assert_eq!(search("find tea", &["find tea", "tea is good"]), once);
    // Another message was newer, or the question is not among what was looked at.
    assert_eq!(search("find tea", &["tea is good", "find tea"]), once);
    assert_eq!(search("find tea", &["tea is good"]), once);
    assert!(search("find tea", &["find tea", "find tea"]).contains("once before"));
}

/// Breaks if a question in plain words is taken for another one.
#[test]
fn plain_words_have_one_meaning() {
    let search = |query: &str| Intent::Search { query: query.into() };
    for (said, meant) in [
        ("Is the service READY?", Intent::State),
        ("how did the start go", Intent::State),
        ("What have I asked about green tea?", search("green tea")),
        ("search for \"tea\"!", search("tea")),
        ("Please summarize this thread.", Intent::Summary),
        ("what can you do?", Intent::Help),
        ("list my threads", Intent::Threads),
        ("already starting refind it", Intent::Other),
        ("find ?", Intent::Other),
        ("", Intent::Other),
    ] {
        assert_eq!(Intent::of(said), meant, "{said:?}");
    }
}

/// Breaks if the pieces come at once, or not at all.
#[tokio::test(start_paused = true)]
async fn pieces_come_at_their_pace() {
    let began = tokio::time::Instant::now();
    let said = Embedded::new(Duration::from_millis(40)).respond(turn("status?", Vec::new()));
    let pieces: Vec<_> = said.collect().await;
    assert_eq!(pieces.len(), 2);
    assert_eq!(began.elapsed(), Duration::from_millis(80));
}
