//! The answers of the embedded model.
//!
//! Owns their words. Must never say what no tool and no message has said.

use serde_json::Value;

use super::intent::Intent;
use crate::agent::Said;

/// The answer, from the conversation and what the tools have said.
pub(super) fn answer(intent: &Intent, conversation: &[Said], tools: &[(&str, &Value)]) -> String {
    let tool = |name: &str| tools.iter().find(|(tool, _)| *tool == name).map(|(_, output)| *output);
    match intent {
        Intent::State => state(tool("service_state")),
        Intent::Threads => threads(tool("my_threads")),
        Intent::Search { .. } => found(conversation, tool("search_my_messages")),
        Intent::Summary => summary(conversation),
        Intent::Help => format!(
            "I can tell how this service is and how its start went, list your threads, search what \
             you wrote (\"search for …\") and summarise this thread. {} {}",
            state(tool("service_state")),
            threads(tool("my_threads")),
        ),
        Intent::Other => other(conversation, tool("my_threads")),
    }
}

fn state(output: Option<&Value>) -> String {
    let Some(state) = output.filter(|state| state.get("error").is_none()) else {
        return "I could not learn how the service is.".into();
    };
    let status = state.get("status").and_then(Value::as_str).unwrap_or("in a state without a name");
    let mut text = format!("The service is {status}.");
    let phases = state.get("phases").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let lasted: Vec<(&str, u64)> = phases
        .iter()
        .filter_map(|phase| Some((phase.get("phase")?.as_str()?, phase.get("ms")?.as_u64()?)))
        .collect();
    let total: u64 = lasted.iter().map(|(_, ms)| ms).sum();
    if let Some((slowest, ms)) = lasted.iter().max_by_key(|(_, ms)| *ms) {
        text.push_str(&format!(
            " Its start took {total} ms in {} phases; the longest was {slowest} with {ms} ms.",
            lasted.len()
        ));
    }
    if let Some(instance) = state.get("instance").and_then(Value::as_str) {
        text.push_str(&format!(" You talk to the instance {instance}."));
    }
    text
}

fn threads(output: Option<&Value>) -> String {
    let Some(list) = output.and_then(|output| output.get("threads")?.as_array()) else {
        return "I could not read your threads.".into();
    };
    let all = output.and_then(|output| output.get("count")?.as_u64());
    let all = all.unwrap_or(list.len() as u64);
    let mut text = match all {
        0 => return "You have no threads yet.".to_owned(),
        1 => "You have one thread:".to_owned(),
        count => format!("You have {count} threads:"),
    };
    let named = list.iter().take(5).map(|thread| {
        let title = thread.get("title").and_then(Value::as_str).unwrap_or_default();
        match thread.get("messages").and_then(Value::as_u64).unwrap_or(0) {
            1 => format!(" \"{title}\" with 1 message"),
            count => format!(" \"{title}\" with {count} messages"),
        }
    });
    text.push_str(&named.collect::<Vec<_>>().join(","));
    text.push_str(if all > 5 { ", and more." } else { "." });
    text
}

fn found(conversation: &[Said], output: Option<&Value>) -> String {
    let matches = output.and_then(|output| output.get("matches")?.as_array());
    let (Some(output), Some(matches)) = (output, matches) else {
        return "I could not search your messages.".into();
    };
    let query = output.get("query").and_then(Value::as_str).unwrap_or_default();
    let count = output.get("count").and_then(Value::as_u64).unwrap_or(0);
    // The question has its own words: the match that is the question tells nothing.
    let question = last_question(conversation);
    let text = |found: &Value| found.get("text").and_then(Value::as_str).map(str::to_owned);
    let is_question = |found: &Value| {
        text(found).is_some_and(|text| !text.is_empty() && question.starts_with(&*text))
    };
    let asks = matches.iter().position(is_question);
    let earlier = matches.iter().enumerate().filter(|(at, _)| Some(*at) != asks);
    let told = earlier.filter_map(|(_, found)| {
        let thread = found.get("thread")?.as_str()?;
        Some(format!(" In \"{thread}\" you wrote: \"{}\".", text(found)?))
    });
    let told: String = told.collect();
    match count.saturating_sub(u64::from(asks.is_some())) {
        0 => format!("You have not written about \"{query}\" before."),
        1 => format!("You wrote about \"{query}\" once before.{told}"),
        count => format!("You wrote about \"{query}\" {count} times before.{told}"),
    }
}

fn last_question(conversation: &[Said]) -> &str {
    let mut said = conversation.iter().rev();
    said.find_map(|said| if let Said::User(text) = said { Some(text.as_str()) } else { None })
        .unwrap_or_default()
}

fn summary(conversation: &[Said]) -> String {
    let said = conversation.iter().filter_map(|said| match said {
        Said::User(text) => Some(text.as_str()),
        _ => None,
    });
    let said: Vec<&str> = said.collect();
    let Some((_, earlier)) = said.split_last().filter(|(_, earlier)| !earlier.is_empty()) else {
        return "Nothing was said in this thread before.".into();
    };
    let first = excerpt(earlier.first().copied().unwrap_or_default());
    let last = excerpt(earlier.last().copied().unwrap_or_default());
    match earlier.len() {
        1 => format!("In this thread you wrote one message before: \"{first}\"."),
        count => format!(
            "In this thread you wrote {count} messages before: it began with \"{first}\", and the \
             last was \"{last}\"."
        ),
    }
}

fn other(conversation: &[Said], output: Option<&Value>) -> String {
    format!(
        "You wrote \"{}\". I am a small model without a network: ask me how the service is, what you \
         wrote about something, or for a summary. {}",
        excerpt(last_question(conversation)),
        threads(output)
    )
}

fn excerpt(text: &str) -> String {
    let mut excerpt: String = text.chars().take(80).collect();
    if excerpt.len() < text.len() {
        excerpt.push('…');
    }
    excerpt
}
