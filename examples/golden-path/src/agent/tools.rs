//! The tools of this service.
//!
//! Owns what each looks at. Must never look at another user's threads: a tool has only what its caller may see.

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::agent::registry::{RegisterError, Registry};
use crate::agent::{Caller, Tool, ToolSpec};

/// How many matches a search gives.
const MATCHES_MAX: usize = 5;
/// The longest text of one match, in characters.
const MATCH_LENGTH: usize = 200;
/// How many threads are listed.
const THREADS_MAX: usize = 20;
/// The longest query, in characters.
const QUERY_MAX: usize = 200;

/// A registry with the tools of this service.
///
/// # Errors
///
/// Two of them have one name: our mistake.
pub fn registry() -> Result<Registry, RegisterError> {
    let builder = Registry::builder();
    for tool in all() {
        builder.register(tool)?;
    }
    Ok(builder.freeze())
}

/// The tools of this service.
pub fn all() -> Vec<Arc<dyn Tool>> {
    vec![Arc::new(ServiceState), Arc::new(MyThreads), Arc::new(SearchMyMessages)]
}

/// How the service is, and how its start went.
pub struct ServiceState;

/// Which threads a user has.
pub struct MyThreads;

/// What was said in a user's threads.
pub struct SearchMyMessages;

impl Tool for ServiceState {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "service_state".into(),
            description: "Tells how this service is, and how long each phase of its start took."
                .into(),
            input: nothing(),
        }
    }

    fn call(&self, caller: Caller, input: Value) -> BoxFuture<'_, Result<Value, String>> {
        async move {
            read::<Nothing>(input)?;
            Ok(caller.sight.service())
        }
        .boxed()
    }
}

impl Tool for MyThreads {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "my_threads".into(),
            description: "Lists the user's own threads with how many messages are in each.".into(),
            input: nothing(),
        }
    }

    fn call(&self, caller: Caller, input: Value) -> BoxFuture<'_, Result<Value, String>> {
        async move {
            read::<Nothing>(input)?;
            let threads = threads(&caller).await?;
            let list = threads.iter().take(THREADS_MAX).map(|thread| {
                let last = thread.messages.last();
                json!({
                    "title": thread.title.chars().take(MATCH_LENGTH).collect::<String>(),
                    "messages": thread.messages.len(),
                    "last_at_ms": last.map(|message| message.at_ms),
                })
            });
            let list: Vec<Value> = list.collect();
            Ok(json!({ "count": threads.len(), "threads": list }))
        }
        .boxed()
    }
}

impl Tool for SearchMyMessages {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "search_my_messages".into(),
            description: "Finds what was said about something in the user's own threads.".into(),
            input: json!({
                "type": "object",
                "properties": {
                    "query": {
                        "type": "string",
                        "minLength": 1,
                        "maxLength": QUERY_MAX,
                        "description": "Words that must all be in a message.",
                    },
                },
                "required": ["query"],
                "additionalProperties": false,
            }),
        }
    }

    fn call(&self, caller: Caller, input: Value) -> BoxFuture<'_, Result<Value, String>> {
        async move {
            let Query { query } = read(input)?;
            if query.trim().is_empty() || query.chars().count() > QUERY_MAX {
                return Err(format!("\"query\" has 1 to {QUERY_MAX} characters"));
            }
            Ok(search(&threads(&caller).await?, &query))
        }
        .boxed()
    }
}

/// What is said where; only what the user wrote counts, newest first.
fn search(threads: &[Thread], query: &str) -> Value {
    let words: Vec<String> = query.split_whitespace().map(str::to_lowercase).collect();
    let mut found = Vec::new();
    for thread in threads {
        for message in thread.messages.iter().filter(|message| message.by == "user") {
            let text = message.text.to_lowercase();
            if words.iter().all(|word| text.contains(word)) {
                found.push((message.at_ms, &thread.title, &message.text));
            }
        }
    }
    // The sort keeps the order of what was said in one millisecond.
    found.sort_by_key(|(at_ms, _, _)| std::cmp::Reverse(*at_ms));
    let count = found.len();
    let matches = found.into_iter().take(MATCHES_MAX).map(|(at_ms, title, text)| {
        let text: String = text.chars().take(MATCH_LENGTH).collect();
        json!({ "thread": title, "text": text, "at_ms": at_ms })
    });
    json!({ "query": query, "count": count, "matches": matches.collect::<Vec<_>>() })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    query: String,
}

/// A thread, as a [`crate::agent::Sight`] gives it.
#[derive(Deserialize)]
struct Thread {
    title: String,
    messages: Vec<Message>,
}

#[derive(Deserialize)]
struct Message {
    by: String,
    text: String,
    at_ms: i64,
}

fn nothing() -> Value {
    json!({ "type": "object", "properties": {}, "additionalProperties": false })
}

fn read<T: for<'de> Deserialize<'de>>(input: Value) -> Result<T, String> {
    // Some models give nothing at all where an empty object is meant.
    let input = if input.is_null() { json!({}) } else { input };
    serde_json::from_value(input).map_err(|error| format!("the input does not fit: {error}"))
}

async fn threads(caller: &Caller) -> Result<Vec<Thread>, String> {
    let threads = caller.sight.threads(caller.user).await?;
    serde_json::from_value(threads).map_err(|_| "the threads can't be read".into())
}

#[cfg(test)]
mod tests;
