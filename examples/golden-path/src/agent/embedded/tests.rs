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
