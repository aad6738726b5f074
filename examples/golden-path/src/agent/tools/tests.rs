//! Breaks the tools: with inputs that do not fit, long histories, and other users' threads.

use super::*;
use crate::agent::Sight;
use crate::event::UserId;

/// One user's threads, and who asked for them.
struct Seen {
    owner: UserId,
    threads: Value,
}

impl Sight for Seen {
    fn service(&self) -> Value {
        json!({ "status": "ready", "phases": [] })
    }

    fn threads(&self, user: UserId) -> BoxFuture<'_, Result<Value, String>> {
        let own = if user == self.owner { self.threads.clone() } else { json!([]) };
        async move { Ok(own) }.boxed()
    }
}

const OWNER: UserId = UserId::from_u128(1);

fn message(by: &str, text: &str, at_ms: i64) -> Value {
    json!({ "by": by, "text": text, "at_ms": at_ms })
}

fn call_by(user: UserId, tool: &dyn Tool, threads: &Value, input: Value) -> Result<Value, String> {
    let sight = Arc::new(Seen { owner: OWNER, threads: threads.clone() });
    tool.call(Caller { user, sight }, input).now_or_never().expect("it waits for nothing")
}

fn call(tool: &dyn Tool, threads: &Value, input: Value) -> Result<Value, String> {
    call_by(OWNER, tool, threads, input)
}

/// Breaks if an input passes that the schema forbids, or the error does not say what is wrong.
#[test]
fn an_input_that_does_not_fit_is_refused_with_the_reason() {
    let none = json!([]);
    for (input, why) in [
        (json!({}), "query"),
        (json!({ "query": 7 }), "string"),
        (json!({ "query": "  " }), "1 to 200 characters"),
        (json!({ "query": "é".repeat(201) }), "1 to 200 characters"),
        (json!({ "query": "tea", "user": "other" }), "user"),
        (json!("tea"), "does not fit"),
    ] {
        let error = call(&SearchMyMessages, &none, input.clone()).expect_err("it does not fit");
        assert!(error.contains(why), "{input}: {error}");
    }
    call(&SearchMyMessages, &none, json!({ "query": "é".repeat(200) })).expect("it just fits");
    for tool in [&ServiceState as &dyn Tool, &MyThreads] {
        call(tool, &none, json!({ "user": "other" })).expect_err("it takes nothing");
        call(tool, &none, Value::Null).expect("nothing is nothing");
    }
}

/// Breaks if it finds the agent's words, leaves out the newest, or tells more than it may.
#[test]
fn a_search_finds_the_users_newest_words_and_not_too_many() {
    let mut messages: Vec<Value> = (0..8).map(|at| message("user", "Green TEA", at)).collect();
    messages.push(message("user", &format!("tea green {}", "é".repeat(500)), 100));
    messages.push(message("agent", "green tea is green", 200));
    messages.push(message("user", "green coffee", 300));
    let threads = json!([{ "title": "drinks", "messages": messages }]);
    let found = call(&SearchMyMessages, &threads, json!({ "query": "tea Green" })).expect("found");
    assert_eq!(found["count"], 9);
    let matches = found["matches"].as_array().expect("a list");
    assert_eq!(matches.len(), MATCHES_MAX);
    assert_eq!(matches[0]["at_ms"], 100);
    assert_eq!(matches[1]["at_ms"], 7);
    let length = matches[0]["text"].as_str().map(|text| text.chars().count());
    assert_eq!(length, Some(MATCH_LENGTH));
}

/// Breaks if a long history makes an answer that is cut on its way.
#[test]
fn a_list_of_threads_is_short_and_tells_how_many_there_are() {
    let thread = json!({ "title": "t".repeat(10_000), "messages": [message("user", "tea", 7)] });
    let threads = Value::from(vec![thread; 300]);
    let told = call(&MyThreads, &threads, json!({})).expect("a list");
    assert_eq!(told["count"], 300);
    assert_eq!(told["threads"].as_array().map(Vec::len), Some(THREADS_MAX));
    assert_eq!(told["threads"][0]["messages"], 1);
    assert_eq!(told["threads"][0]["last_at_ms"], 7);
    assert!(told.to_string().len() < 16 * 1024);
}

/// Breaks if a tool looks at anybody but its caller.
#[test]
fn a_tool_sees_only_its_callers_threads() {
    let threads = json!([{ "title": "secret", "messages": [message("user", "tea", 7)] }]);
    let other = UserId::from_u128(2);
    let query = json!({ "query": "tea" });
    let found = call_by(other, &SearchMyMessages, &threads, query).expect("an answer");
    assert_eq!((&found["count"], &found["matches"]), (&json!(0), &json!([])));
    let told = call_by(other, &MyThreads, &threads, json!({})).expect("an answer");
    assert_eq!(told, json!({ "count": 0, "threads": [] }));
}

/// Breaks if a model is told of a tool that it can't call so.
#[test]
fn each_tool_tells_a_closed_schema() {
    for tool in all() {
        let spec = tool.spec();
        assert_eq!(spec.input["type"], "object", "{}", spec.name);
        assert_eq!(spec.input["additionalProperties"], false, "{}", spec.name);
        assert!(spec.description.ends_with('.'), "{}", spec.name);
    }
}
